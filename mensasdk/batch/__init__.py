"""Many messages: the sender, its limits, its journal and its report."""

from mensasdk.batch.chunk import run_chunk
from mensasdk.batch.journal import CampaignInfo, Journal, JournalError, Record, Row, State
from mensasdk.batch.memory_journal import MemoryJournal
from mensasdk.batch.reconcile import mark
from mensasdk.batch.report import BatchReport, Progress, guard_cell, unguard_cell
from mensasdk.batch.router import Route, Router
from mensasdk.batch.sender import BatchSender, Screen
from mensasdk.batch.sqlite_journal import SqliteJournal

__all__ = [
    "BatchReport",
    "BatchSender",
    "CampaignInfo",
    "Journal",
    "JournalError",
    "MemoryJournal",
    "Progress",
    "Record",
    "Route",
    "Router",
    "Row",
    "Screen",
    "SqliteJournal",
    "State",
    "guard_cell",
    "mark",
    "run_chunk",
    "unguard_cell",
]
