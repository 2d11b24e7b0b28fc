"""Over a socket: each parameter, answer field and status that the document names, with its values."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import pytest
from attrs import asdict
from received import Received
from shared import next_year

from mensasdk import InvalidRequest, MensaError, MensatekClient, Recipient, UploadRefused
from mensasdk.vendors.base import Call
from mensasdk.vendors.mensatek import (
    CancelSms,
    DeleteFile,
    GetCredits,
    GetReport,
    ListFiles,
    ListTemplates,
    RescheduleSms,
    StatusCode,
    UploadFile,
)

from .support import BODIES, FORMATS, TYPES, Body, Format, Literally, caught
from .test_codes import DOCUMENTED
from .test_refusals import CALLS

MADRID = ZoneInfo("Europe/Madrid")
every_format = pytest.mark.parametrize("answer_format", FORMATS)
every_body = pytest.mark.parametrize("body_format", BODIES)

# ------------------------------------------------------------------------------------------------------ requests

SOON: Final = f"{next_year()}-10-01 15:10"
# What CALLS asks for, by the document: the numbers as numbers, and nothing but the documented parameters.
REQUESTS: dict[str, dict[str, Any]] = {
    "EnviarSMS": {"Remitente": "", "Destinatarios": [{"Movil": "34600000000"}], "Mensaje": "Hola"},
    "CancelarSMS": {"Idmensaje": 123},
    "ReprogramarSMS": {"Idmensaje": 123, "Fecha": f"{next_year()}-07-01 11:00"},
    "GetReportSMS": {"Idmensaje": 123},
    "ListarFicheros": {},
    "BorrarFichero": {"Nombre": "a.pdf"},
    "GetCreditos": {},
    "GetPlantillasSMS": {},
}


def received(body_format: Body, request: Received) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return the request line, the headers and the parameters; a form's strings stay strings."""
    line = request.head.decode().partition("\r\n")[0]
    if body_format == "json":
        return line, request.headers, json.loads(request.body)
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
    return line, request.headers, dict(pairs)


def as_sent(body_format: Body, params: Mapping[str, Any]) -> dict[str, Any]:
    """In a form, arrays go as JSON in a string, and numbers as their digits."""
    if body_format == "json":
        return dict(params)
    return {
        name: json.dumps(value, separators=(",", ":"), ensure_ascii=False) if isinstance(value, list) else str(value)
        for name, value in params.items()
    }


async def exchange(body_format: Body, answer_format: Format, call: Any) -> tuple[str, dict[str, str], dict[str, Any]]:
    async with (
        Literally(b'[{"Res":-3}]') as server,
        MensatekClient(
            "usuario", "ficha", base_url=server.url, body_format=body_format, answer_format=answer_format
        ) as client,
    ):
        await caught(call(client))
    [request] = server.requests
    return received(body_format, request)


@every_format
@every_body
@pytest.mark.parametrize("function", REQUESTS)
async def test_each_function_is_one_post_of_its_documented_parameters(
    answer_format: Format, body_format: Body, function: str
) -> None:
    line, headers, params = await exchange(body_format, answer_format, CALLS[function])
    assert line == f"POST /v7/{function} HTTP/1.1"
    assert headers["authorization"] == "Basic " + base64.b64encode(b"usuario:ficha").decode()
    assert (
        headers["content-type"]
        == {"json": "application/json", "form": "application/x-www-form-urlencoded"}[body_format]
    )
    assert params == as_sent(body_format, {**REQUESTS[function], "Resp": answer_format.upper()})


@every_format
@every_body
async def test_the_documents_own_send_goes_out_with_each_of_its_parameters(
    answer_format: Format, body_format: Body
) -> None:
    """The document's sample request; every flag set, because a 0 is every flag's default and is left out."""
    text = (
        "A la atención de Ana, te recordamos tu cita en la Clínica Ejemplo el próximo martes 23, pulse en el siguiente "
        "link para confirmar o cancelar la cita. (SMSLAND:2:idLanding)"
    )
    _, _, params = await exchange(
        body_format,
        answer_format,
        lambda client: client.send_sms(
            [Recipient("34600000000", ["Pedro"]), Recipient("34600000001", ["Ana"])],
            text,
            sender="MIEMPRESA",
            schedule_at=datetime.fromisoformat(SOON).replace(tzinfo=MADRID),
            reference="Tu referencia",
            report=True,
            message_id="1765987",
            fail_to_voice=True,
            voice_language="es-ES",
            voice_sender="+34 910 00 00 00",
            unicode=True,
            skip_blacklist=True,
            fix_utf8=True,
        ),
    )
    assert params == as_sent(
        body_format,
        {
            "Remitente": "MIEMPRESA",
            "Destinatarios": [
                {"Movil": "34600000000", "Variable_1": "Pedro"},
                {"Movil": "34600000001", "Variable_1": "Ana"},
            ],
            "Mensaje": text,
            "Fecha": SOON,
            "Referenciausuario": "Tu referencia",
            "Report": 1,
            "Idmensaje": 1765987,
            "Fail2voice": 1,
            "Lenguajevoz": "es-ES",
            "Remitentevoz": "34910000000",
            "Unicode": 1,
            "Obviarlistanegra": 1,
            "Fixutf8": 1,
            "Resp": answer_format.upper(),
        },
    )


