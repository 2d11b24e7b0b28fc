"""Tables of the journal's file, its version, and the steps that bring an older file to the present version."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from mensasdk.errors import JournalError

__all__ = ["APPLICATION", "MARK", "OLDEST", "VERSION", "Seal", "check_sum", "create", "migrate"]

APPLICATION: Final = 0x4D534A31  # "MSJ1"
VERSION: Final = 5
MARK: Final = 1 << 16
"""Added to the version in the file's header while the file needs its WAL."""

_SCHEMA: Final = (
    # One row. store: random, so that a row of another journal does not pass for one of this. changes: the last change
    # number of a delivery report. restored: not NULL in a copy that may be older than what was sent; the moment.
    """CREATE TABLE meta (
        store BLOB NOT NULL,
        created TEXT NOT NULL,
        changes INTEGER NOT NULL,
        restored TEXT
    )""",
    # name: NULL while a purge deletes the rows. The nonce is in the references of the campaign's requests.
    # complete: all messages of its input are recorded. nonce: 64 random bits, other for each campaign of a name.
    # content: what is sent, as JSON. print: a hash of it. owner: a random word of whoever has it open; all that he
    # writes holds only while it stands here. epoch: how often it was opened. status, total: what an engine is told.
    # sum (here and below): checksum of the row's other columns, save for those that change by themselves.
    """CREATE TABLE campaign (
        id INTEGER PRIMARY KEY,
        name TEXT UNIQUE,
        created TEXT NOT NULL,
        complete INTEGER NOT NULL,
        nonce TEXT NOT NULL,
        content TEXT,
        print BLOB,
        owner TEXT,
        epoch INTEGER NOT NULL,
        status TEXT,
        total INTEGER,
        sum BLOB NOT NULL
    )""",
    # Rows that are PENDING.
    """CREATE TABLE waiting (
        campaign INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        key BLOB NOT NULL,
        number TEXT NOT NULL,
        message BLOB NOT NULL,
        sum BLOB NOT NULL,
        PRIMARY KEY (campaign, seq)
    ) WITHOUT ROWID""",
    # Requests: claimed rows with consecutive seq, from `first` on. Requests never overlap, and their rows are not in
    # `waiting`. head: the first seq of the claim. place: position of `first` in the claim. via, grp: the claim's vendor
    # and group. claimed: in seconds of Unix time. keys: one after the other, without an index (store.py says why).
    # widths: the lengths of the keys; NULL if all are the usual one. numbers: NULL if they are as in the messages.
    """CREATE TABLE request (
        campaign INTEGER NOT NULL,
        first INTEGER NOT NULL,
        count INTEGER NOT NULL,
        head INTEGER NOT NULL, place INTEGER NOT NULL, via TEXT, grp TEXT, claimed REAL NOT NULL,
        keys BLOB NOT NULL, widths TEXT,
        numbers TEXT, messages BLOB NOT NULL,
        sum BLOB NOT NULL,
        PRIMARY KEY (campaign, first)
    ) WITHOUT ROWID""",
    # Outcomes of a request; a request without a row here is IN_FLIGHT as a whole. swept: rows without an outcome are
    # UNKNOWN, and not IN_FLIGHT any more; `unknown` counts them too. settled: in seconds of Unix time; NULL if swept.
    """CREATE TABLE result (
        campaign INTEGER NOT NULL,
        first INTEGER NOT NULL,
        count INTEGER NOT NULL,
        accepted INTEGER NOT NULL, rejected INTEGER NOT NULL, unknown INTEGER NOT NULL,
        swept INTEGER NOT NULL,
        settled REAL,
        outcomes BLOB,
        sum BLOB NOT NULL,
        PRIMARY KEY (campaign, first)
    ) WITHOUT ROWID""",
    # What a vendor says that it charged for a claim, by its head and its time (or when more was charged for it). The
    # claim may have no row any more.
    """CREATE TABLE charge (
        campaign INTEGER NOT NULL,
        head INTEGER NOT NULL, at REAL NOT NULL,
        vendor TEXT NOT NULL,
        credits TEXT NOT NULL,
        sum BLOB NOT NULL,
        PRIMARY KEY (campaign, head, at, vendor)
    ) WITHOUT ROWID""",
    # Delivery reports, also for messages that are not known. message: made of the vendor's id, or else our reference.
    # change: rises with each report that tells something new.
    """CREATE TABLE delivery (
        vendor TEXT NOT NULL,
        number TEXT NOT NULL,
        message TEXT NOT NULL,
        vendor_id TEXT, reference TEXT,
        progress INTEGER NOT NULL,
        state TEXT NOT NULL,
        code TEXT NOT NULL,
        at TEXT,
        change INTEGER NOT NULL,
        sum BLOB NOT NULL,
        PRIMARY KEY (vendor, number, message)
    ) WITHOUT ROWID""",
    "CREATE INDEX delivery_by_id ON delivery (vendor, vendor_id)",
    "CREATE INDEX delivery_by_change ON delivery (change)",
    # People who asked not to be written to. number: in E.164.
    """CREATE TABLE optout (
        number TEXT PRIMARY KEY,
        vendor TEXT, at TEXT NOT NULL, why TEXT,
        sum BLOB NOT NULL
    ) WITHOUT ROWID""",
    # Received messages. key: tells a message from its repetition.
    """CREATE TABLE reply (
        id INTEGER PRIMARY KEY,
        vendor TEXT NOT NULL,
        key TEXT NOT NULL,
        number TEXT NOT NULL,
        recipient TEXT, text TEXT NOT NULL, at TEXT, received TEXT NOT NULL,
        sum BLOB NOT NULL,
        UNIQUE (vendor, key)
    )""",
    # What requests cost, as their vendor told. first: of the request; NULL if it was for a whole campaign.
    """CREATE TABLE spend (
        id INTEGER PRIMARY KEY,
        campaign INTEGER,
        first INTEGER,
        vendor TEXT NOT NULL, unit TEXT, credits TEXT, at REAL NOT NULL,
        sum BLOB NOT NULL
    )""",
    # Single sends under a caller's key. print: a hash of the payload.
    """CREATE TABLE outbox (
        key TEXT PRIMARY KEY,
        print BLOB NOT NULL,
        vendor TEXT, reference TEXT NOT NULL, message BLOB NOT NULL, claimed REAL NOT NULL,
        settled REAL, outcome BLOB,
        sum BLOB NOT NULL
    ) WITHOUT ROWID""",
)

