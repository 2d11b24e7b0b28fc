"""Damaged journals, taken up as if nothing had happened: no stranger, nobody twice, no error but ours."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tiers import LONG

from mensasdk import (
    BatchSender,
    Delivery,
    DeliveryState,
    MensaError,
    MensatekClient,
    Message,
    Outcome,
    OutcomeKind,
    SqliteJournal,
)
from mensasdk.errors import JournalError
from mensasdk.journal import Row, State
from mensasdk.sandbox import Sandbox

PEOPLE = [Message(f"+346{seq:08d}", f"Hola {seq}, le esperamos") for seq in range(60)]
NAMES = ("journal", "journal-wal", "journal-shm")
SENT = 40  # to so many the damaged campaign has sent

KILLED = """
import asyncio, os, sys
from mensasdk import BatchSender, MensatekClient, Message, SqliteJournal
people = [Message(f"+346{seq:08d}", f"Hola {seq}, le esperamos") for seq in range(60)]
async def main():
    def progress(state):
        if state.done >= 40:
            os.kill(os.getpid(), 9)
    async with MensatekClient("user", "token", base_url=sys.argv[2]) as client:
        sender = BatchSender(client, journal=SqliteJournal(sys.argv[1]), max_recipients=5, max_in_flight=1)
        await sender.send(people, campaign="c", on_progress=progress)
asyncio.run(main())
"""


def client_of(box: Sandbox) -> MensatekClient:
    return MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek"))


async def closed(path: Path, box: Sandbox) -> None:
    """Send to the first people with two campaigns in the journal, one of them somebody else's."""
    async with client_of(box) as client:
        for name, people in (("other", [Message("+34699999999", "otro")]), ("c", PEOPLE[:SENT])):
            await BatchSender(client, journal=SqliteJournal(path), max_recipients=5, max_in_flight=1).send(
                people, campaign=name
            )
    journal = SqliteJournal(path)
    assert (await journal.open("c", create=False)).next_seq == SENT
    await journal.close("c")


async def killed(path: Path, box: Sandbox) -> None:
    """Kill a sender after the first people, so that its WAL is needed."""
    credentials = box.credentials("mensatek")
    source = KILLED.replace('"user", "token"', ", ".join(f"{name}={value!r}" for name, value in credentials.items()))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", source, str(path), box.base_url("mensatek"), stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert not told, told.decode()
    assert path.with_name("journal-wal").exists()


# --------------------------------------------------------------------------------------------------------- the damage


def flip(chance: random.Random, folder: Path, file: str = "journal") -> None:
    """Flip a few bits where something is written."""
    path = folder / file
    data = bytearray(path.read_bytes())
    written = [at for at, byte in enumerate(data) if byte]
    for at in chance.sample(written, chance.choice([1, 1, 3, 10])):
        data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def flip_wal(chance: random.Random, folder: Path) -> None:
    flip(chance, folder, "journal-wal" if (folder / "journal-wal").exists() else "journal")