@every_format
@every_body
async def test_an_upload_in_base64_goes_out_with_each_of_its_parameters(
    answer_format: Format, body_format: Body
) -> None:
    _, _, params = await exchange(
        body_format,
        answer_format,
        lambda client: client.upload_file(b"%PDF\xff+/", name="mifichero.pdf", auto_delete=True, method="base64"),
    )
    assert params == {
        "Nombre": "mifichero.pdf",
        "Tipo": "BASE64",
        "Contenido": base64.b64encode(b"%PDF\xff+/").decode(),
        "Autoborrado": "Si",
        "Resp": answer_format.upper(),
    }


# ------------------------------------------------------------------------------------------------------- answers


def as_json(fields: Mapping[str, Any]) -> str:
    return json.dumps([fields])


def as_xml(fields: Mapping[str, Any], name: str = "result") -> str:
    inside = ""
    for key, value in fields.items():
        if isinstance(value, list):
            items = "".join(as_xml(item, f"item{index}") for index, item in enumerate(value))
            inside += f"<{key}>{items}</{key}>"
        else:
            inside += f"<{key}>{escape(str(value))}</{key}>"
    return f"<{name}>{inside}</{name}>"


def as_txt(fields: Mapping[str, Any]) -> str:
    lines = ""
    for key, value in fields.items():
        if isinstance(value, list):
            items = "".join(f"{index}: [\r\n{as_txt(item)}]\r\n" for index, item in enumerate(value))
            lines += f"{key}:\r\n[\r\n{items}]\r\n"
        else:
            lines += f"{key}:{value};\r\n"
    return lines


WRITERS = {"json": as_json, "xml": as_xml, "txt": as_txt}


async def answer(answer_format: Format, fields: Mapping[str, Any], call: Call[Any]) -> dict[str, Any]:
    """Return what the typed answer says, without what stands in ``raw``."""
    body = WRITERS[answer_format](fields).encode()
    async with Literally(body, TYPES[answer_format]) as server, server.client(answer_format) as client:
        result = await client.execute(call)
    assert {str(name).lower() for name in result.raw} == {name.lower() for name in fields}
    return asdict(result, filter=lambda attribute, _: attribute.name != "raw")


TWO_FILES = [
    {"Fecha": "2026-02-03 04:05:06", "Nombre": "uno.pdf", "Ext": "pdf"},
    {"Fecha": "2026-08-03 04:05:06", "Nombre": "dos.vcf", "Ext": "vcf"},
]
ANSWERS: dict[str, tuple[Call[Any], dict[str, Any], dict[str, Any]]] = {
    "CancelarSMS": (
        CancelSms(message_id="1283876988"),
        {"Res": 3, "IDMENSAJE": 1283876988, "CRED": 12.5, "CREDR": 3.75},
        {
            "cancelled": 3,
            "message_id": "1283876988",
            "credits_left": Decimal("12.5"),
            "credits_recovered": Decimal("3.75"),
        },
    ),
    "ReprogramarSMS": (
        RescheduleSms(message_id="1283876988", schedule_at=SOON),
        {"Res": 2, "Cred": 12.5},
        {"rescheduled": 2, "credits_left": Decimal("12.5")},
    ),
    "GetReportSMS": (
        GetReport(message_id="1283876988"),
        {
            "Res": 1,
            "Destinatarios": 1,
            "Cred": 12.5,
            "Informe": [
                {
                    "Fecha": "2021-09-04 19:37:21",
                    "Tiempo": 3,
                    "Telefono": "34601234567",
                    "Resultado": 11,
                    "Estado": "Entregado al Teléfono",
                }
            ],
        },
        {
            "result": 1,
            "recipients": 1,
            "credits_left": Decimal("12.5"),
            "lines": (
                {
                    "number": "34601234567",
                    "status": StatusCode.DELIVERED_11,
                    "status_text": "Entregado al Teléfono",
                    "at": datetime(2021, 9, 4, 19, 37, 21, tzinfo=MADRID),
                    "seconds": 3,
                },
            ),
        },
    ),
    "CargarFichero": (
        UploadFile(name="mifichero.pdf", content=b"%PDF"),
        {"Res": 1, "Nombre": "otronombre.pdf", "Cred": 12.5},
        {"result": 1, "name": "otronombre.pdf", "overwritten": None, "credits_left": Decimal("12.5")},
    ),
    "CargarFichero, as older clients of the vendor read it": (
        UploadFile(name="mifichero.pdf", content=b"%PDF"),
        {"Res": 1, "Nombre": "mifichero.pdf", "Sobrescrito": 1},
        {"result": 1, "name": "mifichero.pdf", "overwritten": True, "credits_left": None},
    ),
    "ListarFicheros": (
        ListFiles(),
        {"Res": 1, "Ficheros": TWO_FILES, "Cred": 12.5},
        {
            "result": 1,
            "files": (
                {
                    "name": "uno.pdf",
                    "extension": "pdf",
                    "uploaded_at": datetime(2026, 2, 3, 4, 5, 6, tzinfo=MADRID),
                },
                {
                    "name": "dos.vcf",
                    "extension": "vcf",
                    "uploaded_at": datetime(2026, 8, 3, 4, 5, 6, tzinfo=MADRID),
                },
            ),
            "credits_left": Decimal("12.5"),
        },
    ),
    "BorrarFichero": (
        DeleteFile(name="mifichero.pdf"),
        {"Res": 1, "Cred": 12.5},
        {"result": 1, "credits_left": Decimal("12.5")},
    ),
    "GetCreditos": (GetCredits(), {"Res": 1, "Cred": 12.5}, {"result": 1, "credits": Decimal("12.5")}),
}


