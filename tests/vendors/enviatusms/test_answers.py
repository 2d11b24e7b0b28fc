"""Answers of all calls but sending: the document's samples, and every form that they may take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from served import Answer
from shared import check_plain

from mensasdk import DecodeError, DeliveryState, MensaError
from mensasdk.vendors.enviatusms import NumberStatus

from .served import BALANCE, CAMPAIGN, KEY, QUOTE, SHORT_LINK, talking

CARACAS = ZoneInfo("America/Caracas")

# ------------------------------------------------------------------------------------------------------ balance


async def test_the_sample_of_the_balance() -> None:
    async with talking(BALANCE) as (client, _):
        balance = await client.get_balance()
    assert balance.balance == Decimal("4.50")
    assert balance.sms == {"movistar": 100, "digitel": 200, "movilnet": 50}
    assert balance.credits is None
    assert balance.raw["status"] == "ok"


async def test_the_older_form_of_the_balance() -> None:
    """The document's PHP and Python samples still read ``creditos``."""
    async with talking(b'{"status":"ok","creditos":250,"balance":4.009}') as (client, _):
        balance = await client.get_balance()
    assert (balance.balance, balance.credits, balance.sms) == (Decimal("4.009"), Decimal(250), {})


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        (b"4.50", "4.50"),
        (b'"4.50"', "4.50"),
        (b'"4,50"', "4.50"),
        (b"0", "0"),
        (b"-0.25", "-0.25"),
        (b'"1,234.56"', "1234.56"),
    ],
)
async def test_the_balance_may_be_a_number_or_a_string(written: bytes, amount: str) -> None:
    async with talking(b'{"status":"ok","sms":{},"balance":%b}' % written) as (client, _):
        balance = await client.get_balance()
    assert balance.balance == Decimal(amount)
    assert type(balance.balance) is Decimal


@pytest.mark.parametrize(
    ("written", "counts"),
    [
        (b"[]", {}),
        (b"null", {}),
        (b'""', {}),
        (b"{}", {}),
        (b'{"movistar":"100"}', {"movistar": 100}),
        (b'{"nueva operadora":1}', {"nueva operadora": 1}),
        (b'[{"movistar":100},{"digitel":200}]', {"movistar": 100, "digitel": 200}),
    ],
)
async def test_the_sms_of_the_balance_may_be_an_object_or_an_array(written: bytes, counts: Mapping[str, int]) -> None:
    """The table says array, the sample shows an object, and PHP prints an empty object as an array."""
    async with talking(b'{"status":"ok","sms":%b,"balance":1}' % written) as (client, _):
        assert (await client.get_balance()).sms == counts


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"ok","sms":{}}',
        b'{"status":"ok","balance":null}',
        b'{"status":"ok","balance":"mucho"}',
        b'{"status":"ok","sms":[1,2,3],"balance":1}',
        b'{"balance":1}',
        b'{"status":"quizas","balance":1}',
        b'{"status":null,"balance":1}',
        b'["ok"]',
        b"[]",
        b"null",
        b"4.50",
        b"ok",
    ],
)
async def test_a_balance_that_cannot_be_read_is_an_error(body: bytes) -> None:
    async with talking(body) as (client, _):
        with pytest.raises(DecodeError) as caught:
            await client.get_balance()
    check_plain(caught.value, "enviatusms")


@pytest.mark.parametrize("status", ["ok", "OK", " ok "])
async def test_ok_may_be_written_in_any_case(status: str) -> None:
    async with talking({"status": status, "balance": 1}) as (client, _):
        assert (await client.get_balance()).balance == 1


async def test_an_answer_is_read_by_what_it_is_and_not_by_its_header() -> None:
    async with talking(Answer(b"\xef\xbb\xbf [" + BALANCE + b"]", content_type="text/html")) as (client, _):
        assert (await client.get_balance()).balance == Decimal("4.50")


# -------------------------------------------------------------------------------------------------------- quote


async def test_the_sample_of_the_quote() -> None:
    """It has no ``status``."""
    async with talking(QUOTE) as (client, _):
        quote = await client.quote("04241234567", "Hola")
    assert quote.price == Decimal("20.655")
    assert (quote.valid_numbers, quote.invalid_numbers, quote.messages) == (200, 0, 200)