_MIGRATIONS: Final[Mapping[int, Sequence[str]]] = {}
"""Statements that bring a file of a version to the next one. Drafts before version 5 are not read."""
OLDEST: Final = min(_MIGRATIONS, default=VERSION)
"""The oldest version that can be brought to the present one."""


class Seal:
    """Checksums of the rows of one journal.

    Args:
        store: the random id of the journal.
    """

    def __init__(self, store: bytes) -> None:
        self._begin = blake2b(digest_size=8, salt=store)

    def of(self, *values: Any) -> bytes:
        """Return the checksum of a row: eight bytes."""
        hashed = self._begin.copy()
        plain = []
        for value in values:
            if type(value) is bytes:
                hashed.update(value)
                value = len(value)
            plain.append(value)
        hashed.update(repr(plain).encode("utf-8", "surrogatepass"))
        return hashed.digest()


def check_sum(written: bytes, found: bytes) -> None:
    """Check a row that was read by its checksum.

    Raises:
        JournalError: the row is not as it was written.
    """
    if written != found:
        raise JournalError("the journal holds a row that is not as it was written: the file is damaged")


def create(database: sqlite3.Connection) -> None:
    """Create the tables of a new journal, and mark the file as one of this version."""
    for statement in (*_SCHEMA, f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {VERSION}"):
        database.execute(statement)
    made = (secrets.token_bytes(16), datetime.now(UTC).isoformat())
    database.execute("INSERT INTO meta (store, created, changes) VALUES (?, ?, 0)", made)


def migrate(database: sqlite3.Connection, version: int) -> bool:
    """Bring a file to the present version, within a transaction; return False if it cannot be brought there."""
    while version < VERSION:
        if version not in _MIGRATIONS:
            return False
        for statement in _MIGRATIONS[version]:
            database.execute(statement)
        version += 1
        database.execute(f"PRAGMA user_version = {version + MARK}")
    return version == VERSION
