"""CancelarSMS, ReprogramarSMS and GetReportSMS."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from mensasdk.sandbox import Sandbox
from sandbox.caller import Caller

LATER = "2199-07-01 15:10"
MUCH_LATER = "2199-12-01 15:10"


@pytest.fixture
async def hasty() -> AsyncIterator[Caller]:
    """In this box a scheduled message goes out at once."""
    async with Sandbox(time_scale=0) as box, aiohttp.ClientSession() as session:
        yield Caller(box, session)


async def test_cancelling_gives_the_credits_back(caller: Caller) -> None:
    message_id = (await caller.send("34600000000", "34600000001", Fecha=LATER))["idMensaje"]
    other = await caller.send("34600000002", Fecha=LATER)
    answer = await caller.call("CancelarSMS", Idmensaje=message_id)
    assert answer == {"Res": 2, "IDMENSAJE": message_id, "CRED": 99_999, "CREDR": 2}
    ledger = caller.box.ledger
    assert [message.state for message in ledger.messages] == ["cancelled", "cancelled", "scheduled"]
    assert len(ledger) == ledger.charged == 3
    assert ledger.refunded == 2
    assert (await caller.call("CancelarSMS", Idmensaje=other["idMensaje"]))["Res"] == 1


@pytest.mark.parametrize("function", ["CancelarSMS", "ReprogramarSMS", "GetReportSMS"])
async def test_an_unknown_message_is_minus_two_and_a_missing_id_minus_three(caller: Caller, function: str) -> None:
    assert (await caller.call(function, Idmensaje=1283876988, Fecha=LATER))["Res"] == -2
    answer = await caller.call(function, Fecha=LATER)
    assert answer["Res"] == -3
    assert "Idmensaje" in answer["Error"]


async def test_what_was_sent_cannot_be_cancelled_or_rescheduled(caller: Caller) -> None:
    message_id = (await caller.send("34600000000"))["idMensaje"]
    assert (await caller.call("CancelarSMS", Idmensaje=message_id)) == {"Res": -4, "CRED": 99_999}
    assert (await caller.call("ReprogramarSMS", Idmensaje=message_id, Fecha=LATER))["Res"] == -4


async def test_a_scheduled_message_goes_out_on_the_boxs_time_scale(hasty: Caller) -> None:
    message_id = (await hasty.send("34600000000", Fecha=LATER))["idMensaje"]
    assert (await hasty.call("CancelarSMS", Idmensaje=message_id))["Res"] == -4


async def test_what_was_cancelled_cannot_be_cancelled_or_rescheduled(caller: Caller) -> None:
    message_id = (await caller.send("34600000000", Fecha=LATER))["idMensaje"]
    await caller.call("CancelarSMS", Idmensaje=message_id)
    assert (await caller.call("CancelarSMS", Idmensaje=message_id))["Res"] == -5
    assert (await caller.call("ReprogramarSMS", Idmensaje=message_id, Fecha=LATER))["Res"] == -5
    assert caller.box.ledger.refunded == 1


async def test_rescheduling_moves_every_waiting_message(caller: Caller) -> None:
    message_id = (await caller.send("34600000000", "34600000001", Fecha=LATER))["idMensaje"]
    assert await caller.call("ReprogramarSMS", Idmensaje=message_id, Fecha=MUCH_LATER) == {"Res": 2, "Cred": 99_998}
    moved = {message.scheduled_at for message in caller.box.ledger.messages}
    assert {moment.astimezone(UTC) for moment in moved if moment} == {datetime(2199, 12, 1, 14, 10, tzinfo=UTC)}
    assert (await caller.call("CancelarSMS", Idmensaje=message_id))["Res"] == 2


@pytest.mark.parametrize(
    ("date", "code"), [("pronto", -6), ("2199-13-01 10:00", -6), ("2199-03-31 02:30", -6), ("2022-12-03 11:15", -7)]
)
async def test_a_wrong_new_date_is_minus_six_and_a_past_one_minus_seven(caller: Caller, date: str, code: int) -> None:
    message_id = (await caller.send("34600000000", Fecha=LATER))["idMensaje"]
    assert (await caller.call("ReprogramarSMS", Idmensaje=message_id, Fecha=date)) == {"Res": code, "Cred": 99_999}


async def test_rescheduling_without_a_date_is_minus_three(caller: Caller) -> None:
    message_id = (await caller.send("34600000000", Fecha=LATER))["idMensaje"]
    assert (await caller.call("ReprogramarSMS", Idmensaje=message_id))["Res"] == -3


async def test_a_report_has_one_entry_per_accepted_recipient(caller: Caller) -> None:
    """The last two digits of the number choose the final state; most are delivered."""
    answer = await caller.send("34600000001", "34600000050", "34600000053", "34600000023", "34600000001", "600")
    report = await caller.call("GetReportSMS", Idmensaje=answer["idMensaje"])
    assert (report["Res"], report["Destinatarios"], report["Cred"]) == (1, 4, 99_996)
    assert [(row["Telefono"], row["Resultado"]) for row in report["Informe"]] == [
        ("34600000001", 11),
        ("34600000050", 50),
        ("34600000053", 53),
        ("34600000023", 123),
    ]
    row = report["Informe"][0]
    assert row["Estado"] == "Entregado al Teléfono"
    assert row["Tiempo"] == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["Fecha"])


async def test_a_report_follows_the_life_of_a_message() -> None:
    async with Sandbox(delivery_delay=3600) as box, aiohttp.ClientSession() as session:
        caller = Caller(box, session)
        waiting = (await caller.send("34600000000", Fecha=LATER))["idMensaje"]
        under_way = (await caller.send("34600000000"))["idMensaje"]
        for message_id, state in ((waiting, 1), (under_way, 0)):
            report = await caller.call("GetReportSMS", Idmensaje=message_id)
            assert [row["Resultado"] for row in report["Informe"]] == [state]
    async with Sandbox(delivery_delay=7, time_scale=0) as box, aiohttp.ClientSession() as session:
        caller = Caller(box, session)
        sent = (await caller.send("34600000000", Fecha=LATER))["idMensaje"]
        [row] = (await caller.call("GetReportSMS", Idmensaje=sent))["Informe"]
        assert (row["Fecha"], row["Tiempo"], row["Resultado"]) == ("2199-07-01 15:10:07", 7, 11)


async def test_a_report_covers_a_whole_group(caller: Caller) -> None:
    first = await caller.send("34600000000")
    await caller.send("34600000001", Idmensaje=first["idMensaje"])
    report = await caller.call("GetReportSMS", Idmensaje=first["idMensaje"])
    assert [row["Telefono"] for row in report["Informe"]] == ["34600000000", "34600000001"]


async def test_a_cancelled_message_has_no_report(caller: Caller) -> None:
    message_id = (await caller.send("34600000000", Fecha=LATER))["idMensaje"]
    await caller.call("CancelarSMS", Idmensaje=message_id)
    assert (await caller.call("GetReportSMS", Idmensaje=message_id))["Res"] == -4


async def test_cancelling_a_group_spares_what_has_gone_out(caller: Caller) -> None:
    first = await caller.send("34600000000")
    await caller.send("34600000001", Idmensaje=first["idMensaje"], Fecha=LATER)
    assert (await caller.call("CancelarSMS", Idmensaje=first["idMensaje"]))["Res"] == 1
    assert [message.state for message in caller.box.ledger.messages] == ["sent", "cancelled"]
    report = await caller.call("GetReportSMS", Idmensaje=first["idMensaje"])
    assert [row["Telefono"] for row in report["Informe"]] == ["34600000000"]
    assert (await caller.call("CancelarSMS", Idmensaje=first["idMensaje"]))["Res"] == -4, "the rest was sent"