async def test_a_quote_may_have_a_status_strings_and_unknown_fields() -> None:
    body = {
        "status": "ok",
        "precio_usd": "0.05",
        "numeros_validos": "1",
        "numeros_invalidos": "2",
        "cantidad_mensajes": "3",
        "nuevo": [1],
    }
    async with talking(body) as (client, _):
        quote = await client.quote(["04241234567"], "x" * 400)
    assert (quote.price, quote.valid_numbers, quote.invalid_numbers, quote.messages) == (Decimal("0.05"), 1, 2, 3)
    assert quote.raw["nuevo"] == [1]


@pytest.mark.parametrize("missing", ["precio_usd", "numeros_validos", "numeros_invalidos", "cantidad_mensajes"])
async def test_a_quote_without_one_of_its_figures_is_an_error(missing: str) -> None:
    body = {"precio_usd": 1, "numeros_validos": 1, "numeros_invalidos": 0, "cantidad_mensajes": 1}
    del body[missing]
    async with talking(body) as (client, _):
        with pytest.raises(DecodeError):
            await client.quote("04241234567", "Hola")


# ----------------------------------------------------------------------------------------------------- campaign


async def test_the_sample_of_the_campaign() -> None:
    async with talking(CAMPAIGN) as (client, _):
        campaign = await client.get_campaign(1)
    assert campaign.campaign_id == "1"
    assert campaign.texts == ("Mi campaña de mensajeria",)
    assert campaign.created_at == campaign.send_at == datetime(2023, 4, 28, 12, 5, 17, tzinfo=CARACAS)
    assert campaign.created_at is not None
    assert campaign.created_at.utcoffset() == timedelta(hours=-4)
    assert (campaign.approved, campaign.cancelled, campaign.from_api) == (True, False, False)
    stats = campaign.stats
    assert (stats.total_numbers, stats.total_sms, stats.pending, stats.delivered, stats.failed) == (2, 2, 2, 0, 0)
    assert not campaign.is_complete
    assert [(one.number, one.status, one.processed) for one in campaign.numbers] == [
        ("+584244623824", NumberStatus.PENDING, False),
        ("+584123658866", NumberStatus.PENDING, False),
    ]
    link = campaign.short_link
    assert link is not None
    assert (link.short_url, link.original_url) == ("https://etsms.me/001", "https://www.enviatusms.com")
    assert (link.total_clicks, link.unique_clicks, link.total_views) == (0, 0, 0)
    assert link.clicks_by_location == {}  # the sample does not have it


STATS = {"total_numbers": 1, "total_sms": 1, "pending": 0, "delivered": 1, "failed": 0}
LEAST = {"status": "ok", "stats": STATS}


async def campaign_of(**fields: Any) -> Any:
    async with talking({**LEAST, **fields}) as (client, _):
        return await client.get_campaign("7")


async def test_a_campaign_may_be_all_but_empty() -> None:
    campaign = await campaign_of(numbers_stats=[], shortlink_stats=None, message_text=None, created_at=None)
    assert (campaign.texts, campaign.numbers, campaign.short_link, campaign.created_at) == ((), (), None, None)
    assert (campaign.approved, campaign.cancelled, campaign.from_api) == (None, None, None)
    assert campaign.is_complete


@pytest.mark.parametrize(
    ("value", "expected"), [(1, True), (0, False), ("1", True), ("0", False), (True, True), (False, False)]
)
async def test_flags_are_numbers_strings_or_flags(value: Any, expected: bool) -> None:
    line = {"mobile_number": 584244623824, "status": 1, "processed": value}
    campaign = await campaign_of(approved=value, cancelled=value, from_api=value, numbers_stats=[line])
    assert (campaign.approved, campaign.cancelled, campaign.from_api) == (expected,) * 3
    assert campaign.numbers[0].processed is expected


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-04-28 12:05:17", (2023, 4, 28, 12, 5, 17)),
        ("2023-04-28 9:5:7", (2023, 4, 28, 9, 5, 7)),  # H:m:s to the letter
        ("2023-04-28 12:05", (2023, 4, 28, 12, 5)),
        ("0000-00-00 00:00:00", None),
        ("", None),
    ],
)
async def test_dates_are_on_venezuelas_clock(text: str, moment: tuple[int, ...] | None) -> None:
    campaign = await campaign_of(send_at=text)
    expected = None if moment is None else datetime(*moment, tzinfo=CARACAS)  # type: ignore[misc,arg-type]
    assert campaign.send_at == expected


