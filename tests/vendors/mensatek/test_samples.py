"""The samples that the vendor's documents print, byte for byte, and those that follow from its schema."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from attrs import evolve
from shared import next_year

from mensasdk import DecodeError, MensatekClient
from mensasdk.vendors.mensatek import SendResult

from .support import NUMBER, TYPES, Format, Literally

SENT = SendResult(
    accepted=1,
    message_id="27184020",
    recipients=1,
    messages=1,
    not_sent=0,
    credits_used=Decimal(9),
    credits_left=Decimal("19808.45"),
)
SENT_TXT = evolve(SENT, message_id="123456789", credits_left=Decimal("12345.67"))

SEND_SAMPLES: dict[str, tuple[Format, bytes, SendResult]] = {
    "5.8 JSON": (
        "json",
        (
            b'{ "Res":1, "Msgid":27184020, "Cred":19808.45, "Mensajes":1, "Destinatarios":1, "NoEnviados":0, '
            b'"CreditosUsados":9 }'
        ),
        SENT,
    ),
    "5.8 TXT": (
        "txt",
        b"Res:1;\nMsgid:123456789;\nCred:12345.67;\nMensajes:1;\nDestinatarios:1;\nNoEnviados:0;\nCreditosUsados:9;\n",
        SENT_TXT,
    ),
    "5.8 XML": (
        "xml",
        (
            b'<?xml version="1.0"?>\n<result>\n <Res>1</Res><Msgid>123456789</Msgid><Cred>12345.67</Cred>'
            b"<Mensajes>1</Mensajes>\n <Destinatarios>1</Destinatarios><NoEnviados>0</NoEnviados>"
            b"<CreditosUsados>9</CreditosUsados>\n</result>\n"
        ),
        SENT_TXT,
    ),
    "7.0 JSON, from its schema": (
        "json",
        (
            b'[{"Res":2,"Destinatarios":2,"Msgid":27184020,"idMensaje":27184020,"Cred":19808.45,"Mensajes":2,'
            b'"NoEnviados":0,"CreditosUsados":18}]'
        ),
        evolve(SENT, accepted=2, recipients=2, messages=2, credits_used=Decimal(18)),
    ),
    "7.0 JSON, recipients as an array": (
        "json",
        (
            b'[{"Res":1,"Destinatarios":[{"Movil":"34600000000"}],"Msgid":27184020,"idMensaje":27184020,'
            b'"Cred":19808.45,"Mensajes":1,"NoEnviados":0,"CreditosUsados":9}]'
        ),
        SENT,
    ),
}


@pytest.mark.parametrize(("answer_format", "body", "expected"), SEND_SAMPLES.values(), ids=SEND_SAMPLES)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
async def test_the_documents_samples_of_a_send(
    answer_format: Format, body: bytes, expected: SendResult, newline: bytes
) -> None:
    async with (
        Literally(body.replace(b"\n", newline), TYPES[answer_format]) as server,
        server.client(answer_format) as client,
    ):
        result = await client.send_sms([NUMBER], "Hola")
    assert result == expected


Ask = Callable[[MensatekClient], Awaitable[object]]


async def cancel(client: MensatekClient) -> object:
    result = await client.cancel_sms("345678923")
    return result.cancelled, result.message_id, result.credits_left, result.credits_recovered


async def move(client: MensatekClient) -> object:
    result = await client.reschedule_sms("345678923", datetime(next_year(), 7, 1, tzinfo=UTC))
    return result.rescheduled, result.credits_left


async def report(client: MensatekClient) -> object:
    result = await client.get_report("345678923")
    lines = [
        (line.at.isoformat() if line.at else None, line.seconds, line.number, int(line.status), line.status_text)
        for line in result.lines
    ]
    return result.recipients, result.credits_left, lines


async def upload(client: MensatekClient) -> object:
    return (await client.upload_file(b"%PDF", name="a.pdf")).name


async def credits_left(client: MensatekClient) -> object:
    return await client.get_credits()


REPORTED = (1, Decimal("12345.67"), [("2015-03-15T14:58:00+01:00", 2, "34612345678", 11, "Entregado al teléfono")])

SAMPLES: dict[str, tuple[Ask, Format, str, object]] = {
    "5.8 cancel JSON": (
        cancel,
        "json",
        '{ "Resp":"1", "Msgid":"345678923", "Cred":"12345.67", "CredR":"200" }',
        (1, "345678923", Decimal("12345.67"), Decimal(200)),
    ),
    "5.8 cancel TXT": (
        cancel,
        "txt",
        "Resp:1;\nMsgid:345678923;\nCred:12345.67;\nCredR:200;\n",
        (1, "345678923", Decimal("12345.67"), Decimal(200)),
    ),
    "7.0 cancel, from its schema": (
        cancel,
        "json",
        '[{"Res":1,"IDMENSAJE":345678923,"CRED":12345.67,"CREDR":200}]',
        (1, "345678923", Decimal("12345.67"), Decimal(200)),
    ),
    "5.8 reschedule JSON, with its trailing comma": (
        move,
        "json",
        '{"Resp":"1","Cred":"12345.67",}',
        (1, Decimal("12345.67")),
    ),
    "5.8 reschedule TXT": (move, "txt", "Resp:1;\nCred:12345.67;\n", (1, Decimal("12345.67"))),
    "5.8 credits JSON": (credits_left, "json", '{"Cred":"12345.67"}', Decimal("12345.67")),
    "5.8 credits TXT": (credits_left, "txt", "Cred:12345.67;\n", Decimal("12345.67")),
    "5.8 credits, Spanish": (credits_left, "txt", "Res:1;\nCred: 12.345,67;\n", Decimal("12345.67")),
    "7.0 credits as a client's author met them": (
        credits_left,
        "txt",
        "Saldo:14970,00;Res:1;",
        Decimal(14970),
    ),
    "5.8 report JSON": (
        report,
        "json",
        (
            '{ "Cred":"12345.67", "Res":1, "Destinatarios":1,\n  "Informe":[ {"Fecha":"2015-04-30 14:58:00",'
            '"Tiempo":"0","Telefono":"34612345678","Resultado":"11","Estado":"Entregado al teléfono"} ] }'
        ),
        (1, Decimal("12345.67"), [("2015-04-30T14:58:00+02:00", 0, "34612345678", 11, "Entregado al teléfono")]),
    ),
    "5.8 report TXT": (
        report,
        "txt",
        (
            "Cred:12345.67;\nRes:1;\nDestinatarios:1;\nInforme:\n[\n0: [\nFecha:2015-03-15 14:58:00;\nTiempo:2;\n"
            "Telefono:34612345678;\nResultado:11;\nEstado:Entregado al teléfono;\n]\n]\n"
        ),
        REPORTED,
    ),
    "5.8 report XML": (
        report,
        "xml",
        (
            '<?xml version="1.0"?>\n<result>\n  <Cred>12345.67</Cred><Res>1</Res><Destinatarios>1</Destinatarios>\n'
            "  <Informe><item0>\n    <Fecha>2015-03-15 14:58:00</Fecha><Tiempo>2</Tiempo>"
            "<Telefono>34612345678</Telefono>\n    <Resultado>11</Resultado><Estado>Entregado al teléfono</Estado>\n"
            "  </item0></Informe>\n</result>\n"
        ),
        REPORTED,
    ),
    # The document writes this one with single quotes, which no format has; here it is as JSON.
    "7.0 report": (
        report,
        "json",
        "[{'Res':1,'Destinatarios':2,'Cred':5,'Informe':[{'Fecha':'2021-09-04 19:37:21','Tiempo':3,"
        "'Telefono':'34601234567','Resultado':11,'Estado':'Entregado al Teléfono'},{'Fecha':'2021-09-04 19:37:27',"
        "'Tiempo':3,'Telefono':'34656789012','Resultado':11,'Estado':'Entregado al Teléfono'}]}]".replace("'", '"'),
        (
            2,
            Decimal(5),
            [
                ("2021-09-04T19:37:21+02:00", 3, "34601234567", 11, "Entregado al Teléfono"),
                ("2021-09-04T19:37:27+02:00", 3, "34656789012", 11, "Entregado al Teléfono"),
            ],
        ),
    ),
    "5.8 upload JSON": (upload, "json", '{"Res":"1","Nombre":"nuevonombre.pdf"}', "nuevonombre.pdf"),
}


@pytest.mark.parametrize(("ask", "answer_format", "body", "expected"), SAMPLES.values(), ids=SAMPLES)
async def test_the_documents_samples_of_the_other_functions(
    ask: Ask, answer_format: Format, body: str, expected: object
) -> None:
    async with Literally(body.encode(), TYPES[answer_format]) as server, server.client(answer_format) as client:
        assert await ask(client) == expected


async def test_the_sample_with_single_quotes_as_printed_is_an_error_and_no_crash() -> None:
    body = b"[{'Res':1,'Destinatarios':1,'Informe':[]}]"
    async with Literally(body) as server, server.client() as client:
        with pytest.raises(DecodeError):
            await client.get_report("5")


async def test_a_generated_sample_with_success_and_error_at_once_goes_by_the_result() -> None:
    """The vendor's generated XML samples show every field, so an error text beside a good result means nothing."""
    body = (
        b'<?xml version="1.0"?>\n<result>\n  <Res>10</Res><Error>Falta par&#xE1;metro obligatorio</Error>'
        b"<idMensaje>108366478</idMensaje><Destinatarios><item0><Nombre>Pedro P&#xE9;rez</Nombre>"
        b"<IDMENSAJE>108366478</IDMENSAJE></item0></Destinatarios><Cred>12000</Cred><Enviados>2</Enviados>"
        b"<NoEnviados>0</NoEnviados><Duplicados>0</Duplicados><CreditosUsados>18</CreditosUsados>\n</result>"
    )
    async with Literally(body) as server, server.client("xml") as client:
        result = await client.send_sms([NUMBER], "Hola")
    assert (result.accepted, result.message_id, result.recipients, result.duplicates) == (10, "108366478", 1, 0)
    assert result.raw["Error"] == "Falta parámetro obligatorio"
