"""Duties of a journal in a file alone: the file, the disk, other processes, and its thread."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mensasdk import ConfigurationError, Message, OutcomeKind
from mensasdk.errors import JournalError
from mensasdk.journal import Opened, Row, SqliteJournal, State
from mensasdk.journal.sqlite import journal as module
from mensasdk.journal.sqlite.store import Store
from mensasdk.messages import Outcome


def rows(count: int, start: int = 0) -> list[Row]:
    return [Row(seq, bytes([seq % 256, seq // 256]), Message(f"+346{seq:08d}", "hola")) for seq in range(start, count)]


def accepted(count: int) -> list[tuple[int, Outcome]]:
    return [(row.seq, Outcome(OutcomeKind.ACCEPTED, row.message, vendor="test", vendor_id="id")) for row in rows(count)]


def connected(journal: SqliteJournal) -> bool:
    return journal._store._connection is not None


async def made(path: Path) -> SqliteJournal:
    """Make a journal with campaign c, which has two rows that wait."""
    journal = SqliteJournal(path)
    await journal.open("c")
    await journal.load("c", rows(2))
    await journal.close("c")
    return journal


def content(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


async def execute(journal: SqliteJournal, sql: str) -> Any:
    """Run a statement on the journal's own connection."""
    return await journal._thread.do(lambda store: store._connect().execute(sql).fetchone())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAITS", (0.01, 0.01))


# -------------------------------------------------------------------------------------------------------- the file


async def test_only_the_owner_can_read_any_of_its_files(path: Path) -> None:
    before = os.umask(0)
    try:
        journal = SqliteJournal(path)
        await journal.open("c")
        await journal.load("c", rows(10))
        await journal.claim("c", 0, 5)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert {path.name, f"{path.name}-wal", f"{path.name}-shm"} < set(modes)
        assert set(modes.values()) == {0o600}
        await journal.close("c")
    finally:
        os.umask(before)


async def test_the_file_is_private_before_sqlite_sees_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: set[int] = set()
    connect: Any = sqlite3.connect

    def watched(*args: Any, **keywords: Any) -> Any:
        if "immutable" not in str(args[0]):  # that connection writes nothing and makes no files
            modes.update(stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir())
        return connect(*args, **keywords)

    monkeypatch.setattr(sqlite3, "connect", watched)
    await made(path)
    os.chmod(path, 0o644)  # noqa: PTH101
    await SqliteJournal(path).campaigns()
    assert modes == {0o600}


