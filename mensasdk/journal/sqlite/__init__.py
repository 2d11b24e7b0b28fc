"""The journal in a file, by SQLite."""

from mensasdk.journal.sqlite.journal import SqliteJournal

__all__ = ["SqliteJournal"]
