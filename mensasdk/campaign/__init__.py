"""Send many messages: the sender, its routes and its report."""

from mensasdk.campaign.lane import RouteStatistics
from mensasdk.campaign.report import Amount, BatchReport, Latency, Progress, guard_cell, unguard_cell
from mensasdk.campaign.route import Route
from mensasdk.campaign.router import Router
from mensasdk.campaign.screens import Screen
from mensasdk.campaign.sender import BatchSender

__all__ = [
    "Amount",
    "BatchReport",
    "BatchSender",
    "Latency",
    "Progress",
    "Route",
    "RouteStatistics",
    "Router",
    "Screen",
    "guard_cell",
    "unguard_cell",
]
