"""Journals: records of campaigns, in memory, a file or a database, that keep a message from being sent twice."""

from mensasdk.journal.facts import CampaignFacts, RouteFacts
from mensasdk.journal.mark import mark
from mensasdk.journal.memory import MemoryJournal
from mensasdk.journal.postgres import PostgresJournal
from mensasdk.journal.protocol import CampaignInfo, Claim, Entry, Journal, Opened, Record, Row, State
from mensasdk.journal.sqlite import SqliteJournal

__all__ = [
    "CampaignFacts",
    "CampaignInfo",
    "Claim",
    "Entry",
    "Journal",
    "MemoryJournal",
    "Opened",
    "PostgresJournal",
    "Record",
    "RouteFacts",
    "Row",
    "SqliteJournal",
    "State",
    "mark",
]