async def test_it_is_written_ahead_and_to_the_disk(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open("c")
    await journal.load("c", rows(1))
    claim = await journal.claim("c", 0, 1)
    assert await execute(journal, "PRAGMA journal_mode") == ("wal",)
    assert await execute(journal, "PRAGMA synchronous") == (2,)
    await journal.settle("c", claim, accepted(1))
    assert await execute(journal, "PRAGMA synchronous") == (2,)
    await journal.close("c")


async def test_what_was_claimed_is_there_for_whoever_opens_the_file(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open("c")
    await journal.load("c", rows(3))
    await journal.claim("c", 0, 2)
    await journal.progress("c")  # which puts the third one into the file
    other = sqlite3.connect(path)
    claimed = other.execute("SELECT first, count, length(keys) FROM request").fetchall()
    waiting = other.execute("SELECT seq, length(key) FROM waiting").fetchall()
    other.close()
    assert (claimed, waiting) == ([(0, 2, 4)], [(2, 2)])
    await journal.close("c")


async def test_it_is_closed_when_no_campaign_needs_it(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open("c")
    await journal.open("d")
    await journal.close("c")
    assert connected(journal)
    await journal.close("d")
    assert not connected(journal)
    await journal.campaigns()
    assert not connected(journal)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_much_that_waits_for_its_claim_goes_into_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mensasdk.journal.sqlite.store._MOST_WAITING", 5)
    journal = SqliteJournal(path)
    await journal.open("c")
    await journal.load("c", rows(3))
    assert len(journal._store._open["c"].waiting) == 3
    await journal.load("c", rows(10, 3))
    assert not journal._store._open["c"].waiting
    await journal.load("c", rows(12, 10))
    assert (await journal.claim("c", 0, 12)).rows == rows(12)
    assert (await journal.progress("c"))[State.IN_FLIGHT] == 12
    await journal.close("c")


async def test_what_waits_is_in_the_file_when_the_campaign_is_closed(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open("c")
    await journal.load("c", rows(2000))
    await journal.close("c")
    assert (await SqliteJournal(path).progress("c"))[State.PENDING] == 2000


async def test_purging_overwrites_the_numbers(path: Path) -> None:
    journal = SqliteJournal(path)
    for name in ("c", "d"):
        await journal.open(name)
        await journal.load(name, [Row(0, b"k", Message(f"+34600{name}123", "hola"))])
        await journal.close(name)
    assert b"34600c123" in content(path)
    await journal.purge("c")
    assert b"34600c123" not in content(path)
    assert b"34600d123" in content(path)


async def test_a_purge_that_was_cut_short_leaves_no_half_campaign(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a campaign would not know whom it has written to."""
    monkeypatch.setattr("mensasdk.journal.sqlite.store._PURGED_AT_ONCE", 3)
    journal = SqliteJournal(path)
    await journal.open("c")
    await journal.load("c", rows(10))
    await journal.close("c")
    delete, count = Store._delete_some, 0

    def dying(store: Store) -> bool:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        return delete(store)

    monkeypatch.setattr(Store, "_delete_some", dying)
    store = Store(path, 1)
    with pytest.raises(KeyboardInterrupt):
        store.purge("c")
    store.disconnect()
    monkeypatch.setattr(Store, "_delete_some", delete)
    assert await journal.campaigns() == []
    assert (await journal.open("c")).next_seq == 0
    assert sum((await journal.progress("c")).values()) == 0
    await journal.close("c")
    await journal.purge("c")
    assert await execute(journal, "SELECT (SELECT count(*) FROM waiting) + (SELECT count(*) FROM campaign)") == (0,)


# -------------------------------------------------------------------------------------------------- what can go wrong


def no_folder(path: Path) -> Path:
    return path / "no such folder" / "journal"


def a_folder(path: Path) -> Path:
    path.mkdir()
    return path


def a_text(path: Path) -> Path:
    path.write_text("telefono,nombre\n" * 1000)
    return path


def another_database(path: Path) -> Path:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE things (id)")
    database.close()
    return path


def from_the_future(path: Path) -> Path:
    asyncio.run(made(path))
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    return path


def of_an_older_version(path: Path) -> Path:
    database = sqlite3.connect(path)
    database.executescript("CREATE TABLE recipient (seq); PRAGMA application_id = 0x4D534A31; PRAGMA user_version = 3")
    database.close()
    return path


def corrupt(path: Path) -> Path:
    async def fill() -> None:
        journal = SqliteJournal(path)
        await journal.open("c")
        await journal.load("c", rows(2000))
        await journal.close("c")

    asyncio.run(fill())
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_folder, "No such file"),
        (a_folder, "directory"),
        (a_text, "not a database"),
        (another_database, "no journal of mensasdk"),
        (from_the_future, "another version"),
        (of_an_older_version, "another version"),
        (corrupt, "malformed"),
    ],
)
def test_a_file_that_cannot_be_a_journal_is_refused_in_words(
    path: Path, make: Callable[[Path], Path], words: str
) -> None:
    target = make(path)

    async def use() -> None:
        await SqliteJournal(target).open("c")

    before = {file.name for file in path.parent.iterdir()}
    with pytest.raises(JournalError, match=words) as caught:
        asyncio.run(use())
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert not {file.name for file in path.parent.iterdir()} - before  # no lock stays behind


async def test_a_full_disk_is_an_error_and_claims_nothing(path: Path, impatient: None) -> None:
    journal = SqliteJournal(path)
    await journal.open("c")
    [pages] = await execute(journal, "PRAGMA page_count")
    await execute(journal, f"PRAGMA max_page_count = {pages + 2}")
    await journal.load("c", rows(1000))
    with pytest.raises(JournalError, match="full") as caught:
        await journal.claim("c", 0, 1000)
    assert caught.value.retryable
    with pytest.raises(JournalError, match="full"):
        await journal.load("c", rows(9000, 1000))
    other = SqliteJournal(path)
    assert sum((await other.progress("c")).values()) == 0
    # Where there is room again, nothing is lost.
    await execute(journal, "PRAGMA max_page_count = 100000")
    assert len((await journal.claim("c", 0, 9000)).rows) == 9000
    await journal.close("c")


async def test_a_read_only_file_is_an_error_and_claims_nothing(path: Path, impatient: None) -> None:
    journal = SqliteJournal(path)
    await journal.open("c")
    await journal.load("c", rows(4))
    claim = await journal.claim("c", 3, 4)
    await execute(journal, "PRAGMA query_only = ON")
    for call in (
        journal.claim("c", 0, 3),
        journal.reroute("c", claim, [3], "test"),
        journal.settle("c", claim, accepted(4)[3:]),
    ):
        with pytest.raises(JournalError, match="readonly") as caught:
            await call
        assert not caught.value.retryable
    await execute(journal, "PRAGMA query_only = OFF")
    found = await journal.progress("c")
    assert (found[State.PENDING], found[State.IN_FLIGHT]) == (3, 1)
    [flying] = await journal.read("c", states={State.IN_FLIGHT})
    assert flying.vendor is None
    await journal.close("c")


async def test_settling_is_repeated_while_the_file_is_locked(path: Path) -> None:
    journal = SqliteJournal(path, busy_timeout=0.01)
    await journal.open("c")
    await journal.load("c", rows(3))
    claim = await journal.claim("c", 0, 3)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await journal.load("c", rows(4, 3))
    with pytest.raises(JournalError, match="locked") as caught:
        await journal.claim("c", 0, 4)
    assert caught.value.retryable
    task = asyncio.create_task(journal.settle("c", claim, accepted(3)))
    await asyncio.sleep(0.1)
    assert not task.done()
    other.execute("ROLLBACK")
    other.close()
    await task
    assert (await journal.progress("c"))[State.ACCEPTED] == 3
    await journal.close("c")


async def test_what_could_not_be_settled_is_settled_at_the_end(path: Path, impatient: None) -> None:
    journal = SqliteJournal(path, busy_timeout=0.01)
    await journal.open("c")
    await journal.load("c", rows(3))
    claim = await journal.claim("c", 0, 3)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="locked"):
        await journal.settle("c", claim, accepted(2))
    other.execute("ROLLBACK")
    other.close()
    await journal.close("c")
    found = await journal.progress("c")
    assert (found[State.ACCEPTED], found[State.IN_FLIGHT]) == (2, 1)


async def test_all_that_could_not_be_settled_is_settled_at_the_end_as_it_came(path: Path, impatient: None) -> None:
    """Of one claim in two parts, of one that was swept meanwhile, and what is told twice counts once."""
    journal = SqliteJournal(path, busy_timeout=0.01)
    await journal.open("c")
    await journal.load("c", rows(7))
    swept = await journal.claim("c", 0, 3)
    await journal.sweep("c")
    claim = await journal.claim("c", 3, 7, seqs=[3, 4, 6])
    rejected = [(seq, Outcome(OutcomeKind.REJECTED, rows(7)[seq].message, vendor="test")) for seq in range(7)]
    unsent = [(seq, Outcome(OutcomeKind.NOT_SENT, rows(7)[seq].message, vendor="test")) for seq in range(7)]
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for ours, outcomes in (
        (swept, accepted(1)),
        (swept, [rejected[0], rejected[1], unsent[2]]),
        (claim, [unsent[3], rejected[6]]),
        (claim, accepted(7)[3:]),
    ):
        with pytest.raises(JournalError, match="locked"):
            await journal.settle("c", ours, outcomes)
    other.execute("ROLLBACK")
    other.close()
    await journal.close("c", complete=True)
    states = [record.state.value[0] for record in await journal.read("c")]
    assert "".join(states) == "arupapr"
    [info] = await journal.campaigns()
    assert not info.complete


async def test_a_campaign_is_let_go_even_if_the_file_is_gone_bad(path: Path, impatient: None) -> None:
    journal = SqliteJournal(path)
    await journal.open("c")
    await execute(journal, "PRAGMA query_only = ON")
    with pytest.raises(JournalError):
        await journal.close("c", complete=True)
    await journal.open("c")
    await journal.close("c")


# ------------------------------------------------------------------------------------------------- other processes


HOLD = """
import asyncio, sys
from mensasdk.journal import SqliteJournal
async def main():
    await SqliteJournal(sys.argv[1]).open("c")
    print("open", flush=True)
    sys.stdin.read()
asyncio.run(main())
"""


async def test_a_campaign_that_another_process_sends_is_refused_until_it_dies(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(path), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    journal = SqliteJournal(path)
    with pytest.raises(ConfigurationError, match="'c' is being sent by another process") as caught:
        await journal.open("c")
    assert not isinstance(caught.value, JournalError)
    with pytest.raises(ConfigurationError, match="is being sent"):
        await journal.purge("c")
    await journal.open("d")  # another campaign of the same file
    await journal.close("d")
    process.kill()
    await process.communicate()
    assert (await journal.open("c")).next_seq == 0
    await journal.close("c")


async def test_two_journals_of_one_process_on_one_file_exclude_each_other(path: Path) -> None:
    first, second = SqliteJournal(path), SqliteJournal(path)
    await first.open("c")
    with pytest.raises(ConfigurationError, match="is being sent"):
        await second.open("c")
    await first.close("c")
    await second.open("c")
    await second.close("c")


async def test_many_who_open_a_new_file_at_once_get_one_owner(path: Path) -> None:
    journals = [SqliteJournal(path) for _ in range(8)]
    results = await asyncio.gather(*(journal.open("c") for journal in journals), return_exceptions=True)
    assert sorted(map(str, map(type, results))) == sorted(map(str, [*[ConfigurationError] * 7, Opened]))
    owner = journals[[isinstance(one, Opened) for one in results].index(True)]
    await owner.close("c")
    others = await asyncio.gather(*(journal.open(f"own {index}") for index, journal in enumerate(journals)))
    assert [one.next_seq for one in others] == [0] * 8
    assert len({one.nonce for one in others}) == 8
    for index, journal in enumerate(journals):
        await journal.close(f"own {index}")


# ------------------------------------------------------------------------------------------------------- the thread


async def test_sqlite_runs_in_one_thread_that_is_not_the_loops(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    commit = Store._commit

    def watched(store: Store, *statement: Any) -> None:
        threads.add(threading.get_ident())
        commit(store, *statement)

    monkeypatch.setattr(Store, "_commit", watched)
    journal = SqliteJournal(path)
    await journal.open("c")
    await asyncio.gather(*(journal.load("c", rows(seq + 1, seq)) for seq in range(20)))
    await journal.close("c", complete=True)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_a_cancelled_call_is_in_the_file_as_a_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SqliteJournal(path)
    await journal.open("c")
    held, go = threading.Event(), threading.Event()
    commit = Store._commit

    def slow(store: Store, *statement: Any) -> None:
        held.set()
        assert go.wait(10)
        commit(store, *statement)

    async def cancelled(call: Any) -> None:
        held.clear()
        go.clear()
        task = asyncio.create_task(call)
        await asyncio.to_thread(held.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()

    monkeypatch.setattr(Store, "_commit", slow)
    monkeypatch.setattr("mensasdk.journal.sqlite.store._MOST_WAITING", 2)
    await cancelled(journal.load("c", rows(3)))
    assert (await journal.progress("c"))[State.PENDING] == 3
    await cancelled(journal.claim("c", 0, 3))
    assert (await journal.progress("c"))[State.PENDING] == 3
    await cancelled(journal.claim("c", 0, 3, seqs=[0, 2]))
    assert (await journal.progress("c"))[State.PENDING] == 3
    claim = await journal.claim("c", 0, 3)
    assert len(claim.rows) == 3
    await cancelled(journal.reroute("c", claim, [1], "other"))
    assert [record.vendor for record in await journal.read("c")] == [None, "other", None]
    await cancelled(journal.settle("c", claim, accepted(3)))
    assert (await journal.progress("c"))[State.ACCEPTED] == 3
    await journal.close("c")


async def test_a_claim_that_is_undone_leaves_the_rows_of_others_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk that is handed out twice: the second claim gets nothing, and undoing it frees nothing."""
    journal = SqliteJournal(path)
    await journal.open("c")
    await journal.load("c", rows(3))
    assert len((await journal.claim("c", 0, 3)).rows) == 3
    task = asyncio.create_task(journal.claim("c", 0, 3))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert (await journal.progress("c"))[State.IN_FLIGHT] == 3
    await journal.close("c")