def wipe(chance: random.Random, folder: Path) -> None:
    """Fill a part with zeros, or with what stands elsewhere in the file."""
    path = folder / "journal"
    data = bytearray(path.read_bytes())
    size = chance.choice([16, 512, 4096])
    at = chance.randrange(len(data) // size) * size
    other = chance.randrange(len(data) // size) * size
    data[at : at + size] = bytes(size) if chance.random() < 0.5 else data[other : other + size]
    path.write_bytes(data)


def cut(chance: random.Random, folder: Path) -> None:
    name = chance.choice([name for name in NAMES[:2] if (folder / name).exists()])
    with (folder / name).open("r+b") as file:
        file.truncate(chance.randrange((folder / name).stat().st_size))


def no_wal(chance: random.Random, folder: Path) -> None:
    (folder / "journal-wal").unlink(missing_ok=True)
    if chance.random() < 0.5:
        (folder / "journal-shm").unlink(missing_ok=True)


def swap_pages(chance: random.Random, folder: Path) -> None:
    path = folder / "journal"
    data = bytearray(path.read_bytes())
    one, two = (4096 * page for page in chance.sample(range(len(data) // 4096), 2))
    data[one : one + 4096], data[two : two + 4096] = data[two : two + 4096], data[one : one + 4096]
    path.write_bytes(data)


DAMAGES: list[Callable[[random.Random, Path], None]] = [flip, flip, flip_wal, wipe, cut, no_wal, swap_pages]


SEEDS = 160 if LONG else 32


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Counter[str]]]:
    """Make two journals, and return their folders with the count of messages that each number got."""

    async def make(how: Callable[[Path, Sandbox], object]) -> tuple[Path, Counter[str]]:
        folder = tmp_path_factory.mktemp("original")
        async with Sandbox() as box:
            await how(folder / "journal", box)  # type: ignore[misc]
            return folder, Counter(box.ledger.numbers())

    return {how.__name__: asyncio.run(make(how)) for how in (closed, killed)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_damaged_journal_writes_to_nobody_twice_and_to_no_stranger(
    seed: int, originals: dict[str, tuple[Path, Counter[str]]], tmp_path: Path
) -> None:
    chance = random.Random(seed)
    original, before = originals[("closed", "killed")[seed % 2]]
    for file in original.iterdir():
        shutil.copy(file, tmp_path / file.name)
    damage = DAMAGES[seed // 2 % len(DAMAGES)]
    damage(chance, tmp_path)

    async def use() -> Counter[str]:
        async with Sandbox() as box, client_of(box) as client:
            sender = BatchSender(client, journal=SqliteJournal(tmp_path / "journal"), max_recipients=5)
            with suppress(MensaError):
                if chance.random() < 0.5:
                    await sender.resume("c", PEOPLE)
                else:
                    await sender.send(PEOPLE, campaign="c")
            journal = SqliteJournal(tmp_path / "journal")
            with suppress(MensaError):
                for info in await journal.campaigns():
                    await journal.read(info.name, states={State.UNKNOWN, State.ACCEPTED})
            return Counter(box.ledger.numbers())

    got = before + asyncio.run(use())
    known = {message.to.lstrip("+") for message in PEOPLE} | {"34699999999"}
    assert {number.lstrip("+") for number in got} <= known, damage.__name__
    assert max(got.values()) == 1, damage.__name__


# ------------------------------------------------------------------------------------------- each column of each row

COLUMNS = [
    *(("campaign", column) for column in ("name", "created", "nonce")),
    *(("waiting", column) for column in ("seq", "key", "number", "message")),
    *(("request", column) for column in ("first", "count", "head", "place", "via", "claimed", "keys", "messages")),
    *(("result", column) for column in ("count", "accepted", "rejected", "unknown", "swept", "settled", "outcomes")),
    *(("charge", column) for column in ("head", "at", "vendor", "credits")),
]


def changed(value: Any) -> Any:
    """Return a value of the same type that looks as good."""
    if isinstance(value, bytes):
        return value[:-3] + bytes([value[-3] ^ 1]) + value[-2:]
    return value[:-1] + chr(ord(value[-1]) ^ 1) if isinstance(value, str) else value + 1


@pytest.mark.parametrize(("table", "column"), COLUMNS)
async def test_a_column_that_changed_on_the_disk_is_noticed_before_anything_is_claimed(
    tmp_path: Path, table: str, column: str
) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    await journal.open("c")
    rows = [Row(seq, seq.to_bytes(8) * 2, message) for seq, message in enumerate(PEOPLE[:9])]
    await journal.load("c", rows)
    for lo in (0, 3):
        claim = await journal.claim("c", lo, lo + 3, vendor="test")
        outcomes = [Outcome(OutcomeKind.ACCEPTED, row.message, vendor="test", vendor_id="id") for row in claim.rows]
        await journal.settle("c", claim, list(enumerate(outcomes, lo)), charged={"test": Decimal("0.045")})
    await journal.close("c")
    database = sqlite3.connect(journal.path)
    database.create_function("changed", 1, changed)
    last = {"campaign": "id", "waiting": "seq", "charge": "head"}.get(table, "first")
    where = f"{last} = (SELECT max({last}) FROM {table})"
    sql = f"UPDATE {table} SET {column} = changed({column}) WHERE {where}"
    assert database.execute(sql).rowcount == 1
    database.commit()
    database.close()
    again = SqliteJournal(journal.path)
    with pytest.raises(JournalError, match="not as it was written"):
        await again.open("c")
    with pytest.raises(JournalError, match="not as it was written"):
        await (again.charged("c") if table == "charge" else again.read("c"))


@pytest.mark.parametrize("column", ["vendor_id", "reference", "state", "code", "at", "change"])
async def test_a_report_that_changed_on_the_disk_proves_nothing(tmp_path: Path, column: str) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    report = Delivery("test", "7", number="+34600000001", state=DeliveryState.SENT, code="1", reference="c.0")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    assert await journal.deliver([report, evolve(report, state=DeliveryState.DELIVERED, at=at)]) == 2
    assert await journal.deliveries("test", [report.number]) == [evolve(report, state=DeliveryState.DELIVERED, at=at)]
    database = sqlite3.connect(journal.path)
    database.create_function("changed", 1, changed)
    sql = f"UPDATE delivery SET {column} = changed({column})"
    assert database.execute(sql).rowcount == 1
    database.commit()
    database.close()
    with pytest.raises(JournalError, match="not as it was written"):
        await journal.deliveries("test", [report.number])
