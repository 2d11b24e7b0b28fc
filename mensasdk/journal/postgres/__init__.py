"""A journal in a PostgreSQL database, which many machines may share."""

from mensasdk.journal.postgres.journal import PostgresJournal

__all__ = ["PostgresJournal"]
