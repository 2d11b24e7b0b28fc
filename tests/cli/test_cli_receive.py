"""``mensasdk receive`` keeps what the vendors call back with, and ``mensasdk deliveries`` counts it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cli_support import invoke, receiving, run, write_people, write_rows
from rich.console import Console

from mensasdk.cli.work.receive import Count, Guard, TogetherJournal
from mensasdk.delivery import DeliveryLog
from mensasdk.errors import JournalError
from mensasdk.journal import SqliteJournal
from mensasdk.messages import Delivery, DeliveryState
from mensasdk.registry import vendor_info
from mensasdk.sandbox import Sandbox

CANARY = "canary-9c41e7"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def send(box: Sandbox, people: Path, journal: Path, *more: str) -> None:
    ended = await run("send", people, *more, "--text", "Hola", "--campaign", "julio", "--journal", journal, box=box)
    assert ended.code == 0, ended.err


async def deliveries(journal: Path) -> dict[str, Any]:
    ended = await run("deliveries", "julio", "--journal", journal, "--json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


@pytest.mark.slow
async def test_mensateks_reports_are_kept_beside_the_campaign_and_counted(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    people = write_people(tmp_path / "people.csv", 30)
    async with receiving("mensatek", journal) as receiver:
        told = await receiver.ready()
        assert f"{journal} (new)" in receiver.said
        box.callbacks(told["address"], vendor="mensatek", auth=(told["user"], told["password"]))
        await send(box, people, journal, "--vendor", "mensatek", "--report")
        await box.drain()
        assert box.ledger.callbacks_failed == 0
        ended = await receiver.stop()
    assert (ended.code, ended.out) == (0, "")
    assert f"{box.ledger.callbacks_delivered} reports · " in ended.err
    assert ended.err.count(told["password"]) == 1
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600  # noqa: ASYNC240
    found = (await deliveries(journal))["vendors"]["mensatek"]
    assert (found["total"], found["no_report"]) == (30, 0)
    assert found["delivered"] > 0
    output = tmp_path / "deliveries.csv"
    ended = await run("deliveries", "julio", "--journal", journal, "--output", output)
    assert ended.code == 0
    words = ended.out.splitlines()[-3].split()
    assert (words[0], words[1], words[-2:]) == ("mensatek", str(found["delivered"]), ["0", "30"])
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["number"] for row in rows} == {f"'+{34600000000 + index}" for index in range(30)}
    assert sum(row["delivery"] == "delivered" for row in rows) == found["delivered"]
    assert all(row["outcome"] == "accepted" and row["vendor_id"] and row["delivery_at"] for row in rows)
    assert "34600" not in ended.out


@pytest.mark.slow
async def test_smsgateway24_calls_a_secret_address(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    people = write_rows(tmp_path / "people.csv", ["+34600000001,Ana", "+34600000002,Bea"])
    async with receiving("smsgateway24", journal) as receiver:
        told = await receiver.ready()
        box.callbacks(told["address"], vendor="smsgateway24")
        await send(box, people, journal, "--vendor", "smsgateway24", "--device-id", "260")
        await box.drain()
        box.callbacks(told["address"].rpartition("/")[0] + "/guess", vendor="smsgateway24")
        assert not await box.post_callback("smsgateway24", {"sms_id": "1"})
        ended = await receiver.stop()
    assert ended.code == 0
    assert (await deliveries(journal))["vendors"]["smsgateway24"]["no_report"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("place", ["environment", "file"])
@pytest.mark.parametrize("vendor", ["mensatek", "smsgateway24"])
async def test_a_secret_of_ones_own_is_used_and_never_shown(
    box: Sandbox, tmp_path: Path, journal: Path, vendor: str, place: str
) -> None:
    settings = {"callback_user": "vendor", "callback_password": CANARY} if vendor == "mensatek" else {
        "callback_secret": CANARY
    }  # fmt: skip
    path = tmp_path / "credentials.toml"
    lines = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    path.write_text(f"[{vendor}]\n{lines}")
    path.chmod(0o600)
    variables = {f"MENSASDK_{vendor}_{name}".upper(): value for name, value in settings.items()}
    more = ("--credentials", path) if place == "file" else ()
    async with receiving(vendor, journal, *more, **({} if place == "file" else variables)) as receiver:
        told = await receiver.ready()
        if vendor == "mensatek":
            assert (told["user"], told["password"]) == ("vendor", "(yours)")
            box.callbacks(told["address"], vendor="mensatek", auth=("vendor", CANARY))
            fields = {"Servicio": "SMS", "Resultado": "11", "Movil": "34600000001", "idMensaje": "5"}
        else:
            box.callbacks(told["address"].replace("(your secret)", CANARY), vendor=vendor)
            fields = {"sms_id": "5", "status_id": "7", "phone": "+34600000001"}
        assert await box.post_callback(vendor, fields)
        ended = await receiver.stop()
    assert ended.code == 0
    assert CANARY not in ended.out + ended.err
    assert "1 report · 1 delivered" in ended.err
    assert "34600" not in ended.err
    (kept,) = await SqliteJournal(journal).deliveries(vendor, {"+34600000001"})
    assert (kept.vendor_id, kept.state) == ("5", DeliveryState.DELIVERED)


@pytest.mark.parametrize("vendor", ["mensatek", "smsgateway24"])
def test_asked_for_it_is_not_shown_either(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], vendor: str
) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: CANARY)
    callbacks = vendor_info(vendor).callbacks
    assert callbacks is not None
    guard = Guard.find(callbacks, {}, prompt=True)
    assert CANARY in (guard.password, guard.path_secret)
    assert CANARY not in repr(guard) + str(guard.told("http://127.0.0.1:1/"))
    captured = capsys.readouterr()
    assert CANARY not in captured.out + captured.err


def test_what_is_made_up_is_new_each_time() -> None:
    callbacks = vendor_info("mensatek").callbacks
    assert callbacks is not None
    assert len({Guard.find(callbacks, {}, prompt=False).password for _ in range(10)}) == 10


@pytest.mark.parametrize(("vendor", "how"), [("envia_sms", "get_status"), ("enviatusms", "get_campaign")])
def test_a_vendor_that_calls_nobody_is_2_and_says_how_to_ask_it(journal: Path, vendor: str, how: str) -> None:
    ended = invoke("receive", "--vendor", vendor, "--journal", journal)
    assert ended.exit_code == 2
    assert f"{vendor} calls nobody back" in ended.stderr
    assert how in ended.stderr
    assert not journal.exists()


@pytest.mark.slow
async def test_what_cannot_work_is_2(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    people = write_people(tmp_path / "people.csv", 1)
    for arguments, part in (
        (("--journal", journal, "--port", str(box.port)), f"cannot listen on 127.0.0.1, port {box.port}"),
        (("--journal", journal, "--allow-from", "somewhere"), "--allow-from has a wrong address"),
    ):
        ended = await run("receive", "--vendor", "mensatek", *arguments)
        assert ended.code == 2, ended.err
        assert part in ended.err
        assert "Traceback" not in ended.err
    ended = await run("receive", "--vendor", "mensatek", "--journal", people)
    assert ended.code == 5, ended.err
    assert "not a database" in ended.err


@pytest.mark.slow
async def test_what_no_campaign_has_is_kept_and_counted_by_none(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    await send(box, write_people(tmp_path / "people.csv", 3), journal, "--vendor", "mensatek")
    await SqliteJournal(journal).deliver(
        [Delivery("mensatek", "999", number="+34600000000", state=DeliveryState.DELIVERED, code="11")]
    )
    found = await deliveries(journal)
    assert (found["total"], found["vendors"]["mensatek"]["no_report"]) == (3, 3)
    ended = await run("deliveries", "julio", "--journal", journal)
    assert "no report" in ended.out


def test_before_anything_went_out_there_is_nothing_to_count(journal: Path) -> None:
    async def begin() -> None:
        held = SqliteJournal(journal)
        await held.open("julio")
        await held.close("julio")

    asyncio.run(begin())
    ended = invoke("deliveries", "julio", "--journal", journal)
    assert (ended.exit_code, ended.stdout) == (0, "Nothing of julio has gone out.\n")


# ----------------------------------------------------------------------------------------------- counting, together


async def test_what_is_no_report_is_counted_apart() -> None:
    class Report:
        def to_delivery(self) -> Delivery:
            return Delivery("mensatek", "1", number="+34600000001", state=DeliveryState.EXPIRED, code="53")

    count = Count()
    kept: list[Delivery] = []

    class Memory(SqliteJournal):
        async def deliver(self, deliveries: Sequence[Delivery]) -> int:
            kept.extend(deliveries)
            return len(deliveries)

    handle = count.handler(DeliveryLog(Memory("unused.sqlite")))
    await handle(Report())
    await handle("a received message")
    assert len(kept) == 1
    shown = io.StringIO()
    Console(file=shown, width=200).print(count.line)
    assert "1 report · 0 delivered · 0 failed · 1 expired or cancelled · 0 on the way · 1 received" in shown.getvalue()


async def test_reports_that_come_together_are_written_together_and_all_of_them(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    original = SqliteJournal.deliver

    async def counting(self: SqliteJournal, deliveries: Sequence[Delivery]) -> int:
        written.append(len(deliveries))
        return await original(self, deliveries)

    monkeypatch.setattr(SqliteJournal, "deliver", counting)
    together = TogetherJournal(journal)
    numbers = [f"+346{index:08}" for index in range(50)]
    await asyncio.gather(
        *(
            together.deliver([Delivery("mensatek", "1", number=number, state=DeliveryState.SENT, code="")])
            for number in numbers
        )
    )
    assert sum(written) == 50
    assert len(written) <= 2
    assert {one.number for one in await together.deliveries("mensatek", numbers)} == {*numbers}


async def test_a_failure_to_write_reaches_everybody_who_waits_and_the_next_one_may_succeed(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the vendor would hear 200 for what is not kept."""
    original = SqliteJournal.deliver

    async def failing(self: SqliteJournal, deliveries: Sequence[Delivery]) -> int:
        raise JournalError("the disk is full")

    report = Delivery("mensatek", "1", number="+34600000001", state=DeliveryState.SENT, code="")
    together = TogetherJournal(journal)
    monkeypatch.setattr(SqliteJournal, "deliver", failing)
    ended = await asyncio.gather(*(together.deliver([report]) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in ended] == [JournalError] * 3
    monkeypatch.setattr(SqliteJournal, "deliver", original)
    assert await together.deliver([report]) == 1