@pytest.mark.parametrize("number", [584244623824, "584244623824", "+584244623824", "04244623824", 4244623824])
async def test_a_number_comes_back_in_e164(number: int | str) -> None:
    campaign = await campaign_of(numbers_stats=[{"mobile_number": number, "status": 1, "processed": 1}])
    assert campaign.numbers[0].number == "+584244623824"


async def test_a_number_that_is_none_is_kept() -> None:
    campaign = await campaign_of(numbers_stats=[{"mobile_number": 58123456789, "status": 4, "processed": 0}])
    assert campaign.numbers[0].number == "58123456789"


LINES = [
    {"mobile_number": 584244623824, "status": 1, "processed": 1},
    {"mobile_number": 584123658866, "status": 7, "processed": 1},
]


@pytest.mark.parametrize(
    "written",
    [
        LINES,
        {"0": LINES[0], "2": LINES[1]},
        {"584244623824": LINES[0], "584123658866": LINES[1]},
        {"584244623824": {"status": 1, "processed": 1}, "584123658866": {"status": 7, "processed": 1}},
    ],
    ids=["array", "array with gaps", "by number", "by number alone"],
)
async def test_the_numbers_of_a_campaign_may_be_an_array_or_an_object(written: Any) -> None:
    """The table says object, the sample shows an array."""
    campaign = await campaign_of(numbers_stats=written)
    assert [(one.number, int(one.status)) for one in campaign.numbers] == [("+584244623824", 1), ("+584123658866", 7)]


@pytest.mark.parametrize("written", [None, [], {}, "", False])
async def test_a_campaign_may_have_no_numbers_yet(written: Any) -> None:
    assert (await campaign_of(numbers_stats=written)).numbers == ()


async def test_one_number_may_stand_alone() -> None:
    assert len((await campaign_of(numbers_stats=LINES[0])).numbers) == 1


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("Hola", ("Hola",)),
        (["uno", "dos"], ("uno", "dos")),
        ({"0": "uno", "1": "dos"}, ("uno", "dos")),
        ("", ()),
    ],
)
async def test_a_campaign_of_many_texts_may_list_them(written: Any, texts: tuple[str, ...]) -> None:
    assert (await campaign_of(message_text=written)).texts == texts


PLACES = {"Venezuela": {"Miranda": {"Caracas": 3}}}


@pytest.mark.parametrize(
    ("written", "expected"), [(PLACES, PLACES), ([], {}), (None, {}), ([{"country": "VE"}], [{"country": "VE"}])]
)
async def test_clicks_by_location_are_kept_as_they_come(written: Any, expected: Any) -> None:
    campaign = await campaign_of(
        shortlink_stats={
            "short_url": "https://etsms.me/001",
            "orig_url": "https://www.enviatusms.com",
            "total_clicks": 5,
            "unique_clicks": "3",
            "total_views": 9,
            "location_unique_clicks": written,
        }
    )
    link = campaign.short_link
    assert (link.total_clicks, link.unique_clicks, link.total_views) == (5, 3, 9)
    assert link.clicks_by_location == expected


@pytest.mark.parametrize("written", [None, [], ""])
async def test_a_campaign_may_have_no_short_link(written: Any) -> None:
    assert (await campaign_of(shortlink_stats=written)).short_link is None


@pytest.mark.parametrize(
    "fields",
    [
        {"stats": None},
        {"stats": {**STATS, "pending": None}},
        {"stats": {**STATS, "pending": "pocos"}},
        {"created_at": "ayer"},
        {"numbers_stats": [{"mobile_number": 1, "processed": 1}]},
        {"numbers_stats": [{"status": 1}]},
        {"numbers_stats": 5},
        {"approved": "tal vez"},
    ],
    ids=str,
)
async def test_a_campaign_that_cannot_be_read_is_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(DecodeError) as caught:
        await campaign_of(**fields)
    check_plain(caught.value, "enviatusms")


