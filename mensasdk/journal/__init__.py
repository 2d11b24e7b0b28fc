"""Journals: records of campaigns, in memory, a file or a database, that keep a message from being sent twice."""

from mensasdk.journal.mark import mark
from mensasdk.journal.memory import MemoryJournal
from mensasdk.journal.postgres import PostgresJournal
from mensasdk.journal.protocol import CampaignInfo, Claim, Entry, Journal, Record, Row, State
from mensasdk.journal.sqlite import SqliteJournal

__all__ = [
    "CampaignInfo",
    "Claim",
    "Entry",
    "Journal",
    "MemoryJournal",
    "PostgresJournal",
    "Record",
    "Row",
    "SqliteJournal",
    "State",
    "mark",
]
