"""The file is the fence: other names, other owners, forks, and a file that is not what it was."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mensasdk import ConfigurationError, Message, Outcome, OutcomeKind, SqliteJournal
from mensasdk.errors import JournalError
from mensasdk.journal import Row, State
from mensasdk.journal.sqlite.requests import Way
from mensasdk.journal.sqlite.store import Store
from mensasdk.journal.sqlite.tables import charged


def rows(count: int, start: int = 0) -> list[Row]:
    return [Row(seq, seq.to_bytes(8) * 2, Message(f"+346{seq:08d}", f"hola {seq}")) for seq in range(start, count)]


def ended(kind: OutcomeKind, *seqs: int) -> list[tuple[int, Outcome]]:
    return [(seq, Outcome(kind, rows(seq + 1, seq)[0].message, vendor="test", vendor_id=f"id {seq}")) for seq in seqs]


async def states(journal: SqliteJournal) -> str:
    return "".join(record.state.value[0] for record in await journal.read("c"))


def unlocked(path: Path) -> None:
    """Delete the lock files beside a journal, as somebody might who wants to go on."""
    for lock in path.parent.glob("*.lock"):
        lock.unlink()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
async def journal(path: Path) -> SqliteJournal:
    """Return a journal with campaign c open, and six rows that wait."""
    made = SqliteJournal(path)
    await made.open("c")
    await made.load("c", rows(6))
    return made


# ------------------------------------------------------------------------------------------------------ other names


async def test_links_and_other_ways_to_write_a_path_lead_to_one_journal_and_one_lock(
    journal: SqliteJournal, path: Path
) -> None:
    folder = path.parent
    (folder / "in").mkdir()
    (folder / "link").symlink_to(path)
    (folder / "in" / "link").symlink_to("../link")
    (folder / "door").symlink_to(folder, target_is_directory=True)
    for other in (folder / "link", folder / "in" / "link", folder / "door" / path.name, folder / "in" / ".." / "link"):
        with pytest.raises(ConfigurationError, match="is being sent"):
            await SqliteJournal(other).open("c")
        assert (await SqliteJournal(other).progress("c"))[State.PENDING] == 0, "they wait in memory for their claim"
    assert not [file.name for file in (folder / "in").iterdir() if file.name != "link"]
    await journal.close("c")
    assert await states(SqliteJournal(folder / "door" / "link")) == "pppppp"


async def test_a_link_to_nothing_makes_the_journal_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/journal")
    journal = SqliteJournal(tmp_path / "link")
    await journal.open("c")
    await journal.close("c")
    assert [file.name for file in (tmp_path / "there").iterdir()] == ["journal"]
    assert (tmp_path / "link").is_symlink()


async def test_a_file_with_two_names_is_refused_by_either(journal: SqliteJournal, path: Path) -> None:
    other = path.with_name("other")
    os.link(path, other)
    for name in (path, other):
        with pytest.raises(JournalError, match="several names"):
            await SqliteJournal(name).open("d")
    assert len((await journal.claim("c", 0, 6)).rows) == 6, "who has it open goes on"
    await journal.close("c")
    other.unlink()
    assert await states(SqliteJournal(path)) == "iiiiii"


# ------------------------------------------------------------------------------------------------- somebody's file


def text(path: Path) -> None:
    path.write_text("mine")


def long_text(path: Path) -> None:
    path.write_text("telefono,nombre\n" * 1000)


def empty(path: Path) -> None:
    path.touch()


def database(path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE things (id)")
    made.close()


def database_written_ahead(path: Path) -> None:
    made = sqlite3.connect(path)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("CREATE TABLE things (id)")
    made.close()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def folder(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def seen(path: Path) -> object:
    """Return all that can be seen of a file and of what stands beside it."""
    found = path.stat()
    content = path.read_bytes() if stat.S_ISREG(found.st_mode) else b""
    return found.st_mode, found.st_mtime_ns, found.st_ino, content, [file.name for file in path.parent.iterdir()]


USES: dict[str, Callable[[SqliteJournal], Any]] = {
    "open": lambda journal: journal.open("c"),
    "open what is there": lambda journal: journal.open("c", create=False),
    "campaigns": lambda journal: journal.campaigns(),
    "deliveries": lambda journal: journal.deliveries("test", ["+34600000001"]),
    "read": lambda journal: journal.read("c"),
    "progress": lambda journal: journal.progress("c"),
    "left": lambda journal: journal.left("c", 0, 9),
    "purge": lambda journal: journal.purge("c"),
}


@pytest.mark.parametrize(
    "make", [text, long_text, empty, database, database_written_ahead, pipe, listening, folder, device]
)
async def test_what_is_not_ours_is_refused_by_every_use_and_stays_as_it_was(
    path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    make(path)
    before = seen(path)
    for use in USES.values():
        with pytest.raises(JournalError):
            await use(SqliteJournal(path))
        assert seen(path) == before


async def test_reading_makes_no_file(path: Path) -> None:
    journal = SqliteJournal(path)
    assert await journal.campaigns() == []
    assert await journal.deliveries("test", ["+34600000001"]) == []
    assert await journal.read("c") == []
    assert sum((await journal.progress("c")).values()) == 0
    assert await journal.charged("c") == {}
    assert not await journal.left("c", 0, 9)
    for missing in (journal.purge("c"), journal.open("c", create=False)):
        with pytest.raises(ConfigurationError, match="no campaign"):
            await missing
    assert not list(path.parent.iterdir())


# ------------------------------------------------------------------------------------------------------- two owners


async def test_who_was_taken_over_writes_nothing_more(journal: SqliteJournal, path: Path) -> None:
    """Its lock file was deleted, so that another one could open the campaign."""
    await journal.claim("c", 5, 6)
    await journal.sweep("c")
    await journal.progress("c")  # which puts the rows into the file
    flying = await journal.claim("c", 0, 2, vendor="a")
    unlocked(path)
    other = SqliteJournal(path)
    await other.open("c")
    assert await states(other) == "uupppu"
    sent = [flying.rows, (await other.claim("c", 2, 4)).rows]
    price = {"a": Decimal(1)}
    for call in (
        journal.claim("c", 2, 6),
        journal.reroute("c", flying, [0], "b"),
        journal.settle("c", flying, ended(OutcomeKind.ACCEPTED, 0), charged=price),
        journal.settle("c", flying, ended(OutcomeKind.NOT_SENT, 1)),
        journal.sweep("c"),
        journal.resolve("c", ended(OutcomeKind.NOT_SENT, 5), charged=price),
        journal.close("c", complete=True),
    ):
        with pytest.raises(JournalError, match="taken over"):
            await call
    assert await other.charged("c") == {}
    sent.append((await other.claim("c", 0, 6)).rows)
    assert sorted(row.seq for some in sent for row in some) == list(range(5))
    assert await states(other) == "uuiiiu"
    await other.close("c")
    [info] = await other.campaigns()
    assert not info.complete


async def test_a_charge_alone_holds_only_under_the_word_of_the_owner(journal: SqliteJournal, path: Path) -> None:
    claim = await journal.claim("c", 0, 2)
    await journal.settle("c", claim, ended(OutcomeKind.ACCEPTED, 0, 1), charged={"a": Decimal("0.10")})
    owner = journal._store.opened("c").owner
    way = Way(0, None, None, 1.0)
    [again], [foreign] = (charged(one, way, {"a": Decimal(7)}) for one in (owner, evolve(owner, word="another")))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
            database.execute(*foreign)
        for _ in range(2):  # the second one changes nothing
            database.execute(*again)
    assert await journal.charged("c") == {"a": Decimal("7.10")}
    await journal.close("c")


async def test_what_waits_in_memory_of_who_was_taken_over_does_not_come_into_the_file(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mensasdk.journal.sqlite.store._MOST_WAITING", 8)
    unlocked(path)
    other = SqliteJournal(path)
    assert (await other.open("c")).next_seq == 0
    await other.load("c", [Row(0, b"k" * 16, Message("+34600000099", "otro"))])
    assert await other.claim("c", 0, 1)
    for call in (journal.load("c", rows(12, 6)), journal.claim("c", 0, 6)):
        with pytest.raises(JournalError, match="taken over"):
            await call
    assert [record.number for record in await other.read("c")] == ["+34600000099"]
    await other.close("c")


async def test_of_claims_that_come_together_those_of_a_campaign_that_was_taken_over_fail_alone(
    journal: SqliteJournal, path: Path
) -> None:
    await journal.open("d")
    await journal.load("d", rows(6))
    unlocked(path)
    other = SqliteJournal(path)
    await other.open("c")
    claims = [journal.claim(name, lo, lo + 3) for lo in (0, 3) for name in "cd"]
    told = await asyncio.gather(*claims, return_exceptions=True)
    assert [isinstance(one, JournalError) for one in told] == [True, False, True, False]
    assert len(await journal.read("d", states={State.IN_FLIGHT})) == 6
    await journal.close("d")
    await other.close("c")


async def test_a_request_that_overlaps_another_is_refused_by_the_file(journal: SqliteJournal, path: Path) -> None:
    """Memory would not do it: somebody else may have written with the same word."""
    await journal.claim("c", 1, 3)
    for first, count in ((0, 2), (2, 1), (2, 3), (1, 2), (0, 6)):
        owned = journal._store._open["c"]
        owned.waiting.update({row.seq: row for row in rows(first + count, first)})
        owned.pending.update({hash(row.key): row.seq for row in rows(first + count, first)})
        with pytest.raises(JournalError, match="taken over"):
            await journal.claim("c", first, first + count)
        owned.waiting.clear()
    assert [(one.seq, one.state) for one in await SqliteJournal(path).read("c")] == [
        (seq, State.IN_FLIGHT) for seq in (1, 2)
    ]
    await journal.close("c")


# --------------------------------------------------------------------------------------------- the file goes away


def removed(path: Path) -> None:
    path.unlink()


def renamed(path: Path) -> None:
    path.rename(path.with_name("old"))


def replaced(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


@pytest.mark.parametrize("go", [removed, renamed, replaced])
async def test_nothing_is_claimed_once_the_file_has_gone(
    journal: SqliteJournal, path: Path, go: Callable[[Path], None]
) -> None:
    claim = await journal.claim("c", 0, 2)
    go(path)
    for call in (journal.claim("c", 2, 4), journal.reroute("c", claim, [0], "b")):
        with pytest.raises(JournalError, match="removed, renamed or replaced") as caught:
            await call
        assert not caught.value.retryable
    await journal.settle("c", claim, ended(OutcomeKind.ACCEPTED, 0, 1))
    with pytest.raises(JournalError, match="removed, renamed or replaced"):
        await journal.close("c")
    for use in (USES["open"], USES["campaigns"]):
        if go is not replaced:
            with pytest.raises(JournalError, match="was removed or renamed while it was in use"):
                await use(SqliteJournal(path))
    if go is renamed:
        path.with_name("old").rename(path)
        assert await states(SqliteJournal(path)) == "aapppp"


async def test_a_link_that_leads_elsewhere_meanwhile_is_noticed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("one")
    journal = SqliteJournal(link)
    await journal.open("c")
    await journal.load("c", rows(2))
    await SqliteJournal(tmp_path / "two").open("x")
    link.unlink()
    link.symlink_to("two")
    with pytest.raises(JournalError, match="replaced"):
        await journal.claim("c", 0, 2)


# ------------------------------------------------------------------------------------------------------------- forks


async def run(work: Any) -> int:
    """Run a coroutine in a forked child, and return its exit code."""
    child = os.fork()
    if child == 0:
        code = 9
        try:
            asyncio.set_event_loop(None)
            asyncio.events._set_running_loop(None)
            code = asyncio.run(asyncio.wait_for(work(), 10)) or 0
        except BaseException as error:  # noqa: BLE001 - told by the code
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.slow
async def test_a_forked_child_reads_with_a_connection_of_its_own_and_has_no_campaign(
    journal: SqliteJournal, path: Path
) -> None:
    await journal.claim("c", 0, 2)

    async def child() -> int:
        if await states(journal) != "ii":
            return 1
        try:
            await journal.claim("c", 2, 6)
        except ConfigurationError:
            pass
        else:
            return 2
        try:
            await journal.open("c")
        except ConfigurationError:
            await journal.open("d")
            await journal.close("d")
            return 0
        return 3

    assert await run(child) == 0
    assert len((await journal.claim("c", 2, 6)).rows) == 4
    assert await states(SqliteJournal(path)) == "iiiiii"
    await journal.close("c")
    assert not path.with_name(f"{path.name}-wal").exists()


DIES = """
import asyncio, os, sys, time
from mensasdk import Message, SqliteJournal
from mensasdk.journal import Row
async def main():
    journal = SqliteJournal(sys.argv[1])
    await journal.open("c")
    await journal.load(
        "c", [Row(seq, seq.to_bytes(8) * 2, Message(f"+346{seq:08d}", f"hola {seq}")) for seq in range(6)]
    )
    await journal.claim("c", 0, 2)
    helper = os.fork()
    if helper == 0:
        os.close(1)
        time.sleep(60)
        os._exit(0)
    print(helper, flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""


async def dead(path: Path) -> None:
    """Leave the journal of an owner that was killed; six rows, two of them claimed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, str(path), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    os.kill(int(told), signal.SIGKILL)


@pytest.mark.slow
async def test_a_helper_that_outlives_its_owner_does_not_hold_the_campaign(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    helper = int(await process.stdout.readline())
    await process.wait()
    try:
        os.kill(helper, 0)
        journal = SqliteJournal(path)
        assert (await journal.open("c")).next_seq == 2
        assert await states(journal) == "uu"
        await journal.close("c")
    finally:
        os.kill(helper, signal.SIGKILL)


# ------------------------------------------------------------------------------------------------------------ the WAL


@pytest.mark.slow
async def test_a_file_without_its_wal_is_refused_and_one_with_it_is_not(path: Path) -> None:
    await dead(path)
    wal = path.with_name(f"{path.name}-wal")
    kept = wal.read_bytes()
    wal.unlink()
    for use in (USES["open"], USES["campaigns"]):
        with pytest.raises(JournalError, match="not whole"):
            await use(SqliteJournal(path))
    assert not wal.exists()
    wal.write_bytes(kept)
    assert await states(SqliteJournal(path)) == "ii"
    assert not wal.exists(), "whoever closes it last brings it all into the file"
    assert (await SqliteJournal(path).open("c")).next_seq == 2


@pytest.mark.slow
@pytest.mark.parametrize("index", [True, False])
async def test_a_wal_that_lost_something_is_refused(path: Path, index: bool) -> None:
    await dead(path)
    wal, shm = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    kept, kept_index = wal.read_bytes(), shm.read_bytes()
    frame = 4096 + 24
    damages = [kept[:at] + bytes([kept[at] ^ 4]) + kept[at + 1 :] for at in range(20, len(kept) - 2 * frame, 2000)]
    if index:  # without it nobody can know what stood at the end
        damages += [kept[:end] for end in range(0, len(kept), frame // 2)]
        damages += [kept[:-9] + b"\xff" + kept[-8:]]
    for damaged in damages:
        if damaged[:4] == kept[:4] and damaged[frame:] == b"":
            continue
        wal.write_bytes(damaged)
        shm.write_bytes(kept_index) if index else shm.unlink(missing_ok=True)
        with pytest.raises(JournalError, match=r"damaged|not whole"):
            await SqliteJournal(path).campaigns()
        assert wal.read_bytes() == damaged


async def test_a_copy_of_a_closed_file_is_whole(journal: SqliteJournal, path: Path) -> None:
    await journal.claim("c", 0, 2)
    await journal.close("c")
    shutil.copy(path, path.with_name("copy"))
    assert await states(SqliteJournal(path.with_name("copy"))) == "iipppp"


async def test_two_who_have_the_file_open_leave_it_whole_whoever_ends_first(journal: SqliteJournal, path: Path) -> None:
    other = SqliteJournal(path)
    await other.open("d")
    await journal.close("c")
    shutil.copy(path, path.with_name("copy"))
    with pytest.raises(JournalError, match="not whole"):
        await SqliteJournal(path.with_name("copy")).campaigns()
    await other.close("d")
    shutil.copy(path, path.with_name("copy"))
    assert await states(SqliteJournal(path.with_name("copy"))) == "pppppp"


async def test_a_mark_that_could_not_be_taken_away_does_no_harm(journal: SqliteJournal, path: Path) -> None:
    await journal._thread.do(lambda store: store._connect().execute("PRAGMA query_only = ON"))
    with pytest.raises(JournalError, match="readonly"):
        await journal.close("c")
    again = SqliteJournal(path)
    await again.open("c")
    await again.close("c")
    shutil.copy(path, path.with_name("copy"))
    assert (await SqliteJournal(path.with_name("copy")).open("c")).next_seq == 0


# ------------------------------------------------------------------------------------------------------ what is owed


@pytest.mark.slow
async def test_what_is_owed_at_the_end_waits_together_for_the_disk_and_is_unknown_if_it_stays_locked(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mensasdk.journal.sqlite.journal._WAITS", (0.01, 0.01))
    write, writes = Store.write, 0

    def counted(store: Store, steps: Any) -> None:
        nonlocal writes
        writes += 1
        write(store, steps)

    journal = SqliteJournal(path, busy_timeout=0.05)
    await journal.open("c")
    await journal.load("c", rows(20))
    claims = [await journal.claim("c", seq, seq + 1) for seq in range(20)]
    monkeypatch.setattr(Store, "write", counted)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    settling = [journal.settle("c", claim, ended(OutcomeKind.ACCEPTED, seq)) for seq, claim in enumerate(claims)]
    told = await asyncio.gather(*settling, return_exceptions=True)
    assert all(isinstance(one, JournalError) and one.retryable for one in told)
    assert writes < 20, "they wait together, and not one after the other"
    with pytest.raises(JournalError, match="locked"):
        await journal.close("c")
    assert "20 outcomes of campaign c" in caplog.text
    other.close()
    again = SqliteJournal(path)
    await again.open("c")
    assert await states(again) == "u" * 20
    await again.close("c")


async def test_once_the_time_for_what_is_owed_is_over_nothing_waits_and_then_all_is_as_before(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mensasdk.journal.sqlite.journal._OWED", 0.0)
    journal = SqliteJournal(path, busy_timeout=3600.0)
    await journal.open("c")
    await journal.load("c", rows(2))
    claim = await journal.claim("c", 0, 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="locked"):
        await journal.settle("c", claim, ended(OutcomeKind.ACCEPTED, 0))
    other.close()
    await journal.settle("c", claim, ended(OutcomeKind.ACCEPTED, 0))
    assert journal._store.deadline is None
    assert await journal.claim("c", 1, 2)
    await journal.close("c")
    assert await states(SqliteJournal(path)) == "ai"


# ---------------------------------------------------------------------------------------------------------- a kept file


KEPT = Path(__file__).with_name("kept")


@pytest.mark.parametrize("name", sorted(file.name for file in KEPT.glob("*.sqlite")))
async def test_a_journal_of_an_earlier_version_is_read_and_taken_up(path: Path, name: str) -> None:
    """`make_kept.py` beside the files says what is in them."""
    shutil.copy(KEPT / name, path)
    journal = SqliteJournal(path)
    [info] = await journal.campaigns()
    assert (info.name, info.complete) == ("kept", True)
    found = await journal.read("kept")
    assert "".join(record.state.value[0] for record in found) == "arupi"
    assert found[0].outcome is not None
    assert (found[0].outcome.vendor_id, found[0].number, found[3].message.text) == ("id 0", "+34600000000", "hola 3")
    assert [record.message.place for record in found] == [2, 3, 4, 5, 6]
    assert await journal.charged("kept") == {"test": Decimal("0.1350"), "other": Decimal(3)}
    [report] = await journal.deliveries("test", ["+34600000000"])
    assert report.vendor_id == "id 0"
    assert (await journal.open("kept")).next_seq == 5
    assert "".join(record.state.value[0] for record in await journal.read("kept")) == "arupu"
    assert [row.seq for row in (await journal.claim("kept", 0, 5)).rows] == [3]
    await journal.close("kept")
