"""Credentials, the answer formats, and the quirks."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from attrs import fields

from mensasdk.sandbox import Account, Quirks, Sandbox
from sandbox.caller import SEND, Answer, Caller

FUNCTIONS = [
    "EnviarSMS",
    "CancelarSMS",
    "ReprogramarSMS",
    "GetReportSMS",
    "CargarFichero",
    "ListarFicheros",
    "BorrarFichero",
    "GetCreditos",
    "GetPlantillasSMS",
]
WRONG = ["", "Basic", "Basic !", "Basic dXNlcjpwYXNz", "Bearer abc", "Basic \xff"]


async def ask(caller: Caller, resp: str | None, function: str = "EnviarSMS", **changed: Any) -> Answer:
    params = {**SEND, "Resp": resp, **changed}
    return await caller.post(function, json={name: value for name, value in params.items() if value is not None})


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_wrong_credentials_are_minus_one_with_status_200_and_do_nothing(caller: Caller, function: str) -> None:
    for auth in WRONG:
        answer = await caller.post(function, json=SEND, auth=auth)
        assert (answer.status, answer.text) == (200, '[{"Res":-1}]')
    assert len(caller.box.ledger) == 0
    assert {request.outcome for request in caller.box.ledger.requests} == {"-1"}


@pytest.mark.parametrize("quirks", [Quirks(), Quirks(bare_auth_error=True)])
async def test_wrong_credentials_in_each_format(caller: Caller, quirks: Quirks) -> None:
    """Old versions answered the bare number, and so it may still come in XML."""
    caller.box.mensatek.quirks = quirks
    xml = "-1" if quirks.bare_auth_error else '<?xml version="1.0"?>\n<result>\n<Res>-1</Res>\n</result>\n'
    for resp, text in {"ANT": "-1", "": "-1", "TXT": "Res:-1;\r\n", "XML": xml}.items():
        assert (await caller.post("GetCreditos", json={"Resp": resp}, auth="")).text == text


async def test_credentials_are_random_for_each_box() -> None:
    one, other = Sandbox(), Sandbox()
    assert one.credentials("mensatek") != other.credentials("mensatek")
    assert one.credentials("mensatek")["api_token"] not in repr(one.mensatek.account)


async def test_json_is_a_list_that_holds_one_object(caller: Caller) -> None:
    answer = await ask(caller, "JSON")
    assert answer.content_type == "application/json; charset=utf-8"
    assert isinstance(json.loads(answer.body), list)


async def test_txt_is_one_key_and_value_per_line(caller: Caller) -> None:
    answer = await ask(caller, "TXT")
    message_id = caller.box.ledger.messages[0].message_id
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text == (
        f"Res:2;\r\nDestinatarios:2;\r\nMsgid:{message_id};\r\nidMensaje:{message_id};\r\nCred:99998;\r\n"
        "Mensajes:2;\r\nNoEnviados:0;\r\nCreditosUsados:2;\r\n"
    )


async def test_txt_puts_lists_into_brackets(caller: Caller) -> None:
    caller.box.mensatek.account.templates = [("Cita", "Hola; (Variable_1)")]
    answer = await ask(caller, "TXT", "GetPlantillasSMS")
    assert answer.text == (
        "Res:1;\r\nTotal:1;\r\nPlantillas:\r\n[\r\n0: [\r\nNombre:Cita;\r\nContenido:Hola; (Variable_1);\r\n]\r\n]\r\n"
    )


async def test_xml_has_the_result_root_numbered_items_and_character_references(caller: Caller) -> None:
    await ask(caller, "XML")
    message_id = caller.box.ledger.messages[0].message_id
    answer = await ask(caller, "XML", "GetReportSMS", Idmensaje=message_id)
    assert answer.content_type == "text/xml; charset=utf-8"
    assert answer.body.isascii()
    assert b"Entregado al Tel&#xE9;fono" in answer.body
    root = ET.fromstring(answer.text)  # noqa: S314
    assert root.tag == "result"
    report = root.find("Informe")
    assert report is not None
    assert [item.tag for item in report] == ["item0", "item1"]
    assert report.findtext("item1/Telefono") == "34600000001"
    assert report.findtext("item0/Estado") == "Entregado al Teléfono"


async def test_xml_survives_any_template(caller: Caller) -> None:
    caller.box.mensatek.account.templates = [("1 & <2>", "a\x00b ]]> € 😀")]
    root = ET.fromstring((await ask(caller, "XML", "GetPlantillasSMS")).text)  # noqa: S314
    assert root.findtext("Plantillas/item0/Nombre") == "1 & <2>"
    assert root.findtext("Plantillas/item0/Contenido") == "a?b ]]> € 😀"


@pytest.mark.parametrize("resp", ["ANT", None, "YAML"])
async def test_without_a_known_format_the_answer_is_the_old_one_with_fewer_fields(
    caller: Caller, resp: str | None
) -> None:
    answer = await ask(caller, resp)
    assert answer.text == f"Res:2;\r\nMsgid:{caller.box.ledger.messages[0].message_id};\r\nCred:99998;\r\n"


async def quirky(caller: Caller, resp: str = "JSON", **quirks: Any) -> Answer:
    caller.box.mensatek.quirks = Quirks(**quirks)
    caller.box.mensatek.account.credits = Decimal("12347.67")
    return await ask(caller, resp)


async def test_quirk_bare_object(caller: Caller) -> None:
    assert isinstance(json.loads((await quirky(caller, bare_object=True)).body), dict)


@pytest.mark.parametrize(("case", "key"), [("upper", "IDMENSAJE"), ("lower", "idmensaje"), ("documented", "idMensaje")])
async def test_quirk_keys_case(caller: Caller, case: str, key: str) -> None:
    assert key in json.loads((await quirky(caller, keys_case=case)).body)[0]


async def test_quirk_numbers_as_strings(caller: Caller) -> None:
    [answer] = json.loads((await quirky(caller, numbers_as_strings=True)).body)
    assert (answer["Res"], answer["Cred"]) == ("2", "12345.67")


async def test_quirk_spanish_decimals(caller: Caller) -> None:
    assert json.loads((await quirky(caller, spanish_decimals=True)).body)[0]["Cred"] == "12.345,67"
    assert "Cred:12.345,67;" in (await quirky(caller, "TXT", spanish_decimals=True)).text


async def test_quirk_res_as_resp(caller: Caller) -> None:
    [answer] = json.loads((await quirky(caller, res_as_resp=True)).body)
    assert answer["Resp"] == 2
    assert "Res" not in answer


async def test_quirk_saldo_for_cred(caller: Caller) -> None:
    [answer] = json.loads((await quirky(caller, saldo_for_cred=True)).body)
    assert answer["Saldo"] == 12345.67
    assert "Cred" not in answer


async def test_quirk_junk_around_json(caller: Caller) -> None:
    text = (await quirky(caller, junk_around_json=True)).text
    assert not text.startswith("[")
    assert not text.rstrip().endswith("]")
    assert json.loads(text[text.index("{") : text.rindex("}") + 1])["Res"] == 2


async def test_quirk_trailing_comma(caller: Caller) -> None:
    assert (await quirky(caller, trailing_comma=True)).text.endswith(",}]")


async def test_quirk_wrong_content_type(caller: Caller) -> None:
    answer = await quirky(caller, wrong_content_type=True)
    assert answer.content_type == "text/html; charset=utf-8"
    assert json.loads(answer.body)[0]["Res"] == 2


async def test_quirk_latin1(caller: Caller) -> None:
    caller.box.mensatek.quirks = Quirks(latin1=True)
    caller.box.mensatek.account.templates = [("año", "á")]
    answer = await ask(caller, "JSON", "GetPlantillasSMS")
    assert answer.content_type == "application/json"
    assert "año".encode("latin-1") in answer.body


async def test_quirk_bom(caller: Caller) -> None:
    assert (await quirky(caller, bom=True)).body.startswith(b"\xef\xbb\xbf[")


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
async def test_quirk_txt_newline(caller: Caller, newline: str) -> None:
    assert (await quirky(caller, "TXT", txt_newline=newline)).text.startswith(f"Res:2;{newline}Destinatarios:")


async def test_quirk_msgid_only(caller: Caller) -> None:
    [answer] = json.loads((await quirky(caller, msgid_only=True)).body)
    assert "Msgid" in answer
    assert "idMensaje" not in answer


async def test_quirk_destinatarios_as_list(caller: Caller) -> None:
    [answer] = json.loads((await quirky(caller, destinatarios_as_list=True)).body)
    assert answer["Destinatarios"] == [{"Movil": "34600000000"}, {"Movil": "34600000001"}]
    xml = ET.fromstring((await quirky(caller, "XML", destinatarios_as_list=True)).text)  # noqa: S314
    assert xml.findtext("Destinatarios/item1/Movil") == "34600000001"


async def test_quirk_query_breaks_auth(caller: Caller) -> None:
    assert json.loads((await caller.post("GetCreditos", query="Resp=JSON")).body)[0]["Res"] == 1
    caller.box.mensatek.quirks = Quirks(query_breaks_auth=True)
    assert json.loads((await caller.post("GetCreditos", query="Resp=JSON")).body)[0]["Res"] == -1
    assert (await caller.call("GetCreditos"))["Res"] == 1


async def test_quirk_auth_status(caller: Caller) -> None:
    caller.box.mensatek.quirks = Quirks(auth_status=401)
    assert (await caller.post("GetCreditos", json={}, auth="")).status == 401
    assert (await caller.post("GetCreditos", json={})).status == 200


async def test_all_quirks_switch_everything_and_the_send_still_counts(caller: Caller) -> None:
    default, every = Quirks(), Quirks.all()
    same = {quirk.name for quirk in fields(Quirks) if getattr(default, quirk.name) == getattr(every, quirk.name)}
    assert same == {"auth_status"}
    caller.box.mensatek.quirks = every
    answer = await ask(caller, "JSON")
    text = answer.body.decode("latin-1")
    assert '"RESP":"2"' in text
    assert '"SALDO":"99.998,00",' in text
    assert len(caller.box.ledger) == 2


async def test_an_account_takes_credits_in_any_numeric_form() -> None:
    assert Account(credits="1.5", price=2).credits == Decimal("1.5")
