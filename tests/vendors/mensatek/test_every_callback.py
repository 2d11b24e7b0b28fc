"""Over a socket: each callback field that the document names, and each status that a delivery report may have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import define, field

from mensasdk import DeliveryState
from mensasdk.delivery import DeliveryReceiver
from mensasdk.sandbox import Sandbox
from mensasdk.vendors.mensatek import DeliveryReport, ReceivedSms, StatusCode, parse_callback

from .test_callbacks import RECEIVED, REPORT
from .test_codes import DOCUMENTED
from .test_every_name import EXPECTED_STATUSES, described

MADRID = ZoneInfo("Europe/Madrid")
every_callback_form = pytest.mark.parametrize("form", ["json", "form", "multipart"])


@define
class Inbox:
    """A receiver's application: keeps what comes."""

    values: list[DeliveryReport | ReceivedSms] = field(factory=list)

    async def store(self, value: DeliveryReport | ReceivedSms) -> None:
        self.values.append(value)

    async def receive(self, box: Sandbox, form: Any, *callbacks: Mapping[str, Any]) -> None:
        """Post the callbacks to a receiver with Basic authentication; each must be answered with 200."""
        receiver = DeliveryReceiver(parse_callback, self.store, user="usuario", password="contraseña")
        async with receiver.serve() as url:
            box.callbacks(url + "mensatek", vendor="mensatek", auth=("usuario", "contraseña"), format=form)
            for fields in callbacks:
                assert await box.post_callback("mensatek", fields)


@every_callback_form
async def test_each_field_of_a_delivery_report_arrives(box: Sandbox, form: Any) -> None:
    """The document's sample; but its recipient is an e-mail address there."""
    inbox = Inbox()
    await inbox.receive(box, form, REPORT)
    assert inbox.values == [
        DeliveryReport(
            service="SMSMASIVO",
            status=StatusCode.DELIVERED_11,
            sender="TUEMPRESA",
            number="34600000000",
            at=datetime(2020, 12, 3, 11, 14, 24, tzinfo=MADRID),
            seconds=3,
            message_id="10573758",
            reference="Su referencia si la indicó",
            report_id="1234567890",
        )
    ]


@every_callback_form
async def test_each_field_of_a_received_sms_arrives(box: Sandbox, form: Any) -> None:
    inbox = Inbox()
    await inbox.receive(box, form, RECEIVED, {**RECEIVED, "EsCert": "false"})
    expected = {
        "service": "SMSRECIBIDO",
        "received_at": datetime(2022, 10, 3, 11, 12, 9, tzinfo=UTC),
        "operator_time": datetime(2020, 12, 3, 11, 14, 24, tzinfo=MADRID),
        "number": "34600000000",
        "sender": "MIEMPRESA",
        "text": "MIEMPRESA",
        "internal_id": "56399876",
        "message_id": "78334454",
        "reference": "667887TR",
    }
    assert inbox.values == [
        ReceivedSms(**expected, certified=True),  # type: ignore[arg-type]
        ReceivedSms(**expected, certified=False),  # type: ignore[arg-type]
    ]


@every_callback_form
async def test_each_status_is_read_from_a_delivery_report(box: Sandbox, form: Any) -> None:
    inbox = Inbox()
    await inbox.receive(box, form, *({**REPORT, "Resultado": str(code)} for code in DOCUMENTED))
    reports = [value for value in inbox.values if isinstance(value, DeliveryReport)]
    assert {int(report.status): described(report.status) for report in reports} == EXPECTED_STATUSES
    assert [(delivery.code, delivery.state) for delivery in (report.to_delivery() for report in reports)] == [
        (str(code), state) for code, (_, state, _, _) in DOCUMENTED.items()
    ]


@every_callback_form
@pytest.mark.parametrize("code", [160, 180, 181, 190, 195])
async def test_variables_come_with_each_contract_status_that_has_them(box: Sandbox, form: Any, code: int) -> None:
    inbox = Inbox()
    variables = {"Variable_1": "Íñigo", "n": 5}
    await inbox.receive(box, form, {**REPORT, "Resultado": str(code), "Variables": json.dumps(variables)})
    [report] = inbox.values
    assert isinstance(report, DeliveryReport)
    assert (report.status, report.variables) == (code, variables)


OLD_REPORT = {
    "Resultado": "200",
    "Remitente": "YO",
    "Movil": "34600000000",
    "Fecha": "20150715145800",
    "Segundos": "2",
    "idEnvio": "27184020",
    "Referencia": "pedido 7",
}


@every_callback_form
async def test_a_delivery_report_of_version_5_arrives(box: Sandbox, form: Any) -> None:
    inbox = Inbox()
    renamed = {"idEnvio": "Msgid", "Movil": "Telefono", "Segundos": "Tiempo"}
    await inbox.receive(box, form, OLD_REPORT, {renamed.get(name, name): value for name, value in OLD_REPORT.items()})
    expected = DeliveryReport(
        status=StatusCode(200),
        sender="YO",
        number="34600000000",
        at=datetime(2015, 7, 15, 14, 58, tzinfo=MADRID),
        seconds=2,
        message_id="27184020",
        reference="pedido 7",
    )
    assert inbox.values == [expected, expected]
    assert expected.to_delivery().state is DeliveryState.FAILED
