"""Many messages: the sender, its routes and its report."""

from mensasdk.campaign.report import BatchReport, Progress, guard_cell, unguard_cell
from mensasdk.campaign.request import run_chunk
from mensasdk.campaign.router import Route, Router
from mensasdk.campaign.sender import BatchSender, Screen

__all__ = [
    "BatchReport",
    "BatchSender",
    "Progress",
    "Route",
    "Router",
    "Screen",
    "guard_cell",
    "run_chunk",
    "unguard_cell",
]
