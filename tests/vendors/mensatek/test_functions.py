"""Every function but sending, in every format: what goes out, what it does at the vendor, what comes back typed."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from shared import next_year

from mensasdk import MensatekClient, OutcomeKind, ValidationError
from mensasdk.sandbox import Sandbox
from mensasdk.vendors.mensatek import LibraryFile, StatusCode

from .support import BODIES, FORMATS, NUMBER, Body, Format, Literally, connect

MADRID = ZoneInfo("Europe/Madrid")
SOON = datetime(next_year(), 7, 15, 9, 30, tzinfo=MADRID)
every_format = pytest.mark.parametrize("answer_format", FORMATS)
every_body = pytest.mark.parametrize("body_format", BODIES)


def params(box: Sandbox) -> dict[str, Any]:
    return dict(box.ledger.requests[-1].params)


def recent(moment: datetime | None) -> bool:
    assert moment is not None
    assert moment.tzinfo is not None
    return abs(datetime.now(UTC) - moment.astimezone(UTC)) < timedelta(minutes=5)


@every_format
@every_body
async def test_a_scheduled_message_is_cancelled_and_its_credits_come_back(
    box: Sandbox, answer_format: Format, body_format: Body
) -> None:
    box.mensatek.account.price = Decimal("1.25")
    async with connect(box, answer_format=answer_format, body_format=body_format) as client:
        sent = await client.send_sms([NUMBER, "34600000001"], "Hola", schedule_at=SOON)
        assert sent.credits_used == Decimal("2.5")
        assert sent.message_id is not None
        result = await client.cancel_sms(sent.message_id)
    assert result.cancelled == 2
    assert result.message_id == sent.message_id
    assert result.credits_recovered == Decimal("2.5")
    assert result.credits_left == box.mensatek.account.credits == Decimal(100_000)
    assert {message.state for message in box.ledger.messages} == {"cancelled"}
    assert {name: str(value) for name, value in params(box).items()} == {
        "Idmensaje": sent.message_id,
        "Resp": answer_format.upper(),
    }


@every_format
@every_body
async def test_a_scheduled_message_is_moved(box: Sandbox, answer_format: Format, body_format: Body) -> None:
    later = datetime(next_year(), 12, 1, 8, 0, 30, tzinfo=UTC)
    async with connect(box, answer_format=answer_format, body_format=body_format) as client:
        sent = await client.send_sms([NUMBER], "Hola", schedule_at=SOON)
        assert sent.message_id is not None
        result = await client.reschedule_sms(int(sent.message_id), later)
    assert result.rescheduled == 1
    assert result.credits_left == Decimal(99_999)
    # Half a minute is rounded up: nothing goes out earlier than asked.
    assert params(box)["Fecha"] == f"{next_year()}-12-01 09:01"
    assert box.ledger.messages[0].scheduled_at == later + timedelta(seconds=30)


@every_format
@every_body
async def test_a_report_has_a_line_for_each_recipient(box: Sandbox, answer_format: Format, body_format: Body) -> None:
    numbers = {
        "34600000000": StatusCode.DELIVERED_11,
        "34600000013": StatusCode.DELIVERED_13,
        "34600000050": StatusCode.NUMBER_DOES_NOT_EXIST_50,
        "34600000053": StatusCode.EXPIRED_53,
        "34600000123": StatusCode.PHONE_OFF,
    }
    async with connect(box, answer_format=answer_format, body_format=body_format) as client:
        sent = await client.send_sms(numbers, "Hola")
        assert sent.message_id is not None
        report = await client.get_report(sent.message_id)
    assert report.recipients == len(numbers)
    assert report.credits_left == Decimal(99_995)
    assert {line.number: line.status for line in report.lines} == numbers
    for line in report.lines:
        assert type(line.status) is StatusCode
        assert type(line.seconds) is int
        assert recent(line.at)
        assert line.status_text
    # Spanish texts survive every format.
    assert report.lines[0].status_text == "Entregado al Teléfono"


@every_format
async def test_a_report_of_a_scheduled_message_says_so(box: Sandbox, answer_format: Format) -> None:
    async with connect(box, answer_format=answer_format) as client:
        sent = await client.send_sms([NUMBER], "Hola", schedule_at=SOON)
        assert sent.message_id is not None
        report = await client.get_report(sent.message_id)
    [line] = report.lines
    assert line.status is StatusCode.SCHEDULED_1
    assert line.at == SOON


# ------------------------------------------------------------------------------------------------------- library

# Everything that a multipart body or a base64 string could trip over.
CONTENT = b"%PDF-1.4\r\n--boundary\r\n\0\xff\xfe--\r\nContent-Disposition: form-data\r\n\r\n" + bytes(range(256))


@every_format
@every_body
@pytest.mark.parametrize("method", ["files", "base64"])
async def test_an_upload_arrives_byte_for_byte_and_is_listed_and_deleted(
    box: Sandbox, answer_format: Format, body_format: Body, method: Any, tmp_path: Path
) -> None:
    path = tmp_path / "contrato1.pdf"
    path.write_bytes(CONTENT)
    async with connect(box, answer_format=answer_format, body_format=body_format) as client:
        result = await client.upload_file(path, method=method)
        assert result.name == "contrato1.pdf"
        assert result.credits_left == Decimal(100_000)
        assert box.mensatek.account.files["contrato1.pdf"].content == CONTENT
        assert params(box)["Tipo"] == ("FILES" if method == "files" else "BASE64")
        assert params(box)["Resp"] == answer_format.upper()
        assert "Autoborrado" not in params(box)

        await client.upload_file(b"BEGIN:VCARD", name="uno.vcf", method=method, auto_delete=True)
        assert params(box)["Autoborrado"] == "Si"
        assert params(box)["Nombre"] == "uno.vcf"

        files = await client.list_files()
        assert [(file.name, file.extension) for file in files] == [("contrato1.pdf", "pdf"), ("uno.vcf", "vcf")]
        assert all(recent(file.uploaded_at) for file in files)

        await client.delete_file("contrato1.pdf")
        assert params(box)["Nombre"] == "contrato1.pdf"
        assert list(box.mensatek.account.files) == ["uno.vcf"]


async def test_base64_goes_as_contenido(box: Sandbox, mensatek: MensatekClient) -> None:
    await mensatek.upload_file(CONTENT, name="a.pdf", method="base64")
    assert base64.b64decode(params(box)["Contenido"], validate=True) == CONTENT


@every_format
async def test_an_empty_library_and_no_templates_are_empty(box: Sandbox, answer_format: Format) -> None:
    async with connect(box, answer_format=answer_format) as client:
        assert await client.list_files() == ()
        assert await client.list_templates() == {}


async def test_a_file_list_of_plain_names_is_read() -> None:
    """The vendor's own older examples have names where the document has objects."""
    body = b'[{"Res":1,"Ficheros":["uno.pdf","dos"],"Cred":5}]'
    async with Literally(body) as server, server.client() as client:
        files = await client.list_files()
    assert files == (LibraryFile(name="uno.pdf", extension="pdf"), LibraryFile(name="dos"))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    path = tmp_path / "real.pdf"
    path.write_bytes(b"%PDF")
    return path


