"""Answers as they come: with every quirk, contradictory, broken, in other encodings, and the documents' samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from served import Answer
from shared import check_plain, next_year

from mensasdk import (
    AmbiguousResponse,
    DecodeError,
    MensaError,
    OutcomeKind,
    StateConflict,
    UnexpectedResponse,
)
from mensasdk.sandbox import Mensatek, Quirks, Sandbox
from mensasdk.vendors.mensatek import ReportLine, SendResult, StatusCode

from .support import FORMATS, NUMBER, TYPES, Format, Literally, caught, connect

MADRID = ZoneInfo("Europe/Madrid")
every_format = pytest.mark.parametrize("answer_format", FORMATS)

# --------------------------------------------------------------------------------------------------------- quirks

QUIRKS = {
    "none": Quirks(),
    "bare_object": Quirks(bare_object=True),
    "upper": Quirks(keys_case="upper"),
    "lower": Quirks(keys_case="lower"),
    "numbers_as_strings": Quirks(numbers_as_strings=True),
    "spanish_decimals": Quirks(spanish_decimals=True),
    "res_as_resp": Quirks(res_as_resp=True),
    "saldo_for_cred": Quirks(saldo_for_cred=True),
    "junk_around_json": Quirks(junk_around_json=True),
    "trailing_comma": Quirks(trailing_comma=True),
    "wrong_content_type": Quirks(wrong_content_type=True),
    "latin1": Quirks(latin1=True),
    "bom": Quirks(bom=True),
    "CR": Quirks(txt_newline="\r"),
    "LF": Quirks(txt_newline="\n"),
    "msgid_only": Quirks(msgid_only=True),
    "destinatarios_as_list": Quirks(destinatarios_as_list=True),
    "query_breaks_auth": Quirks(query_breaks_auth=True),
    "zero_when_all_dropped": Quirks(zero_when_all_dropped=True),
    "all": Quirks.all(),
}


@every_format
@pytest.mark.parametrize("quirks", QUIRKS.values(), ids=QUIRKS)
async def test_whatever_the_spelling_of_an_answer_it_says_the_same(answer_format: Format, quirks: Quirks) -> None:
    async with Sandbox(mensatek=Mensatek(quirks=quirks)) as box, connect(box, answer_format=answer_format) as client:
        account = box.mensatek.account
        account.credits, account.price = Decimal("12345.75"), Decimal("1.25")
        account.templates = [("Señal", "Mañana, (Variable_1): 10:30"), ("B", "b")]

        sent = await client.send_sms([NUMBER, NUMBER, "34600000050"], "Hola")
        assert evolve(sent, raw={}) == SendResult(
            accepted=2,
            message_id=box.ledger.messages[0].message_id,
            recipients=2,
            messages=2,
            not_sent=1,
            credits_used=Decimal("2.5"),
            credits_left=Decimal("12343.25"),
        )
        assert sent.message_id is not None
        report = await client.get_report(sent.message_id)
        assert (report.recipients, report.credits_left) == (2, Decimal("12343.25"))
        assert [(line.number, line.status, line.status_text) for line in report.lines] == [
            (NUMBER, StatusCode.DELIVERED_11, "Entregado al Teléfono"),
            ("34600000050", StatusCode.NUMBER_DOES_NOT_EXIST_50, "La Red responde que el teléfono no existe"),
        ]
        assert all(line.at is not None and line.at.tzinfo is not None for line in report.lines)

        when = datetime(next_year(), 7, 1, 9, tzinfo=UTC)
        later = await client.send_sms([NUMBER], "Hola", schedule_at=when)
        assert later.message_id is not None
        moved = await client.reschedule_sms(later.message_id, when.replace(day=2))
        assert (moved.rescheduled, moved.credits_left) == (1, Decimal(12342))
        gone = await client.cancel_sms(later.message_id)
        assert (gone.cancelled, gone.message_id) == (1, later.message_id)
        assert (gone.credits_recovered, gone.credits_left) == (Decimal("1.25"), Decimal("12343.25"))
        with pytest.raises(StateConflict) as raised:
            await client.cancel_sms(later.message_id)
        assert raised.value.code == "-5"

        assert (await client.upload_file(b"%PDF", name="a.pdf")).name == "a.pdf"
        assert [(file.name, file.extension) for file in await client.list_files()] == [("a.pdf", "pdf")]
        await client.delete_file("a.pdf")
        assert await client.get_credits() == Decimal("12343.25")
        assert await client.list_templates() == {"Señal": "Mañana, (Variable_1): 10:30", "B": "b"}
        assert len(box.ledger) == 3


@every_format
async def test_a_send_of_which_nothing_was_taken_says_zero(answer_format: Format) -> None:
    vendor = Mensatek(quirks=Quirks(zero_when_all_dropped=True))
    vendor.account.blacklist.add(NUMBER)
    async with Sandbox(mensatek=vendor) as box, connect(box, answer_format=answer_format) as client:
        sent = await client.send_sms([NUMBER], "Hola")
    assert (sent.accepted, sent.not_sent, sent.message_id) == (0, 1, None)


# -------------------------------------------------------------------------------------------- a thousand recipients


def thousand() -> list[dict[str, Any]]:
    texts = {11: "Entregado al teléfono", 53: 'Caducado <off> & "fuera"', 0: "", 777: "¿?"}
    codes = list(texts)
    return [
        {
            "Fecha": f"2026-0{1 + n % 9}-15 14:{n % 60:02}:00",
            "Tiempo": n % 7,
            "Telefono": str(34600000000 + n),
            "Resultado": codes[n % 4],
            "Estado": texts[codes[n % 4]],
        }
        for n in range(1000)
    ]


def as_json(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps([{"Cred": 12345.67, "Res": 1, "Destinatarios": len(rows), "Informe": rows}]).encode()


def as_xml(rows: list[dict[str, Any]]) -> bytes:
    items = "".join(
        f"<item{n}>" + "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in row.items()) + f"</item{n}>"
        for n, row in enumerate(rows)
    )
    text = (
        '<?xml version="1.0"?>\n<result><Cred>12345.67</Cred><Res>1</Res>'
        f"<Destinatarios>{len(rows)}</Destinatarios><Informe>{items}</Informe></result>"
    )
    return text.encode("ascii", "xmlcharrefreplace")


def as_txt(rows: list[dict[str, Any]]) -> bytes:
    lines = ["Cred:12345.67;", "Res:1;", f"Destinatarios:{len(rows)};", "Informe:", "["]
    for n, row in enumerate(rows):
        lines += [f"{n}: [", *(f"{key}:{value};" for key, value in row.items()), "]"]
    return "\r\n".join([*lines, "]", ""]).encode()


async def test_a_report_of_a_thousand_is_the_same_from_json_xml_and_txt() -> None:
    rows = thousand()
    reports = []
    writers: dict[Format, Callable[[list[dict[str, Any]]], bytes]] = {"json": as_json, "xml": as_xml, "txt": as_txt}
    for answer_format, write in writers.items():
        async with Literally(write(rows), TYPES[answer_format]) as server, server.client(answer_format) as client:
            reports.append(await client.get_report("5"))
    assert reports[0] == reports[1] == reports[2]
    assert reports[0].recipients == len(reports[0].lines) == 1000
    assert reports[0].credits_left == Decimal("12345.67")
    for line, row in zip(reports[0].lines, rows, strict=True):
        assert evolve(line, raw={}) == ReportLine(
            number=row["Telefono"],
            status=StatusCode(row["Resultado"]),
            status_text=row["Estado"],
            at=datetime.fromisoformat(row["Fecha"]).replace(tzinfo=MADRID),
            seconds=row["Tiempo"],
        )


# --------------------------------------------------------------------------------- sends that leave room for doubt

DOUBTFUL: dict[str, tuple[bytes, type[MensaError]]] = {
    "taken, without an id": (b'[{"Res":2,"Destinatarios":2,"Cred":5}]', DecodeError),
    "taken, with an empty id": (b'[{"Res":2,"idMensaje":""}]', DecodeError),
    "taken, with id null": (b'[{"Res":2,"idMensaje":null,"Msgid":null}]', DecodeError),
    "taken, with id 0": (b'[{"Res":2,"idMensaje":0,"Msgid":"0"}]', DecodeError),
    "taken, with id NaN": (b'[{"Res":2,"idMensaje":NaN}]', DecodeError),
    "taken, with a list for an id": (b'[{"Res":2,"idMensaje":[5]}]', DecodeError),
    "one key, two results": (b'[{"Res":1,"Res":-2,"idMensaje":5}]', AmbiguousResponse),
    "one key, two results, the good one last": (b'[{"Res":-2,"Res":1,"idMensaje":5}]', AmbiguousResponse),
    "two spellings, two results": (b'[{"Res":1,"RES":-2,"idMensaje":5}]', AmbiguousResponse),
    "two names, two results": (b'[{"Res":1,"Resp":-2,"idMensaje":5}]', AmbiguousResponse),
    "one key, two ids": (b'[{"Res":1,"idMensaje":5,"idMensaje":6}]', AmbiguousResponse),
    "NaN for a result": (b'[{"Res":NaN,"idMensaje":5}]', DecodeError),
    "Infinity for a result": (b'[{"Res":Infinity,"idMensaje":5}]', DecodeError),
    "a negative result under the old name alone": (b'[{"Res":null,"Resp":"x","idMensaje":5}]', DecodeError),
    "half a message": (b'[{"Res":1.5,"idMensaje":5}]', DecodeError),
    "a word for a result": (b'[{"Res":"OK","idMensaje":5}]', DecodeError),
    "a list for a result": (b'[{"Res":[1],"idMensaje":5}]', DecodeError),
    "an object for a result": (b'[{"Res":{"Res":1},"idMensaje":5}]', DecodeError),
    "no result": (b'[{"idMensaje":5,"Cred":5}]', DecodeError),
    "an empty object": (b"[{}]", DecodeError),
    "an empty list": (b"[]", DecodeError),
    "two objects": (b'[{"Res":1,"idMensaje":5},{"Res":1,"idMensaje":6}]', DecodeError),
    "a list in a list": (b'[[{"Res":1,"idMensaje":5}]]', DecodeError),
    "a refusal in a list in a list": (b'[[{"Res":-2}]]', DecodeError),
    "a bare 1": (b"1", DecodeError),
    "null": (b"null", DecodeError),
    "a word": (b'"OK"', DecodeError),
    "5,000 digits": (b'[{"Res":' + b"1" * 5000 + b',"idMensaje":5}]', DecodeError),
    "200,000 lists": (b"[" * 200_000 + b"]" * 200_000, DecodeError),
    "cut": (b'[{"Res":1,"idMensaje":5', DecodeError),
    "cut inside a number": (b'[{"Res":1,"idMensaje":2718', DecodeError),
    "a second one, cut": (b'[{"Res":1,"idMensaje":5}][{"Res":', DecodeError),
    "UTF-16": ('[{"Res":1,"idMensaje":5}]'.encode("utf-16"), DecodeError),
    "a web page": (b"<!DOCTYPE html><html><body>Login</body></html>", UnexpectedResponse),
    "a web page, no doctype": (b"\r\n<HTML><head></head></HTML>", UnexpectedResponse),
    "a text": (b"Servicio no disponible", DecodeError),
    "nothing": (b"", UnexpectedResponse),
    "blanks": (b" \r\n ", UnexpectedResponse),
    "a byte order mark": (b"\xef\xbb\xbf", UnexpectedResponse),
    "XML with a DOCTYPE": (b'<!DOCTYPE r [<!ENTITY a "1">]><result><Res>&a;</Res></result>', DecodeError),
    "XML, cut": (b"<result><Res>1</Res><idMensaje>5</idMensaje>", DecodeError),
    "XML, two results": (b"<result><Res>1</Res><Res>-2</Res><idMensaje>5</idMensaje></result>", DecodeError),
    "TXT, cut inside the result": (b"Res:1", DecodeError),
    "TXT, cut inside the id": (b"Res:1;\r\nidMensaje:27", DecodeError),
    "TXT, two results": (b"Res:1;\r\nRes:-2;\r\nidMensaje:5;\r\n", AmbiguousResponse),
}


@every_format
@pytest.mark.parametrize(("body", "kind"), DOUBTFUL.values(), ids=DOUBTFUL)
async def test_a_send_whose_answer_leaves_doubt_is_unknown_and_never_repeated(
    answer_format: Format, body: bytes, kind: type[MensaError]
) -> None:
    async with Literally(body) as server, server.client(answer_format) as client:
        with pytest.raises(MensaError) as raised:
            await client.send_sms([NUMBER], "Hola")
    assert isinstance(raised.value, kind)
    assert raised.value.outcome is OutcomeKind.UNKNOWN
    assert raised.value.vendor == "mensatek"
    check_plain(raised.value, "mensatek")
    assert len(server.requests) == 1


async def test_204_is_unknown() -> None:
    async with Literally(b"", None, 204) as server, server.client() as client:
        with pytest.raises(UnexpectedResponse) as raised:
            await client.send_sms([NUMBER], "Hola")
    assert raised.value.outcome is OutcomeKind.UNKNOWN
    assert len(server.requests) == 1


async def test_a_body_is_not_quoted_in_the_error() -> None:
    body = b'[{"Res":"x600111222","idMensaje":"secreto"}]'
    async with Literally(body) as server, server.client() as client:
        with pytest.raises(DecodeError) as raised:
            await client.send_sms([NUMBER], "Hola")
    assert "600111222" not in str(raised.value)
    assert "Res" in str(raised.value)


@pytest.mark.parametrize("body", [b'[{"Res":null,"Resp":-3,"Error":"x"}]', b'[{"Resp":"-3"}]'])
async def test_a_refusal_under_the_old_name_is_a_refusal(body: bytes) -> None:
    async with Literally(body) as server, server.client() as client:
        with pytest.raises(MensaError) as raised:
            await client.send_sms([NUMBER], "Hola")
    assert (raised.value.code, raised.value.outcome) == ("-3", OutcomeKind.REJECTED)


@every_format
async def test_every_cut_of_an_answer_is_unknown_or_says_the_truth(answer_format: Format) -> None:
    """A connection that only its end delimits can end anywhere, and nothing tells the client."""
    bodies: dict[Format, bytes] = {
        "json": b'[{"Res":100,"Msgid":27184020,"idMensaje":27184020,"Cred":19808.45,"Mensajes":100}]',
        "xml": b"<result><Res>100</Res><Msgid>27184020</Msgid><Cred>19808.45</Cred></result>\r\n",
        "txt": b"Res:100;\r\nMsgid:27184020;\r\nCred:19808.45;\r\n",
    }
    whole = bodies[answer_format]
    readable = []
    async with Literally(whole, TYPES[answer_format]) as server, server.client(answer_format) as client:
        for end in range(len(whole)):
            server.answers[""] = [Answer(whole[:end], content_type=TYPES[answer_format])]
            result = await caught(client.send_sms([NUMBER], "Hola"))
            if isinstance(result, MensaError):
                assert result.outcome is OutcomeKind.UNKNOWN
            else:
                assert (result.accepted, result.message_id) == (100, "27184020")
                assert result.credits_left in {None, Decimal("19808.45")}
                readable.append(end)
        assert len(server.requests) == len(whole)
    # Only TXT has places where a cut answer is whole in itself.
    assert answer_format == "txt" or all(not whole[end:].strip() for end in readable)


# --------------------------------------------------------------------------------- sends that are clear all the same

CLEAR: dict[str, tuple[bytes, str | None]] = {
    "as documented": (b'[{"Res":1,"idMensaje":5,"Cred":7.5}]', "application/json"),
    "a bare object": (b'{"Res":1,"idMensaje":5,"Cred":7.5}', "application/json"),
    "text/html": (b'[{"Res":1,"idMensaje":5,"Cred":7.5}]', "text/html; charset=UTF-8"),
    "no type": (b'[{"Res":1,"idMensaje":5,"Cred":7.5}]', None),
    "a type that is none": (b'[{"Res":1,"idMensaje":5,"Cred":7.5}]', "json"),
    "a byte order mark": (b'\xef\xbb\xbf[{"Res":1,"idMensaje":5,"Cred":7.5}]', "application/json"),
    "Latin-1 undeclared": ('[{"Res":1,"idMensaje":5,"Cred":7.5,"Nota":"año"}]'.encode("latin-1"), "application/json"),
    "Latin-1 declared": (
        '[{"Res":1,"idMensaje":5,"Cred":7.5,"Nota":"año"}]'.encode("latin-1"),
        "application/json; charset=ISO-8859-1",
    ),
    "a strange charset declared": (b'[{"Res":1,"idMensaje":5,"Cred":7.5}]', "application/json; charset=utf-7"),
    "a comment after": (b'[{"Res":1,"idMensaje":5,"Cred":7.5}]<!-- 0.03 s -->', "text/html"),
    "a trailing comma": (b'[{"Res":1,"idMensaje":5,"Cred":7.5,},]', "application/json"),
    "numbers as strings": (b'[{"Res":"1","idMensaje":"5","Cred":"7,50"}]', "application/json"),
    "numbers as floats": (b'[{"Res":1.0,"idMensaje":5.0,"Cred":7.5}]', "application/json"),
    "one key, one result, twice": (b'[{"Res":1,"Res":1,"idMensaje":5,"Cred":7.5}]', "application/json"),
    "both names, one result": (b'[{"Res":1,"Resp":"1","idMensaje":5,"Cred":7.5}]', "application/json"),
    "the format echoed under the old name": (b'[{"Res":1,"Resp":"JSON","idMensaje":5,"Cred":7.5}]', "application/json"),
    "only Msgid": (b'[{"Res":1,"Msgid":"5","Saldo":"7,5"}]', "application/json"),
    "an unknown field": (b'[{"Res":1,"idMensaje":5,"Cred":7.5,"Nuevo":{"a":[1]}}]', "application/json"),
    "an empty error beside": (b'[{"Res":1,"idMensaje":5,"Cred":7.5,"Error":""}]', "application/json"),
    "XML": (b"<?xml version='1.0'?><result><Res>1</Res><idMensaje>5</idMensaje><Cred>7.5</Cred></result>", "text/xml"),
    "TXT": (b"Res:1;\nidMensaje:5;\nCred:7.5;\n", "text/plain"),
    "TXT on one line": (b"Saldo:7,50;Res:1;Msgid:5;", "text/html"),
}


@every_format
@pytest.mark.parametrize(("body", "content_type"), CLEAR.values(), ids=CLEAR)
async def test_a_send_whose_answer_is_clear_is_accepted_whatever_it_claims_to_be(
    answer_format: Format, body: bytes, content_type: str | None
) -> None:
    async with Literally(body, content_type) as server, server.client(answer_format) as client:
        result = await client.send_sms([NUMBER], "Hola")
    assert (result.accepted, result.message_id, result.credits_left) == (1, "5", Decimal("7.5"))


@pytest.mark.parametrize("notice", [b"<br />\n<b>Notice</b>: x\n", b"Notice: Undefined index: x\n", b"\n\n ok "])
async def test_text_ahead_of_json_is_looked_past_where_json_was_asked_for(notice: bytes) -> None:
    async with Literally(notice + b'[{"Res":1,"idMensaje":5}]', "text/html") as server, server.client() as client:
        assert (await client.send_sms([NUMBER], "Hola")).message_id == "5"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "null", '""', '"NaN"'])
async def test_a_balance_that_is_no_number_is_none_and_the_send_accepted(value: str) -> None:
    body = f'[{{"Res":1,"idMensaje":5,"Cred":{value},"CreditosUsados":{value},"NoEnviados":{value}}}]'
    async with Literally(body.encode()) as server, server.client() as client:
        result = await client.send_sms([NUMBER], "Hola")
        assert (result.accepted, result.message_id) == (1, "5")
        assert (result.credits_left, result.credits_used, result.not_sent) == (None, None, None)


async def test_ids_of_any_length_stay_whole() -> None:
    digits = "9" * 30
    async with Literally(f'[{{"Res":1,"idMensaje":{digits}}}]'.encode()) as server, server.client() as client:
        assert (await client.send_sms([NUMBER], "Hola")).message_id == digits


async def test_what_was_received_stays_at_hand() -> None:
    async with Literally(b'[{"Res":1,"idMensaje":5,"Nuevo":"x"}]') as server, server.client() as client:
        result = await client.send_sms([NUMBER], "Hola")
    assert result.raw == {"Res": 1, "idMensaje": 5, "Nuevo": "x"}
    assert "Nuevo" not in repr(result)


@pytest.mark.parametrize("value", ["NaN", '"?"', "null", "[]"])
async def test_a_balance_that_was_asked_for_and_is_no_number_is_an_error(value: str) -> None:
    async with Literally(f'[{{"Res":1,"Cred":{value}}}]'.encode()) as server, server.client() as client:
        with pytest.raises(DecodeError, match="Cred"):
            await client.get_credits()


async def test_a_line_of_a_report_that_cannot_be_read_is_named() -> None:
    body = b'[{"Res":1,"Informe":[{"Telefono":"34600000000","Resultado":11},{"Telefono":"x","Resultado":"secreto"}]}]'
    async with Literally(body) as server, server.client() as client:
        with pytest.raises(DecodeError, match=r"Informe\[1\]\.Resultado") as raised:
            await client.get_report("5")
    assert "secreto" not in str(raised.value)


async def test_unknown_codes_empty_dates_and_the_old_name_of_the_number_are_read_in_a_report() -> None:
    body = (
        b'{"Res":1,"Destinatarios":[{"Movil":"1"},{"Movil":"2"}],"Informe":{"0":{"Movil":"34600000000",'
        b'"Resultado":"4242","Fecha":"0000-00-00 00:00:00","Tiempo":""},"1":{"TELEFONO":34600000001,"RESULTADO":1}}}'
    )
    async with Literally(body) as server, server.client() as client:
        report = await client.get_report("5")
    assert report.recipients == 2
    first, second = report.lines
    assert (first.number, first.status, first.at, first.seconds) == (NUMBER, 4242, None, None)
    assert not first.status.is_known
    assert (second.number, second.status) == ("34600000001", StatusCode.SCHEDULED_1)
