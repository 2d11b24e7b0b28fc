"""The journal in a SQLite file."""

from mensasdk.journal.sqlite.journal import SqliteJournal

__all__ = ["SqliteJournal"]