def a_link(folder: Path) -> Path:
    path = folder / "link.pdf"
    path.symlink_to(folder / "real.pdf")
    return path


def a_pipe(folder: Path) -> Path:
    path = folder / "pipe.pdf"
    os.mkfifo(path)
    return path


def a_socket(folder: Path) -> Path:
    path = folder / "sock.pdf"
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)  # the address of a Unix socket must be short
        try:
            listener.bind("sock.pdf")
        finally:
            os.chdir(here)
    return path


def a_folder(folder: Path) -> Path:
    path = folder / "folder.pdf"
    path.mkdir()
    return path


def too_large(folder: Path) -> Path:
    path = folder / "large.pdf"
    with path.open("wb") as file:
        file.truncate(10 * 1024 * 1024 + 1)
    return path


def nothing_in_it(folder: Path) -> Path:
    path = folder / "empty.pdf"
    path.touch()
    return path


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


PATHS: dict[str, Callable[[Path], object]] = {
    "a link": a_link,
    "a pipe": a_pipe,
    "a socket": a_socket,
    "a folder": a_folder,
    "too large": too_large,
    "empty": nothing_in_it,
    "not there": lambda folder: folder / "absent.pdf",
    "a NUL": lambda folder: str(folder / "a\0b.pdf"),
    "a device": lambda _: "/dev/zero",
}


@pytest.mark.parametrize("make", PATHS.values(), ids=PATHS)
async def test_only_a_regular_file_of_a_sensible_size_is_read(
    box: Sandbox, mensatek: MensatekClient, elsewhere: Path, make: Callable[[Path], Any]
) -> None:
    before = open_descriptors()
    with pytest.raises(ValidationError) as caught:
        await mensatek.upload_file(make(elsewhere.parent), name="nombre.pdf")
    assert caught.value.field == "file"
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert caught.value.__context__ is None
    assert str(elsewhere.parent) not in str(caught.value)
    assert box.ledger.connections == 0
    assert open_descriptors() <= before


