"""Tables of the journal in PostgreSQL, and the steps from one version of them to the next.

A recipient is written once. A claim adds a narrow row of ``taken`` for each recipient, which can be there only once,
and one row of ``request``; outcomes are written into that row. So the state of a recipient is derived: PENDING without
a row of ``taken``, and otherwise as the request says.
"""

from __future__ import annotations

import secrets
from typing import Final

from mensasdk.errors import ConfigurationError
from mensasdk.journal.postgres.connection import Connection

__all__ = ["VERSION", "prepare"]

_LOCK: Final = 0x4D534A31  # "MSJ1": held by the transaction that makes or changes the tables

_STEPS: Final = (
    # ------------------------------------------------------------------------------------------------------ version 1
    """
    CREATE TABLE mensasdk.meta (
        one boolean PRIMARY KEY CHECK (one), version integer NOT NULL, store text NOT NULL
    );
    -- A process that sends. It lives while its lease runs, by the server's clock.
    CREATE TABLE mensasdk.worker (
        id uuid PRIMARY KEY, name text NOT NULL, lease double precision NOT NULL,
        started timestamptz NOT NULL DEFAULT clock_timestamp(), seen timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (fillfactor = 50);
    -- nonce: tells campaigns of one name apart. what, print: the content of the campaign, and its hash.
    -- complete: all messages of its input are recorded. owner, epoch: who has it open, and how often it was opened.
    -- home: in which tables its recipients are.
    CREATE TABLE mensasdk.campaign (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL CHECK (name <> ''),
        nonce text NOT NULL UNIQUE, what jsonb, print bytea,
        created timestamptz NOT NULL DEFAULT clock_timestamp(), complete boolean NOT NULL DEFAULT false,
        status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'paused', 'cancelled', 'purging')),
        owner uuid, epoch bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, home integer NOT NULL DEFAULT 0
    );
    CREATE UNIQUE INDEX campaign_name ON mensasdk.campaign (name) WHERE status <> 'purging';
    -- sum: a checksum over all that is sent.
    CREATE TABLE mensasdk.recipient_0 (
        campaign bigint, seq bigint, key bytea NOT NULL, number text NOT NULL, message text NOT NULL,
        sum bigint NOT NULL, PRIMARY KEY (campaign, seq), UNIQUE (campaign, key)
    );
    CREATE INDEX recipient_0_number ON mensasdk.recipient_0 (campaign, number);
    CREATE TABLE mensasdk.taken_0 (
        campaign bigint, seq bigint, request bigint NOT NULL, PRIMARY KEY (campaign, seq)
    );
    -- seqs: the recipients as they were claimed; it never changes. freed: how many of them are PENDING again, which
    -- `outcomes` says of each. moved: by the place in seqs, the vendor to which a recipient was rerouted. swept: those
    -- without an outcome are UNKNOWN, which `unknown` counts. settled: when the last outcome was written.
    CREATE TABLE mensasdk.request_0 (
        campaign bigint, id bigint, owner uuid NOT NULL, epoch bigint NOT NULL, seqs bigint[] NOT NULL,
        vendor text, grp text, moved jsonb, claimed timestamptz NOT NULL DEFAULT clock_timestamp(),
        settled timestamptz, swept boolean NOT NULL DEFAULT false, freed integer NOT NULL DEFAULT 0,
        accepted integer NOT NULL DEFAULT 0, rejected integer NOT NULL DEFAULT 0, unknown integer NOT NULL DEFAULT 0,
        outcomes text, PRIMARY KEY (campaign, id)
    ) WITH (fillfactor = 70);
    CREATE INDEX request_0_open ON mensasdk.request_0 (campaign, owner) WHERE settled IS NULL AND NOT swept;
    CREATE INDEX request_0_unknown ON mensasdk.request_0 (campaign, id) WHERE unknown > 0;
    -- Sums over the requests of a campaign, in 64 rows so that few wait for each other.
    CREATE TABLE mensasdk.tally (
        campaign bigint, slot integer, accepted bigint NOT NULL DEFAULT 0, rejected bigint NOT NULL DEFAULT 0,
        unknown bigint NOT NULL DEFAULT 0, PRIMARY KEY (campaign, slot)
    ) WITH (fillfactor = 20);
    -- What a vendor says that it charged for a request, or for what was found out under an id of its own.
    CREATE TABLE mensasdk.charge (
        campaign bigint, request bigint, vendor text, credits text NOT NULL, PRIMARY KEY (campaign, request, vendor)
    );
    -- Delivery reports, also for messages that are not known. message: made of the vendor's id, or our reference.
    -- change: grows with each change, so that somebody can ask for what is new.
    CREATE SEQUENCE mensasdk.delivery_change;
    CREATE TABLE mensasdk.delivery (
        vendor text, number text, message text, vendor_id text, reference text, progress integer NOT NULL,
        state text NOT NULL, code text NOT NULL, at timestamptz,
        change bigint NOT NULL DEFAULT nextval('mensasdk.delivery_change'), PRIMARY KEY (vendor, number, message)
    );
    CREATE INDEX delivery_vendor_id ON mensasdk.delivery (vendor, vendor_id);
    CREATE INDEX delivery_by_change ON mensasdk.delivery (change);
    CREATE SEQUENCE mensasdk.request_id INCREMENT BY 1000;
    """,
)
VERSION: Final = len(_STEPS)
"""Version of the tables that this program reads and writes."""


async def prepare(connection: Connection, *, create: bool) -> bool:
    """Bring the tables to the version of this program; of several processes at once, one does it.

    Args:
        connection: connection to the database.
        create: make the tables if there are none.

    Returns:
        Whether there are tables now.

    Raises:
        ConfigurationError: the tables are of a newer version than this program.
    """
    version = await _version(connection)
    if version == 0 and not create:
        return False
    if version < VERSION:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            version = await _version(connection)
            for step in _STEPS[version:]:
                if version == 0:
                    await connection.execute("CREATE SCHEMA IF NOT EXISTS mensasdk")
                await connection.execute(step)
                version += 1
                await connection.execute(
                    "INSERT INTO mensasdk.meta VALUES (true, $1, $2) ON CONFLICT (one) DO UPDATE SET version = $1",
                    version,
                    secrets.token_hex(8),
                )
    if version > VERSION:
        raise ConfigurationError(
            f"the journal has tables of version {version}, and this program knows them up to {VERSION}",
            remedy="install a newer mensasdk",
        )
    return True


async def _version(connection: Connection) -> int:
    # Not to_regclass: within a transaction it may not see what another one has made meanwhile.
    if not await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'mensasdk' AND tablename = 'meta')"
    ):
        return 0
    return int(await connection.fetchval("SELECT version FROM mensasdk.meta") or 0)
