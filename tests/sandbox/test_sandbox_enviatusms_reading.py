"""The emulated EnvíaTuSMS: the key, balance, campaigns, moderation and short links."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import aiohttp
import pytest

from mensasdk.sandbox import EnviaTuSms, Sandbox
from mensasdk.sandbox.enviatusms import Account, state
from mensasdk.sandbox.vendor import Incoming
from sandbox.enviatusms_caller import POSTS, SEND, Gateway

PATHS = ["balance", "sms-multi", "sms-costo", "campaign/1", "acortar-url"]
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def moment(text: str) -> datetime:
    """Return a date of Caracas, which is UTC-4."""
    assert DATE.fullmatch(text)
    return datetime.strptime(f"{text} -0400", "%Y-%m-%d %H:%M:%S %z")


# ---------------------------------------------------------------------- the box and the key


async def test_the_client_gets_what_it_needs(tusms: Gateway) -> None:
    assert tusms.box.base_url("enviatusms") == f"http://127.0.0.1:{tusms.box.port}/enviatusms/api"
    credentials = tusms.box.credentials("enviatusms")
    assert credentials.keys() == {"api_key"}
    assert re.fullmatch(r"[0-9a-f]{16}", credentials["api_key"])


async def test_the_account_may_be_given() -> None:
    vendor = EnviaTuSms(account=Account(api_key="k", balance="4.5"))
    async with Sandbox(enviatusms=vendor) as box, aiohttp.ClientSession() as session:
        assert box.credentials("enviatusms") == {"api_key": "k"}
        assert (await Gateway(box, session).call("balance"))["balance"] == 4.5


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", ["", "x", "ñ", "0" * 16])
async def test_a_wrong_or_missing_key_is_401(tusms: Gateway, path: str, key: str) -> None:
    status, says, _ = await tusms.refused(path, key=key, **SEND)
    assert status == 401
    assert says == ("El api_key es invalido." if key else "Falta el parametro api_key.")


@pytest.mark.parametrize("wrong", ["{key}x", "{key} ", "x{key}", "{key}{key}"])
async def test_a_key_that_is_nearly_right_is_401(tusms: Gateway, wrong: str) -> None:
    for key in (wrong.format(key=tusms.key), tusms.key[:-1], tusms.key[1:], tusms.key.upper() + "A"):
        assert (await tusms.refused("balance", key=key))[0] == 401


def test_a_key_of_bytes_that_nobody_escaped_is_401() -> None:
    """They arrive as lone surrogates, if the HTTP parser lets them through at all."""
    vendor = EnviaTuSms()
    request = Incoming("GET", "/balance", "api_key=\udcff\ud800", {}, b"")
    vendor.decode("balance", request)
    assert vendor.handle("balance", request).status == 401


@pytest.mark.parametrize("path", sorted(POSTS))
async def test_a_key_in_the_body_does_not_count(tusms: Gateway, path: str) -> None:
    status, says, _ = await tusms.refused(path, key="", api_key=tusms.key, **SEND)
    assert (status, says) == (401, "Falta el parametro api_key.")


@pytest.mark.parametrize("query", ["api_key=%ff", "api_key=%ed%a0%80", "api_key", "API_KEY={key}", "api_key[]={key}"])
async def test_a_key_that_cannot_be_read_is_401(tusms: Gateway, query: str) -> None:
    assert (await tusms.request("GET", "balance", query.format(key=tusms.key))).status == 401


async def test_of_two_keys_the_last_counts(tusms: Gateway) -> None:
    assert (await tusms.request("GET", "balance", f"api_key=x&api_key={tusms.key}")).status == 200
    assert (await tusms.request("GET", "balance", f"api_key={tusms.key}&api_key=x")).status == 401


@pytest.mark.parametrize("path", PATHS)
async def test_the_other_method_is_405(tusms: Gateway, path: str) -> None:
    method = "GET" if path in POSTS else "POST"
    assert (await tusms.request(method, path, f"api_key={tusms.key}", data=b"{}")).status == 405


@pytest.mark.parametrize("path", ["campaign", "campaign/1/2", "sms", "balance/", "Balance", "campaigns/1"])
async def test_other_paths_are_404(tusms: Gateway, path: str) -> None:
    assert (await tusms.request("GET", path, f"api_key={tusms.key}")).content_type.startswith("text/plain")


# ---------------------------------------------------------------------- balance


async def test_the_balance_is_that_of_the_document(tusms: Gateway) -> None:
    tusms.vendor.account.balance = Decimal("4.50")
    answer = await tusms.ask("balance")
    assert json.loads(answer.body) == {
        "status": "ok",
        "sms": {"movistar": 100, "digitel": 200, "movilnet": 50},
        "balance": 4.50,
    }
    assert answer.content_type == "application/json"


async def test_a_balance_buys_whole_messages(tusms: Gateway) -> None:
    tusms.vendor.account.balance = Decimal("0.0899")
    assert (await tusms.call("balance"))["sms"] == {"movistar": 1, "digitel": 3, "movilnet": 0}
    tusms.vendor.account.prices["digitel"] = Decimal(0)
    assert (await tusms.call("balance"))["sms"] == {"movistar": 1, "movilnet": 0}, "what costs nothing has no count"


# ---------------------------------------------------------------------- campaigns


async def test_a_campaign_has_all_that_the_document_lists(tusms: Gateway) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    sent = await tusms.call("sms-multi", **SEND)
    answer = await tusms.call(f"campaign/{sent['id']}")
    assert before <= moment(answer.pop("created_at")) <= datetime.now(UTC)
    assert before <= moment(answer.pop("send_at")) <= datetime.now(UTC)
    assert answer == {
        "status": "ok",
        "message_text": "Mensaje de prueba",
        "approved": 1,
        "cancelled": 0,
        "from_api": 1,
        "stats": {"total_numbers": 2, "total_sms": 2, "pending": 0, "delivered": 2, "failed": 0},
        "numbers_stats": [
            {"mobile_number": 584265461179, "status": 1, "processed": 1},
            {"mobile_number": 584244623824, "status": 1, "processed": 1},
        ],
        "shortlink_stats": None,
    }


@pytest.mark.parametrize("path", ["1", "abc", "0", "-1", "1.0", "9" * 30, "%D9%A1", "1%00", "%20"])
async def test_an_unknown_campaign_is_404(tusms: Gateway, path: str) -> None:
    status, says, _ = await tusms.refused(f"campaign/{path}")
    assert (status, says) == (404, "La campana no existe.")


async def test_a_campaign_of_another_spelling_of_its_id_is_found(tusms: Gateway) -> None:
    sent = await tusms.send("04121234567")
    assert (await tusms.call(f"campaign/0{sent['id']}"))["status"] == "ok"
    assert tusms.box.ledger.requests[-1].params == {"id": f"0{sent['id']}"}


ENDINGS = {"91": (0, 0), "92": (0, 1), "94": (4, 1), "95": (5, 1), "97": (7, 1), "00": (1, 1), "01": (1, 1)}


async def test_the_last_digits_choose_what_becomes_of_a_message() -> None:
    async with Sandbox(delivery_delay=100.0) as box, aiohttp.ClientSession() as session:
        tusms = Gateway(box, session)
        numbers = {f"5841200000{ending}": state for ending, state in ENDINGS.items()}
        campaign_id = (await tusms.send(*numbers))["id"]
        assert await tusms.states(campaign_id) == dict.fromkeys(numbers, (0, 0))
        tusms.age(campaign_id, 51)
        assert await tusms.states(campaign_id) == {
            number: (0, 0) if number.endswith("91") else (0, 1) for number in numbers
        }
        assert (await tusms.call(f"campaign/{campaign_id}"))["stats"]["pending"] == 7
        tusms.age(campaign_id, 101)
        assert await tusms.states(campaign_id) == numbers
        assert (await tusms.call(f"campaign/{campaign_id}"))["stats"] == {
            "total_numbers": 7,
            "total_sms": 7,
            "pending": 2,
            "delivered": 2,
            "failed": 3,
        }


async def test_the_time_scale_shortens_the_delay() -> None:
    async with Sandbox(delivery_delay=100.0, time_scale=0.1) as box, aiohttp.ClientSession() as session:
        tusms = Gateway(box, session)
        campaign_id = (await tusms.send("04120000000"))["id"]
        tusms.age(campaign_id, 6)
        assert await tusms.states(campaign_id) == {"584120000000": (0, 1)}
        tusms.age(campaign_id, 11)
        assert await tusms.states(campaign_id) == {"584120000000": (1, 1)}


async def test_a_campaign_of_the_web_panel_can_be_read(tusms: Gateway) -> None:
    campaign_id = tusms.vendor.create_campaign(["04121234567", "04141234567"], ["uno", "dos"])
    assert (await tusms.call(f"campaign/{campaign_id}"))["from_api"] == 0
    assert [message.text for message in tusms.box.ledger.messages] == ["uno", "dos"]
    twice = tusms.vendor.create_campaign(("04121234567",) * 2, ("uno", "dos"), allow_duplicates=True)
    assert (await tusms.call(f"campaign/{twice}"))["stats"]["total_sms"] == 2
    with pytest.raises(ValueError, match="esta vacio"):
        tusms.vendor.create_campaign([], "x")


# ---------------------------------------------------------------------- moderation


@pytest.fixture
def moderated(tusms: Gateway) -> Gateway:
    tusms.vendor.account.moderation = True
    return tusms


async def test_a_campaign_in_moderation_waits(moderated: Gateway) -> None:
    campaign_id = (await moderated.send("04121234567"))["id"]
    answer = await moderated.call(f"campaign/{campaign_id}")
    assert (answer["approved"], answer["cancelled"], answer["stats"]["pending"]) == (0, 0, 1)
    [message] = moderated.box.ledger.messages
    assert (message.state, moderated.box.ledger.charged) == ("scheduled", Decimal("0.0225"))


async def test_an_approved_campaign_goes_out(moderated: Gateway) -> None:
    campaign_id = (await moderated.send("04121234567"))["id"]
    moderated.vendor.campaigns[campaign_id].created -= timedelta(hours=1)
    moderated.vendor.campaigns[campaign_id].send_at -= timedelta(hours=1)
    moderated.vendor.approve(campaign_id)
    answer = await moderated.call(f"campaign/{campaign_id}")
    assert (answer["approved"], answer["stats"]["delivered"]) == (1, 1)
    assert moment(answer["send_at"]) - moment(answer["created_at"]) >= timedelta(hours=1)
    assert moderated.box.ledger.messages[0].state == "sent"
    with pytest.raises(ValueError, match="does not wait"):
        moderated.vendor.approve(campaign_id)
    with pytest.raises(ValueError, match="over"):
        moderated.vendor.cancel(campaign_id)
    with pytest.raises(KeyError):
        moderated.vendor.approve(0)


async def test_a_cancelled_campaign_is_removed_and_paid_back(moderated: Gateway) -> None:
    campaign_id = (await moderated.send("04121234567", "04141234567"))["id"]
    other = (await moderated.send("04121234567"))["id"]
    moderated.vendor.cancel(campaign_id)
    answer = await moderated.call(f"campaign/{campaign_id}")
    assert (answer["approved"], answer["cancelled"]) == (0, 1)
    assert answer["stats"] == {"total_numbers": 2, "total_sms": 2, "pending": 0, "delivered": 0, "failed": 2}
    assert [(row["status"], row["processed"]) for row in answer["numbers_stats"]] == [(4, 0), (4, 0)]
    ledger = moderated.box.ledger
    assert [message.state for message in ledger.messages] == ["cancelled", "cancelled", "scheduled"]
    assert (ledger.refunded, ledger.charged) == (Decimal("0.0675"), Decimal("0.09"))
    assert moderated.vendor.account.balance == 100_000 - Decimal("0.0225")
    for change in (moderated.vendor.cancel, moderated.vendor.approve):
        with pytest.raises(ValueError, match=r"over|does not wait"):
            change(campaign_id)
    moderated.vendor.approve(other)
    assert len(ledger) == 3


async def test_a_campaign_on_its_way_can_be_cancelled() -> None:
    async with Sandbox(delivery_delay=100.0) as box, aiohttp.ClientSession() as session:
        tusms = Gateway(box, session)
        campaign_id = (await tusms.send("04121234567"))["id"]
        tusms.vendor.cancel(campaign_id)
        assert await tusms.states(campaign_id) == {"584121234567": (4, 0)}
        assert (await tusms.call(f"campaign/{campaign_id}"))["approved"] == 1


# ---------------------------------------------------------------------- short links


async def test_a_short_link_is_as_in_the_document(tusms: Gateway) -> None:
    answer = await tusms.call("acortar-url", link="https://www.mi-url-a-acortar.com")
    link_id = answer["id"]
    assert re.fullmatch(r"[0-9A-Za-z]{3}", link_id)
    assert answer == {
        "success": True,
        "orig_link": "https://www.mi-url-a-acortar.com",
        "link": f"https://etsms.me/{link_id}",
        "link_no_protocol": f"etsms.me/{link_id}",
        "id": link_id,
    }


@pytest.mark.parametrize("link", ["http://a", "HTTPS://a.example:8/b?c=d#e", "https://añb.example/ñ"])
async def test_any_http_address_can_be_shortened(tusms: Gateway, link: str) -> None:
    assert (await tusms.call("acortar-url", link=link))["orig_link"] == link


@pytest.mark.parametrize(
    "link", ["www.a.example", "ftp://a.example", "https://", "https:///x", "https://a b", 5, ["x"]]
)
async def test_anything_else_cannot(tusms: Gateway, link: object) -> None:
    status, says, fields = await tusms.refused("acortar-url", link=link)
    assert (status, says) == (422, "El link debe ser una URL con http o https.")
    assert fields.keys() == {"success", "error"}


@pytest.mark.parametrize("params", [{}, {"link": ""}, {"link": None}, {"url": "https://a.example"}])
async def test_the_link_must_be_there(tusms: Gateway, params: dict[str, object]) -> None:
    status, says, _ = await tusms.refused("acortar-url", **params)
    assert (status, says) == (422, "Falta el parametro link.")


async def test_ten_links_a_day_of_caracas(tusms: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        hour_utc = 3

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 3, 2, cls.hour_utc, 59, tzinfo=UTC).astimezone(tz)  # type: ignore[arg-type]

    monkeypatch.setattr(state, "datetime", Clock)
    for _ in range(10):
        await tusms.call("acortar-url", link="https://a.example")
    status, says, _ = await tusms.refused("acortar-url", link="https://a.example")
    assert (status, says) == (200, "Ha alcanzado el limite de enlaces diarios.")
    await tusms.refused("acortar-url", link="wrong")
    Clock.hour_utc = 4
    await tusms.call("acortar-url", link="https://a.example")
    assert len(tusms.vendor.links) == 11, "the same address twice makes two links"


async def test_a_campaign_tells_the_clicks_on_its_link(tusms: Gateway) -> None:
    link = await tusms.call("acortar-url", link="https://www.enviatusms.com")
    sent = await tusms.send(
        "04121234567", "04141234567", texto=["Hola", f"Mira https://{link['link_no_protocol']}, ya"]
    )
    stats = (await tusms.call(f"campaign/{sent['id']}"))["shortlink_stats"]
    assert stats == {
        "short_url": link["link"],
        "orig_url": "https://www.enviatusms.com",
        "total_clicks": 0,
        "unique_clicks": 0,
        "total_views": 0,
        "location_unique_clicks": {},
    }
    short = tusms.vendor.links[link["id"]]
    short.click("192.0.2.1")
    short.click("192.0.2.1")
    short.click("192.0.2.2", region="Zulia", city="Maracaibo")
    short.total_views = 7
    stats = (await tusms.call(f"campaign/{sent['id']}"))["shortlink_stats"]
    assert (stats["total_clicks"], stats["unique_clicks"], stats["total_views"]) == (3, 2, 7)
    assert stats["location_unique_clicks"] == {
        "Venezuela": {"Distrito Capital": {"Caracas": 1}, "Zulia": {"Maracaibo": 1}}
    }


@pytest.mark.parametrize("text", ["etsms.me/", "etsms.me/zzzzzz", "etsms.m/{id}", "{id}"])
async def test_no_link_of_the_account_no_clicks(tusms: Gateway, text: str) -> None:
    link = await tusms.call("acortar-url", link="https://a.example")
    sent = await tusms.send("04121234567", texto=text.format(id=link["id"]) + " ")
    assert (await tusms.call(f"campaign/{sent['id']}"))["shortlink_stats"] is None


async def test_the_key_may_be_escaped(tusms: Gateway) -> None:
    tusms.vendor.account.api_key = "a key & more ñ"
    assert (await tusms.call("balance"))["status"] == "ok"
    assert (await tusms.request("GET", "balance", f"api_key={quote(tusms.key)}")).status == 200
