"""Journals: records of campaigns, in memory or in a SQLite file, that keep a message from being sent twice."""

from mensasdk.journal.mark import mark
from mensasdk.journal.memory import MemoryJournal
from mensasdk.journal.protocol import CampaignInfo, Claim, Entry, Journal, Record, Row, State
from mensasdk.journal.sqlite import SqliteJournal

__all__ = [
    "CampaignInfo",
    "Claim",
    "Entry",
    "Journal",
    "MemoryJournal",
    "Record",
    "Row",
    "SqliteJournal",
    "State",
    "mark",
]