@every_format
@pytest.mark.parametrize("function", ANSWERS)
async def test_each_field_of_an_answer_becomes_a_typed_value(answer_format: Format, function: str) -> None:
    call, fields, expected = ANSWERS[function]
    assert await answer(answer_format, fields, call) == expected


async def test_templates_are_an_object_and_their_total_may_be_more_than_its_names() -> None:
    fields = {"Res": 1, "Total": 3, "Plantillas": {"Cita": "Hola (Variable_1)", "Aviso": "viejo"}}
    assert await answer("json", fields, ListTemplates()) == {"result": 1, "total": 3, "texts": fields["Plantillas"]}


@pytest.mark.parametrize("answer_format", ["xml", "txt"])
async def test_templates_in_xml_and_txt_are_a_list_of_names_and_texts(answer_format: Format) -> None:
    entries = [{"Nombre": "Cita", "Contenido": "Hola (Variable_1)"}, {"Nombre": "Aviso", "Contenido": "nuevo"}]
    fields = {"Res": 1, "Total": 3, "Plantillas": [*entries, {"Nombre": "Aviso", "Contenido": "viejo"}]}
    assert await answer(answer_format, fields, ListTemplates()) == {
        "result": 1,
        "total": 3,
        "texts": {"Cita": "Hola (Variable_1)", "Aviso": "viejo"},
    }


@every_format
@pytest.mark.parametrize("function", [function for function in CALLS if function != "GetCreditos"])
async def test_the_error_text_of_minus_3_stands_in_the_error(answer_format: Format, function: str) -> None:
    body = WRITERS[answer_format]({"Res": -3, "Error": "Falta parámetro obligatorio"}).encode()
    async with Literally(body, TYPES[answer_format]) as server, server.client(answer_format) as client:
        error = await caught(CALLS[function](client))
    assert type(error) is InvalidRequest
    assert error.code == "-3"
    assert "(Falta parámetro obligatorio)" in str(error)


# ------------------------------------------------------------------------------------------------------ statuses

EXPECTED_STATUSES = {
    code: (code, True, state, final, temporary) for code, (_, state, final, temporary) in DOCUMENTED.items()
}


def described(status: StatusCode) -> tuple[object, ...]:
    return int(status), status.is_known, status.state, status.is_final, status.is_temporary


@every_format
@pytest.mark.parametrize("as_string", [False, True], ids=["number", "string"])
async def test_each_status_is_read_from_a_report(answer_format: Format, as_string: bool) -> None:
    """All 57 in one report; XML and TXT have strings only."""
    lines = [
        {
            "Fecha": "2021-09-04 19:37:21",
            "Tiempo": 3,
            "Telefono": str(34600000000 + code),
            "Resultado": str(code) if as_string else code,
            "Estado": meaning.replace(";", ","),  # a semicolon ends a value in TXT
        }
        for code, (meaning, *_) in DOCUMENTED.items()
    ]
    body = WRITERS[answer_format]({"Res": 1, "Destinatarios": len(lines), "Informe": lines}).encode()
    async with Literally(body, TYPES[answer_format]) as server, server.client(answer_format) as client:
        report = await client.get_report("1283876988")
    assert report.recipients == len(report.lines) == 57
    assert {int(line.number) - 34600000000: described(line.status) for line in report.lines} == EXPECTED_STATUSES


# ----------------------------------------------------------------------------------------------- older documents


@every_format
@pytest.mark.parametrize(("code", "kind"), [(-2, InvalidRequest), (-14, UploadRefused)])
async def test_a_result_code_of_older_documents_is_typed_too(
    answer_format: Format, code: int, kind: type[MensaError]
) -> None:
    body = WRITERS[answer_format]({"Res": code}).encode()
    async with Literally(body, TYPES[answer_format]) as server, server.client(answer_format) as client:
        error = await caught(client.upload_file(b"GIF89a", name="a.gif"))
    assert type(error) is kind
    assert error.code == str(code)