async def test_a_campaign_of_many_numbers_is_read() -> None:
    """Answers this large are read by another JSON reader."""
    lines = [{"mobile_number": 584240000000 + index, "status": index % 2, "processed": 1} for index in range(3000)]
    campaign = await campaign_of(numbers_stats=lines)
    assert len({one.number for one in campaign.numbers}) == 3000
    assert campaign.numbers[1].status is NumberStatus.DELIVERED


async def test_a_campaign_in_vendor_neutral_terms() -> None:
    lines = [{"mobile_number": 584240000000 + code, "status": code, "processed": 1} for code in (0, 1, 4, 7, 9)]
    campaign = await campaign_of(numbers_stats=lines)
    deliveries = campaign.to_deliveries()
    assert [(one.code, one.state) for one in deliveries] == [
        ("0", DeliveryState.PENDING),
        ("1", DeliveryState.DELIVERED),
        ("4", DeliveryState.CANCELLED),
        ("7", DeliveryState.FAILED),
        ("9", DeliveryState.UNKNOWN),
    ]
    assert {(one.vendor, one.vendor_id, one.at) for one in deliveries} == {("enviatusms", "7", None)}
    assert deliveries[1].number == "+584240000001"
    assert deliveries[1].raw["processed"] == 1


async def test_a_campaign_shows_neither_numbers_nor_texts() -> None:
    campaign = await campaign_of(message_text="secreto", numbers_stats=LINES)
    assert repr(campaign) == "Campaign('7', 2 numbers, 0 pending)"
    assert "4244623824" not in repr(campaign.numbers)


# --------------------------------------------------------------------------------------------------- short links


async def test_the_sample_of_the_short_link_is_no_json_and_is_read() -> None:
    """It ends with a comma that JSON does not allow."""
    async with talking(SHORT_LINK) as (client, _):
        link = await client.shorten_url("https://www.mi-url-a-acortar.com")
    assert link.link == "https://etsms.me/XYZ"
    assert link.without_scheme == "etsms.me/XYZ"
    assert link.link_id == "XYZ"
    assert link.original_url == "https://www.mi-url-a-acortar.com"


@pytest.mark.parametrize("success", [True, 1, "1", "true"])
async def test_a_short_link_needs_no_more_than_its_link(success: Any) -> None:
    async with talking({"success": success, "link": "https://etsms.me/1", "id": 1}) as (client, _):
        link = await client.shorten_url("https://example.com")
    assert (link.link, link.link_id, link.original_url) == ("https://etsms.me/1", "1", "")


@pytest.mark.parametrize(
    "body", [{"success": True}, {"link": "https://etsms.me/1"}, {"success": "quizas", "link": "x"}]
)
async def test_a_short_link_that_cannot_be_read_is_an_error(body: Mapping[str, Any]) -> None:
    async with talking(body) as (client, _):
        with pytest.raises(DecodeError):
            await client.shorten_url("https://example.com")


# ------------------------------------------------------------------------------------------------- whatever comes


HOSTILE = {
    "a page": b"<!DOCTYPE html><html><body>Mantenimiento</body></html>",
    "nested too deeply": b"[" * 5000,
    "a number of absurd length": b'{"status":"ok","balance":' + b"9" * 5000 + b"}",
    "one key twice": b'{"status":"ok","balance":1,"balance":2}',
    "one key twice in different case": b'{"status":"ok","balance":1,"Balance":2}',
    "cut": BALANCE[:40],
    "NaN": b'{"status":"ok","balance":NaN}',
    "XML with a DOCTYPE": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "bytes": bytes(range(256)),
    "ok and error at once": b'{"status":"ok","success":false,"balance":1}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
async def test_whatever_comes_ends_in_an_error_of_ours(body: bytes) -> None:
    async with talking(body) as (client, _):
        with pytest.raises(MensaError) as caught:
            await client.get_balance()
    check_plain(caught.value, "enviatusms")
    assert KEY not in str(caught.value)