async def test_content_is_bounded_too(box: Sandbox, mensatek: MensatekClient) -> None:
    for content in (b"", bytes(10 * 1024 * 1024 + 1)):
        with pytest.raises(ValidationError) as caught:
            await mensatek.upload_file(content, name="a.pdf")
        assert caught.value.field == "file"
    assert box.ledger.connections == 0


NAMES = [
    "",
    "sinpunto",
    ".pdf",
    "a.",
    "a.b.pdf",
    "con espacio.pdf",
    "guion-1.pdf",
    "ñandú.pdf",
    "../a.pdf",
    "a/b.pdf",
    'a".pdf',
    "a\r\n.pdf",
    "a\0.pdf",
    "doce12345678.pdf",  # 16 characters
    "a.pdf\n",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
async def test_a_name_in_the_library_has_letters_digits_and_an_extension(
    box: Sandbox, mensatek: MensatekClient, tmp_path: Path, name: str
) -> None:
    calls: list[Awaitable[object]] = [mensatek.upload_file(b"x", name=name)]
    path = tmp_path / "uno.pdf"
    path.write_bytes(b"x")
    calls.append(mensatek.upload_file(path, name=name))
    for call in calls:
        with pytest.raises(ValidationError) as caught:
            await call
        assert caught.value.field == "name"
    assert box.ledger.connections == 0


async def test_a_name_of_15_characters_is_taken(box: Sandbox, mensatek: MensatekClient) -> None:
    await mensatek.upload_file(b"x", name="abcdefghij1.pdf")
    assert list(box.mensatek.account.files) == ["abcdefghij1.pdf"]


async def test_the_files_own_name_must_do_or_another_be_given(
    box: Sandbox, mensatek: MensatekClient, tmp_path: Path
) -> None:
    path = tmp_path / "un nombre muy largo.pdf"
    path.write_bytes(b"x")
    with pytest.raises(ValidationError, match="name"):
        await mensatek.upload_file(path)
    with pytest.raises(ValidationError, match="name is needed"):
        await mensatek.upload_file(b"x")
    assert box.ledger.connections == 0
    result = await mensatek.upload_file(str(path), name="corto.pdf")
    assert result.name == "corto.pdf"


@pytest.mark.parametrize("name", ["", "../a.pdf", "a\\b.pdf", "a\n.pdf", "a\0.pdf"], ids=ascii)
async def test_deleting_takes_a_plain_name_only(box: Sandbox, mensatek: MensatekClient, name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        await mensatek.delete_file(name)
    assert caught.value.field == "name"
    assert box.ledger.connections == 0


# ---------------------------------------------------------------------------------------------- credits, templates


@every_format
@every_body
async def test_credits_are_a_decimal(box: Sandbox, answer_format: Format, body_format: Body) -> None:
    box.mensatek.account.credits = Decimal("19808.45")
    async with connect(box, answer_format=answer_format, body_format=body_format) as client:
        left = await client.get_credits()
    assert type(left) is Decimal
    assert left == Decimal("19808.45")
    assert params(box) == {"Resp": answer_format.upper()}


@every_format
@every_body
async def test_templates_are_names_and_texts(box: Sandbox, answer_format: Format, body_format: Body) -> None:
    # The oldest comes first; of two with one name the oldest wins.
    box.mensatek.account.templates = [
        ("Cita de mañana", "Hola (Variable_1), tu cita: (SMSLAND:2:idLanding)"),
        ("Aviso", "viejo"),
        ("Aviso", "nuevo"),
    ]
    async with connect(box, answer_format=answer_format, body_format=body_format) as client:
        templates = await client.list_templates()
    assert templates == {
        "Cita de mañana": "Hola (Variable_1), tu cita: (SMSLAND:2:idLanding)",
        "Aviso": "viejo",
    }


@pytest.mark.parametrize("answer_format", ["json", "xml"])
async def test_json_and_xml_bring_any_text_of_a_template(box: Sandbox, answer_format: Format) -> None:
    """TXT cannot: a semicolon or a line end in a text looks like the end of the value."""
    wild = {'<b> & "uno"': 'línea 1\nlínea 2; Res:-1; ]]> {"Res":-1} 😀', "res": "-1", "RES": "-2"}
    box.mensatek.account.templates = list(wild.items())
    async with connect(box, answer_format=answer_format) as client:
        assert await client.list_templates() == wild
