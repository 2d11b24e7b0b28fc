"""Each quirk of the emulated EnvíaTuSMS, alone: what it changes, and that the rest stays."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from attrs import fields

from mensasdk.sandbox.enviatusms import Quirks
from sandbox.enviatusms_caller import SEND, Gateway

LINK = {"link": "https://a.example/b"}


def quirky(tusms: Gateway, **quirks: Any) -> None:
    tusms.vendor.quirks = Quirks(**quirks)


# ---------------------------------------------------------------------- sms-multi


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("id", ["status", "id", "msg", "ignored"]),
        ("campaign_id", ["status", "campaign_id", "msg", "ignored"]),
        ("both", ["status", "id", "campaign_id", "msg", "ignored"]),
    ],
)
async def test_id_field(tusms: Gateway, value: Any, keys: list[str]) -> None:
    quirky(tusms, id_field=value)
    answer = await tusms.send("04121234567")
    assert list(answer) == keys
    ids = {answer[key] for key in keys if "id" in key.split("_")}
    assert {str(one) for one in ids} == {tusms.box.ledger.messages[0].message_id}


@pytest.mark.parametrize(("value", "shown"), [("list", []), ("null", None), ("missing", "missing")])
@pytest.mark.parametrize("hidden", [False, True])
async def test_no_ignored(tusms: Gateway, value: Any, shown: Any, hidden: bool) -> None:
    quirky(tusms, no_ignored=value, ignored_hidden=hidden)
    assert (await tusms.send("04121234567")).get("ignored", "missing") == shown
    answer = await tusms.send("04121234567", "1")
    assert answer.get("ignored", "missing") == (shown if hidden else ["581"])
    assert answer["msg"].endswith("ignorados."), "the text still tells"


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("international", ["581234567896", "584101234567", "58424"]),
        ("local", ["01234567896", "04101234567", "0424"]),
        ("national", ["1234567896", "4101234567", "424"]),
        ("plus", ["+581234567896", "+584101234567", "+58424"]),
        ("given", ["1234567896", "+584101234567", "0424"]),
    ],
)
async def test_ignored_form(tusms: Gateway, form: Any, shown: list[str]) -> None:
    quirky(tusms, ignored_form=form)
    assert (await tusms.send("1234567896", "+584101234567", "0424"))["ignored"] == shown


async def test_all_ignored(tusms: Gateway) -> None:
    quirky(tusms, all_ignored="no_id")
    answer = await tusms.send("1")
    assert answer.keys() == {"status", "msg", "ignored"}
    assert "id" in await tusms.send("1", "04121234567"), "only when there is nobody"
    quirky(tusms, all_ignored="error")
    status, says, refusal = await tusms.refused("sms-multi", numeros=["1"], texto="x")
    assert (status, says, refusal["ignored"]) == (422, "Todos los numeros son invalidos.", ["581"])
    assert "id" in await tusms.send("1", "04121234567")


async def test_long_texts(tusms: Gateway) -> None:
    quirky(tusms, long_texts=True)
    answer = await tusms.send("04121234567", "04121234591", texto="x" * 161)
    assert [(m.parts, m.credits) for m in tusms.box.ledger.messages] == [(2, Decimal("0.045"))] * 2
    stats = (await tusms.call(f"campaign/{answer['id']}"))["stats"]
    assert stats == {"total_numbers": 2, "total_sms": 4, "pending": 2, "delivered": 2, "failed": 0}


# ---------------------------------------------------------------------- balance and quote


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("sms", ["status", "sms", "balance"]),
        ("creditos", ["status", "creditos", "balance"]),
        ("both", ["status", "sms", "creditos", "balance"]),
    ],
)
async def test_balance_fields(tusms: Gateway, value: Any, keys: list[str]) -> None:
    tusms.vendor.account.balance = Decimal("4.5")
    quirky(tusms, balance_fields=value)
    answer = await tusms.call("balance")
    assert list(answer) == keys
    assert answer.get("creditos", 50) == 50, "enough for so many messages to anybody"


@pytest.mark.parametrize(
    ("value", "shown"), [("zeros", {"movistar": 0, "digitel": 0, "movilnet": 0}), ("object", {}), ("list", [])]
)
async def test_empty_sms(tusms: Gateway, value: Any, shown: Any) -> None:
    quirky(tusms, empty_sms=value)
    assert (await tusms.call("balance"))["sms"]["movistar"] > 0
    tusms.vendor.account.balance = Decimal(0)
    assert (await tusms.call("balance"))["sms"] == shown
    tusms.vendor.account.prices.clear()
    quirky(tusms, empty_sms=value, balance_fields="creditos")
    assert (await tusms.call("balance"))["creditos"] == 0


@pytest.mark.parametrize(("balance", "shown"), [("4.50", "4.5"), ("4.009", "4.009"), ("1E+2", "100"), ("0", "0")])
async def test_money_as_string(tusms: Gateway, balance: str, shown: str) -> None:
    quirky(tusms, money_as_string=True)
    tusms.vendor.account.balance = Decimal(balance)
    assert (await tusms.call("balance"))["balance"] == shown
    assert (await tusms.call("sms-costo", **SEND))["precio_usd"] == "0.135"


async def test_quote_status(tusms: Gateway) -> None:
    assert "status" not in await tusms.call("sms-costo", **SEND)
    quirky(tusms, quote_status=True)
    assert (await tusms.call("sms-costo", **SEND))["status"] == "ok"


# ---------------------------------------------------------------------- campaign


@pytest.mark.parametrize(("value", "shown"), [("first", "uno"), ("null", None), ("list", ["uno", "dos"])])
async def test_message_text(tusms: Gateway, value: Any, shown: Any) -> None:
    quirky(tusms, message_text=value)
    sent = await tusms.send("04121234567", "1", "04121234568", texto=["uno", "nadie", "dos"])
    assert (await tusms.call(f"campaign/{sent['id']}"))["message_text"] == shown
    sent = await tusms.send("04121234567", "04121234568", texto="uno")
    assert (await tusms.call(f"campaign/{sent['id']}"))["message_text"] == "uno"


@pytest.mark.parametrize(
    ("value", "keys"),
    [("list", None), ("by_position", ["0", "1"]), ("by_number", ["584265461179", "584244623824"])],
)
async def test_numbers_stats(tusms: Gateway, value: Any, keys: list[str] | None) -> None:
    quirky(tusms, numbers_stats=value)
    sent = await tusms.call("sms-multi", **SEND)
    rows = (await tusms.call(f"campaign/{sent['id']}"))["numbers_stats"]
    if keys is not None:
        assert list(rows) == keys
        rows = list(rows.values())
    assert [row["mobile_number"] for row in rows] == [584265461179, 584244623824]
    empty = await tusms.send("1")
    assert (await tusms.call(f"campaign/{empty['id']}"))["numbers_stats"] == []


async def test_mobile_number_as_string(tusms: Gateway) -> None:
    quirky(tusms, mobile_number_as_string=True)
    sent = await tusms.send("04121234567")
    [row] = (await tusms.call(f"campaign/{sent['id']}"))["numbers_stats"]
    assert row == {"mobile_number": "584121234567", "status": 1, "processed": 1}


async def test_flags_as_bool(tusms: Gateway) -> None:
    quirky(tusms, flags_as_bool=True)
    sent = await tusms.send("04121234567")
    answer = await tusms.call(f"campaign/{sent['id']}")
    assert [answer[name] for name in ("approved", "cancelled", "from_api")] == [True, False, True]
    assert all(type(answer[name]) is bool for name in ("approved", "cancelled", "from_api"))
    assert answer["numbers_stats"] == [{"mobile_number": 584121234567, "status": 1, "processed": True}]
    assert type(answer["numbers_stats"][0]["processed"]) is bool


async def test_ints_as_strings(tusms: Gateway) -> None:
    quirky(tusms, ints_as_strings=True)
    sent = await tusms.send("04121234567")
    assert sent["id"] == tusms.box.ledger.messages[0].message_id
    answer = await tusms.call(f"campaign/{sent['id']}")
    assert [answer[name] for name in ("approved", "cancelled", "from_api")] == ["1", "0", "1"]
    assert answer["stats"]["total_sms"] == "1"
    assert answer["numbers_stats"] == [{"mobile_number": "584121234567", "status": "1", "processed": "1"}]
    tusms.vendor.account.balance = Decimal("4.5")
    balance = await tusms.call("balance")
    assert (balance["sms"]["movistar"], balance["balance"]) == ("100", 4.5)
    assert (await tusms.call("sms-costo", **SEND))["numeros_validos"] == "2"
    assert (await tusms.call("acortar-url", **LINK))["success"] is True


@pytest.mark.parametrize(("value", "shown"), [("object", {}), ("list", []), ("missing", "missing")])
async def test_locations(tusms: Gateway, value: Any, shown: Any) -> None:
    quirky(tusms, locations=value)
    link = await tusms.call("acortar-url", **LINK)
    sent = await tusms.send("04121234567", texto=link["link"])
    stats = (await tusms.call(f"campaign/{sent['id']}"))["shortlink_stats"]
    assert stats.get("location_unique_clicks", "missing") == shown
    tusms.vendor.links[link["id"]].click()
    stats = (await tusms.call(f"campaign/{sent['id']}"))["shortlink_stats"]
    assert stats["location_unique_clicks"] == {"Venezuela": {"Distrito Capital": {"Caracas": 1}}}


# ---------------------------------------------------------------------- acortar-url


async def test_accepts_url(tusms: Gateway) -> None:
    await tusms.refused("acortar-url", url="https://a.example")
    quirky(tusms, accepts_url=True)
    assert (await tusms.call("acortar-url", url="https://a.example"))["orig_link"] == "https://a.example"
    assert (await tusms.call("acortar-url", **LINK, url="x"))["orig_link"] == LINK["link"]


@pytest.mark.parametrize(("value", "yes", "no"), [("bool", True, False), ("int", 1, 0), ("string", "true", "false")])
async def test_success(tusms: Gateway, value: Any, yes: Any, no: Any) -> None:
    quirky(tusms, success=value)
    good = (await tusms.call("acortar-url", **LINK))["success"]
    bad = json.loads((await tusms.ask("acortar-url", link="x")).body)["success"]
    assert [(type(one), one) for one in (good, bad)] == [(type(yes), yes), (type(no), no)]


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("value", "sending", "links"),
    [
        ("documented", {"status": "error", "msg": ""}, {"success": False, "error": ""}),
        ("general", {"status": "error", "msg": ""}, {"status": "error", "msg": ""}),
        ("short_link", {"success": False, "error": ""}, {"success": False, "error": ""}),
    ],
)
async def test_error_keys(tusms: Gateway, value: Any, sending: dict[str, Any], links: dict[str, Any]) -> None:
    quirky(tusms, error_keys=value)
    for path, form in (("balance", sending), ("sms-costo", sending), ("acortar-url", links)):
        answer = json.loads((await tusms.ask(path, key="x")).body)
        assert answer.keys() == form.keys()
        assert {**answer, **{key: "" for key in ("msg", "error") if key in form}} == form
        assert "El api_key es invalido." in answer.values()
    body = json.loads((await tusms.ask("sms-multi", numeros=["1"], texto="x" * 161)).body)
    assert body["sms_contenido"] == "x" * 161


@pytest.mark.parametrize(
    ("value", "statuses"),
    [
        ("mixed", [401, 404, 422, 200, 200]),
        ("always_200", [200, 200, 200, 200, 200]),
        ("never_200", [401, 404, 422, 422, 422]),
    ],
)
async def test_http_status(tusms: Gateway, value: Any, statuses: list[int]) -> None:
    tusms.vendor.account.balance = Decimal(0)
    tusms.vendor.account.links_per_day = 0
    quirky(tusms, http_status=value)
    answers = [
        await tusms.refused("balance", key="x"),
        await tusms.refused("campaign/1"),
        await tusms.refused("sms-multi"),
        await tusms.refused("sms-multi", **SEND),
        await tusms.refused("acortar-url", **LINK),
    ]
    assert [answer[0] for answer in answers] == statuses
    assert (await tusms.ask("balance")).status == 200


# ---------------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    ("value", "in_link", "elsewhere"),
    [("never", False, False), ("short_link", True, False), ("always", True, True)],
)
async def test_trailing_comma(tusms: Gateway, value: Any, in_link: bool, elsewhere: bool) -> None:
    quirky(tusms, trailing_comma=value)
    for body, comma in (
        ((await tusms.ask("acortar-url", **LINK)).body, in_link),
        ((await tusms.ask("balance")).body, elsewhere),
        ((await tusms.ask("campaign/1")).body, elsewhere),
    ):
        assert body.endswith(b",}") == comma
        json.loads(body.removesuffix(b",}") + b"}" if comma else body)


async def test_php_escapes(tusms: Gateway) -> None:
    quirky(tusms, php_escapes=True)
    sent = await tusms.send("04121234567", texto='ñ 😀 a/b " \\')
    answer = await tusms.ask(f"campaign/{sent['id']}")
    assert rb"\u00f1 \ud83d\ude00 a\/b \" \\" in answer.body
    assert json.loads(answer.body)["message_text"] == 'ñ 😀 a/b " \\'


async def test_wrong_content_type(tusms: Gateway) -> None:
    quirky(tusms, wrong_content_type=True)
    for path in ("balance", "campaign/1"):
        assert (await tusms.ask(path)).content_type == "text/html; charset=utf-8"


async def test_bom(tusms: Gateway) -> None:
    quirky(tusms, bom=True)
    body = (await tusms.ask("balance")).body
    assert body.startswith(b'\xef\xbb\xbf{"status"')
    assert body.count(b"\xef\xbb\xbf") == 1


# ---------------------------------------------------------------------- all of them


async def test_all_of_them_at_once_still_tell_the_truth(tusms: Gateway) -> None:
    tusms.vendor.quirks = Quirks.all()
    answer = await tusms.ask("sms-multi", numeros=["04121234567", "1"], texto="x" * 161)
    text = answer.body.decode("utf-8-sig")
    assert text.endswith(",}")
    [message] = tusms.box.ledger.messages
    assert json.loads(text.replace(",}", "}")) == {
        "status": "ok",
        "campaign_id": message.message_id,
        "msg": "Mensaje enviado con exito. Numeros invalidos ignorados.",
        "ignored": ["01"],
    }
    assert message.parts == 2
    for path in ("balance", "sms-costo", f"campaign/{message.message_id}", "acortar-url"):
        answer = await tusms.ask(path, **SEND, url="https://a.example")
        assert (answer.status, answer.content_type) == (200, "text/html; charset=utf-8")
        assert tusms.box.ledger.requests[-1].outcome == "ok"


def test_every_quirk_is_off_by_default_and_has_a_test_of_its_own() -> None:
    names = {attribute.name for attribute in fields(Quirks)}
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert names - tested == {"ignored_hidden"}, "that one is tested with no_ignored"
    default, everything = Quirks(), Quirks.all()
    same = {name for name in names if getattr(default, name) == getattr(everything, name)}
    assert same == {"ignored_hidden", "flags_as_bool"}, "flags cannot be strings and booleans at once"
