"""Many messages: the sender, its limits, its journal and its report."""

from mensasdk.batch.journal import Journal, MemoryJournal, Row, State
from mensasdk.batch.limiter import LimiterStatistics, RateLimit, RateLimiter, Unlimited, WindowLimiter
from mensasdk.batch.report import BatchReport, Progress, guard_cell, unguard_cell
from mensasdk.batch.router import Route, Router
from mensasdk.batch.sender import BatchSender, run_chunk

__all__ = [
    "BatchReport",
    "BatchSender",
    "Journal",
    "LimiterStatistics",
    "MemoryJournal",
    "Progress",
    "RateLimit",
    "RateLimiter",
    "Route",
    "Router",
    "Row",
    "State",
    "Unlimited",
    "WindowLimiter",
    "guard_cell",
    "run_chunk",
    "unguard_cell",
]
