"""The file library, the credits and the templates."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import aiohttp
import pytest

from sandbox.caller import Caller

PDF = b"%PDF-1.4\r\n--b\r\n\x00\xff\r\n"
IN_BASE64: dict[str, Any] = {
    "Tipo": "BASE64",
    "Nombre": "mifichero.pdf",
    "Contenido": base64.b64encode(PDF).decode(),
    "Autoborrado": "Si",
}


async def upload_part(caller: Caller, filename: str, content: bytes, **more: str) -> dict[str, Any]:
    form = aiohttp.FormData({"Tipo": "FILES", "Resp": "JSON", **more})
    form.add_field("Fichero", content, filename=filename, content_type="application/pdf")
    [answer] = json.loads((await caller.post("CargarFichero", data=form)).body)
    assert isinstance(answer, dict)
    return answer


async def test_a_file_comes_as_base64_is_listed_and_deleted(caller: Caller) -> None:
    assert await caller.call("CargarFichero", **IN_BASE64) == {"Res": 1, "Nombre": "mifichero.pdf", "Cred": 100_000}
    assert caller.box.mensatek.account.files["mifichero.pdf"].content == PDF
    listing = await caller.call("ListarFicheros")
    [row] = listing["Ficheros"]
    assert (listing["Res"], row["Nombre"], row["Ext"]) == (1, "mifichero.pdf", "pdf")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["Fecha"])
    assert await caller.call("BorrarFichero", Nombre="mifichero.pdf") == {"Res": 1, "Cred": 100_000}
    assert (await caller.call("ListarFicheros"))["Ficheros"] == []


async def test_a_file_comes_as_a_multipart_part_to_the_byte(caller: Caller) -> None:
    assert (await upload_part(caller, "informe.pdf", PDF))["Nombre"] == "informe.pdf"
    assert caller.box.mensatek.account.files["informe.pdf"].content == PDF
    assert (await upload_part(caller, "informe.pdf", PDF, Nombre="otro.pdf"))["Nombre"] == "otro.pdf"


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("mi-fichero año 2026.pdf", "mificheroao.pdf"),
        ("../../etc/passwd.PDF", "etcpasswd.pdf"),
        ("abcdefghijklmnopqrst.docx", "abcdefghij.docx"),
    ],
)
async def test_names_keep_letters_and_digits_and_fifteen_characters(caller: Caller, given: str, stored: str) -> None:
    answer = await caller.call("CargarFichero", **{**IN_BASE64, "Nombre": given})
    assert answer["Nombre"] == stored
    assert len(stored) <= 15


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Tipo": None}, -15),
        ({"Tipo": "mifichero.pdf"}, -15),
        ({"Contenido": None}, -12),
        ({"Tipo": "FILES"}, -13),
        ({"Nombre": None}, -3),
        ({"Nombre": "sinextension"}, -3),
        ({"Nombre": "virus.exe"}, -11),
        ({"Contenido": "esto no es base64"}, -17),
    ],
)
async def test_a_wrong_upload_gets_its_documented_code(caller: Caller, changed: dict[str, Any], code: int) -> None:
    params = {name: value for name, value in {**IN_BASE64, **changed}.items() if value is not None}
    assert (await caller.call("CargarFichero", **params))["Res"] == code
    assert caller.box.mensatek.account.files == {}


@pytest.mark.parametrize(
    ("attribute", "value", "code"),
    [
        ("trial", True, -18),
        ("max_files", 0, -10),
        ("max_bytes", 3, -10),
        ("max_file_bytes", 3, -16),
        ("upload_fails", True, -17),
    ],
)
async def test_the_accounts_limits_get_their_documented_codes(
    caller: Caller, attribute: str, value: int, code: int
) -> None:
    setattr(caller.box.mensatek.account, attribute, value)
    assert (await caller.call("CargarFichero", **IN_BASE64)) == {"Res": code, "Cred": 100_000}
    assert caller.box.mensatek.account.files == {}


async def test_a_file_of_the_same_name_is_replaced_even_when_the_library_is_full(caller: Caller) -> None:
    caller.box.mensatek.account.max_files = 1
    await caller.call("CargarFichero", **IN_BASE64)
    assert (await caller.call("CargarFichero", **{**IN_BASE64, "Contenido": "eA=="}))["Res"] == 1
    assert caller.box.mensatek.account.files["mifichero.pdf"].content == b"x"


async def test_deleting_a_file_that_is_not_there_is_minus_two(caller: Caller) -> None:
    assert (await caller.call("BorrarFichero", Nombre="nada.pdf"))["Res"] == -2
    assert (await caller.call("BorrarFichero"))["Res"] == -3


async def test_credits_are_what_is_left(caller: Caller) -> None:
    await caller.send("34600000000")
    assert await caller.call("GetCreditos") == {"Res": 1, "Cred": 99_999}


async def test_of_templates_with_one_name_the_oldest_wins_and_all_are_counted(caller: Caller) -> None:
    caller.box.mensatek.account.templates = [("Cita", "vieja"), ("Oferta", "50 %"), ("Cita", "nueva")]
    answer = await caller.call("GetPlantillasSMS")
    assert answer == {"Res": 1, "Total": 3, "Plantillas": {"Cita": "vieja", "Oferta": "50 %"}}


async def test_no_templates_are_an_empty_list(caller: Caller) -> None:
    assert await caller.call("GetPlantillasSMS") == {"Res": 1, "Total": 0, "Plantillas": []}
