"""Help for testing programs that use mensasdk, and parts that others add to it."""

from mensasdk.testing.conformance import Case, journal_conformance

__all__ = ["Case", "journal_conformance"]
