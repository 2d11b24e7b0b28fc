"""Many messages: the sender, its routes and its report."""

from mensasdk.batch.chunk import run_chunk
from mensasdk.batch.report import BatchReport, Progress, guard_cell, unguard_cell
from mensasdk.batch.router import Route, Router
from mensasdk.batch.sender import BatchSender, Screen

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
