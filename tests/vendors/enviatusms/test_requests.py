"""Calls one by one: what each puts on the wire, and what it refuses before anything leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from served import Answer

from mensasdk import AiohttpTransport, ConfigurationError, MensaError, OutcomeKind, RetryPolicy, ValidationError
from mensasdk.vendors.enviatusms import EnviaTuSmsClient, SendSms

from .served import BALANCE, CAMPAIGN, KEY, QUOTE, SENT, SHORT_LINK, talking

Call = Callable[[EnviaTuSmsClient], Awaitable[object]]

CALLS: dict[str, tuple[Call, bytes, str, str, Any]] = {
    "balance": (lambda client: client.get_balance(), BALANCE, "GET", "/api/balance", None),
    "sms-multi": (
        lambda client: client.send_sms(["04265461179", "04244623824"], "Mensaje de prueba"),
        SENT,
        "POST",
        "/api/sms-multi",
        {"numeros": ["584265461179", "584244623824"], "texto": "Mensaje de prueba"},
    ),
    "sms-multi, a text each": (
        lambda client: client.send_sms(
            ["04265461179", "04244623824"], ["Mensaje de prueba 0426", "Mensaje de prueba 0424"]
        ),
        SENT,
        "POST",
        "/api/sms-multi",
        {
            "numeros": ["584265461179", "584244623824"],
            "texto": ["Mensaje de prueba 0426", "Mensaje de prueba 0424"],
        },
    ),
    "sms-multi, duplicates": (
        lambda client: client.send_sms(["04265461179", "4265461179"], ["uno", "dos"], allow_duplicates=True),
        b'{"status":"ok","id":1}',
        "POST",
        "/api/sms-multi",
        {"numeros": ["584265461179", "584265461179"], "texto": ["uno", "dos"], "permitir_duplicados": True},
    ),
    "sms-costo": (
        lambda client: client.quote(["04265461179", "04244623824"], "Mensaje de prueba"),
        QUOTE,
        "POST",
        "/api/sms-costo",
        {"numeros": ["584265461179", "584244623824"], "texto": "Mensaje de prueba"},
    ),
    "sms-costo, a text each, duplicates": (
        lambda client: client.quote(["04265461179", "04265461179"], ["uno", "dos"], allow_duplicates=True),
        QUOTE,
        "POST",
        "/api/sms-costo",
        {"numeros": ["584265461179", "584265461179"], "texto": ["uno", "dos"], "permitir_duplicados": True},
    ),
    "campaign": (lambda client: client.get_campaign(1), CAMPAIGN, "GET", "/api/campaign/1", None),
    "acortar-url": (
        lambda client: client.shorten_url("https://www.mi-url-a-acortar.com"),
        SHORT_LINK,
        "POST",
        "/api/acortar-url",
        {"link": "https://www.mi-url-a-acortar.com"},
    ),
}


@pytest.mark.parametrize(("call", "body", "method", "path", "sent"), CALLS.values(), ids=CALLS)
async def test_a_call_is_one_request_of_the_documented_form(
    call: Call, body: bytes, method: str, path: str, sent: Any
) -> None:
    """The key is the only query parameter, of POSTs too, and everything else of a POST is JSON."""
    async with talking(body) as (client, server):
        await call(client)
    (request,) = server.requests
    assert (request.method, request.path, dict(request.pairs)) == (method, path, {"api_key": KEY})
    assert request.headers["accept"] == "application/json"
    if sent is None:
        assert request.body == b""
        assert "content-type" not in request.headers
    else:
        assert request.headers["content-type"] == "application/json"
        assert request.json == sent


@pytest.mark.parametrize("key", ["a&b=c#d", "ñandú", "100%", "a+b/c", "'\"<>"])
async def test_the_key_arrives_as_it_was_given(key: str) -> None:
    async with talking(BALANCE) as (_, server), EnviaTuSmsClient(key, base_url=server.url) as client:
        await client.get_balance()
    assert dict(server.requests[0].pairs) == {"api_key": key}


NUMBERS = [
    *("584241234567", "04241234567", "4241234567", "+584241234567"),
    *("+58 424-123.45.67", "(0424) 1234567", "00584241234567", "tel:+584241234567"),
]


@pytest.mark.parametrize("number", NUMBERS)
async def test_a_number_may_be_written_in_any_common_form_and_comes_back_so(number: str) -> None:
    async with talking({"status": "ok", "id": 1}) as (client, server):
        result = await client.send_sms(number, "Hola")
    assert server.requests[0].json["numeros"] == ["584241234567"]
    assert result.accepted == (number,)


async def test_numbers_are_always_a_list_and_may_come_from_any_iterable() -> None:
    async with talking({"status": "ok", "id": 1}) as (client, server):
        await client.send_sms("04241234567", "Hola")
        await client.send_sms((one for one in ["04241234567"]), (one for one in ["Hola"]))
    assert [request.json["numeros"] for request in server.requests] == [["584241234567"]] * 2
    assert [request.json["texto"] for request in server.requests] == ["Hola", ["Hola"]]


async def test_national_numbers_of_nowhere_need_their_country() -> None:
    async with talking({"status": "ok", "id": 1}, default_country=None) as (client, server):
        await client.send_sms("584241234567", "Hola")
        with pytest.raises(ValidationError, match="default_country"):
            await client.send_sms("04241234567", "Hola")
    assert len(server.requests) == 1


TEXTS = {
    "160 plain characters": ("x" * 160, "x" * 160),
    "160 letters with accents": ("á" * 160, "á" * 160),
    "160 letters with accents, decomposed": ("a\u0301" * 160, "á" * 160),
    "160 letters with accents that no character has": ("x\u0302" * 160, "x\u0302" * 160),
    "the letter that keeps its accent": ("éÉ" * 80, "éÉ" * 80),
    "an emoji": ("¡Feliz día! 🎉", "¡Feliz día! 🎉"),
    "JSON's own signs": ('"\\{}[]\n\t&=?#', '"\\{}[]\n\t&=?#'),
}


@pytest.mark.parametrize(("text", "arrives"), TEXTS.values(), ids=TEXTS)
async def test_a_text_of_160_characters_is_sent_as_it_is(text: str, arrives: str) -> None:
    """The vendor replaces accents itself. Composed letters only, because it counts characters."""
    async with talking({"status": "ok", "id": 1}) as (client, server):
        await client.send_sms("04241234567", text)
        await client.send_sms("04241234567", [text])
    assert [request.json["texto"] for request in server.requests] == [arrives, [arrives]]


async def test_a_quote_takes_a_longer_text_and_a_send_does_not() -> None:
    """The document allows 160 characters in both, and counts parts of longer texts in the quote."""
    text = "x" * 161
    async with talking(QUOTE) as (client, server):
        await client.quote("04241234567", text)
        with pytest.raises(ValidationError, match=r"161 characters, and EnvíaTuSMS takes 160.*shorten it") as caught:
            await client.send_sms("04241234567", text)
    assert caught.value.field == "text"
    assert [request.path for request in server.requests] == ["/api/sms-costo"]


ONE = "04241234567"
TWO = [ONE, "04141234567"]

SEND_REFUSALS: dict[str, tuple[Any, Any, str, str]] = {
    "no number": ([], "Hola", "numbers", "give at least one"),
    "an empty number": ("", "Hola", "numbers", "empty"),
    "letters": ("0424CANTV", "Hola", "numbers", "letter"),
    "a digit too few": ("0424123456", "Hola", "numbers", "too short"),
    "a digit too few, in international form": ("+58 424 123456", "Hola", "numbers", "missing digit"),
    "two numbers in one": ("04241234567,04141234567", "Hola", "numbers", "one number only"),
    "a number that is no text": ([4241234567], "Hola", "numbers", "must be a number as text"),
    "a foreign number": ("+34 600 00 00 00", "Hola", "numbers", r"calling code \+34; .*Venezuela .*another vendor"),
    "one number in two spellings": (
        [ONE, "+58 424 1234567"],
        "Hola",
        "numbers",
        r"\*\*\*567 more than once; .*allow_duplicates=True",
    ),
    "an empty text": (ONE, " \n", "text", "is empty"),
    "no text": (ONE, None, "text", "must be a string"),
    "a text too long": (ONE, "á" * 161, "text", "161 characters"),
    "a text too long among others": (TWO, ["Hola", "x" * 200], "text", r"text\[1\] has 200 characters"),
    "an empty text among others": (TWO, ["", "Hola"], "text", r"text\[0\] is empty"),
    "no text among others": (TWO, ["Hola", None], "text", r"text\[1\] must be a string"),
    "a NUL": (ONE, "a\0b", "text", "NUL"),
    "half an emoji": (ONE, "a\ud83d", "text", "surrogate"),
    "too few texts": (TWO, ["Hola"], "text", "1 texts for 2 numbers; .*exactly one text for each"),
    "too many texts": (TWO, ["a", "b", "c"], "text", "3 texts for 2 numbers"),
    "no texts": (ONE, [], "text", "0 texts for 1 numbers"),
}


@pytest.mark.parametrize("function", ["send_sms", "quote"])
@pytest.mark.parametrize(("numbers", "text", "field", "remedy"), SEND_REFUSALS.values(), ids=SEND_REFUSALS)
async def test_a_wrong_value_is_refused_here_with_its_field_and_the_remedy(
    function: str, numbers: Any, text: Any, field: str, remedy: str
) -> None:
    if text is None:
        text = [None]
    long = function == "quote" and "characters" in remedy
    async with talking(QUOTE) as (client, server):
        if long:  # see above
            await client.quote(numbers, text)
            return
        with pytest.raises(ValidationError, match=remedy) as caught:
            await getattr(client, function)(numbers, text)
    assert caught.value.field == field
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert "1234567" not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "abc", "1/../2", "1?x=y", "١", True, "9" * 19])
async def test_a_campaign_id_that_is_none_is_refused_here(value: Any) -> None:
    async with talking(CAMPAIGN) as (client, server):
        with pytest.raises(ValidationError, match="digits only") as caught:
            await client.get_campaign(value)
    assert caught.value.field == "campaign_id"
    assert server.requests == []


@pytest.mark.parametrize("value", [1234, "1234", " 1234 "])
async def test_a_campaign_id_may_be_a_number_or_its_text(value: str | int) -> None:
    async with talking(CAMPAIGN) as (client, server):
        campaign = await client.get_campaign(value)
    assert server.requests[0].path == "/api/campaign/1234"
    assert campaign.campaign_id == "1234"


GOOD_LINKS = [
    "https://www.mi-url-a-acortar.com",
    "http://example.com:8080/a?b=c&d=%20#e",
    "HTTPS://EXAMPLE.COM/",
    "https://[2001:db8::1]/x",
    "https://ejemplo.com.ve/año",
    "https://example.com/a@b",
]
BAD_LINKS = {
    "": "whole http or https URL",
    "www.example.com": "whole http or https URL",
    "ftp://example.com/a": "whole http or https URL",
    "javascript:alert(1)": "whole http or https URL",
    "file:///etc/passwd": "whole http or https URL",
    "https://": "whole http or https URL",
    "https:///path": "whole http or https URL",
    "https://example.com:port/": "whole http or https URL",
    "https://[::1": "whole http or https URL",
    "https://user@example.com/": "user name, password",
    "https://user:word@example.com/": "user name, password",
    "https://@example.com/": "user name, password",
    "https://good.com\\@evil.com/": "user name, password",
    "https://example.com\\": "backslash",
    "https://example.com/a b": "blank or control",
    "https://example.com/\n": "blank or control",
    "java\tscript:alert(1)": "blank or control",
}


@pytest.mark.parametrize("link", GOOD_LINKS)
async def test_a_link_is_sent_as_it_is(link: str) -> None:
    async with talking(SHORT_LINK) as (client, server):
        await client.shorten_url(link)
    assert server.requests[0].json == {"link": link}


@pytest.mark.parametrize(("link", "remedy"), BAD_LINKS.items())
async def test_a_link_that_is_none_is_refused_here_and_not_quoted(link: str, remedy: str) -> None:
    async with talking(SHORT_LINK) as (client, server):
        with pytest.raises(ValidationError, match=remedy) as caught:
            await client.shorten_url(link)
    assert caught.value.field == "link"
    assert "word" not in str(caught.value).replace("password", "")
    assert server.requests == []


async def test_a_link_is_never_opened() -> None:
    """Neither the one that is given nor the one that comes back."""
    async with talking(BALANCE) as (_, target), talking({**TINY, "link": f"{target.url}/XYZ"}) as (client, server):
        await client.shorten_url(f"{target.url}/landing")
    assert len(server.requests) == 1
    assert target.requests == []


TINY = {"success": True, "orig_link": "https://a.ve", "link_no_protocol": "etsms.me/XYZ", "id": "XYZ"}


async def test_a_link_must_be_text() -> None:
    async with talking(SHORT_LINK) as (client, server):
        with pytest.raises(ValidationError, match="must be a string") as caught:
            await client.shorten_url(None)  # type: ignore[arg-type]
    assert caught.value.field == "link"
    assert server.requests == []


@pytest.mark.parametrize("key", ["", "a\nb", "a b", "a\x7f", "a\ud800", None])
def test_a_key_that_is_none_is_refused(key: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        EnviaTuSmsClient(key)
    if key:
        assert key not in str(caught.value)


def test_a_request_holds_at_least_one_message() -> None:
    with pytest.raises(ConfigurationError, match="max_recipients"):
        EnviaTuSmsClient(KEY, max_recipients=0)


async def test_the_defaults_are_the_documents() -> None:
    async with EnviaTuSmsClient(KEY) as client:
        assert client.base_url == "https://www.enviatusms.com/api"
        assert client.default_country == "VE"
        assert client.max_recipients == 500
        assert client.vendor == "enviatusms"


async def test_a_borrowed_transport_stays_open() -> None:
    transport = AiohttpTransport()
    async with talking(BALANCE) as (_, server):
        for _ in range(2):
            async with EnviaTuSmsClient(KEY, base_url=server.url, transport=transport) as client:
                await client.get_balance()
    await transport.aclose()
    assert len(server.requests) == 2


# ------------------------------------------------------------------------------------------- how often a call is made


@pytest.mark.parametrize("trouble", [Answer(None), Answer(b"oops", 500), Answer(b"<html></html>", 503)])
@pytest.mark.parametrize("name", ["balance", "sms-costo", "campaign"])
async def test_a_call_that_only_reads_is_repeated(name: str, trouble: Answer) -> None:
    call, body, *_ = CALLS[name]
    async with talking(trouble, body) as (client, server):
        await call(client)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "trouble", [Answer(None), Answer(b"oops", 500), Answer(b"", 200), Answer(b"<html></html>", 200), Answer(b"{", 200)]
)
@pytest.mark.parametrize("name", ["sms-multi", "acortar-url"])
async def test_a_call_that_changes_something_is_made_once_and_ends_as_unknown(name: str, trouble: Answer) -> None:
    call, body, *_ = CALLS[name]
    async with talking(trouble, body) as (client, server):
        with pytest.raises(MensaError) as caught:
            await call(client)
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    assert len(server.requests) == 1


async def test_a_vendor_that_asks_to_slow_down_has_done_nothing_and_is_asked_again() -> None:
    slow = Answer(b"", 429, headers={"Retry-After": "0"})
    async with talking(slow, {"status": "ok", "id": 1}) as (client, server):
        assert (await client.send_sms(ONE, "Hola")).campaign_id == "1"
    assert len(server.requests) == 2


async def test_a_redirect_is_not_followed() -> None:
    """A PHP framework redirects what it refuses, to a page."""
    away = Answer(b"", 302, headers={"Location": "/api/elsewhere"})
    async with talking(away, retry=RetryPolicy(attempts=1)) as (client, server):
        with pytest.raises(MensaError) as caught:
            await client.send_sms(ONE, "Hola")
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    assert [request.path for request in server.requests] == ["/api/sms-multi"]


def test_requests_and_clients_show_neither_numbers_nor_texts_nor_the_key() -> None:
    call = SendSms(numbers=["584241234567"], text="secreto")
    assert repr(call) == "SendSms(1 numbers)"
    assert KEY not in repr(EnviaTuSmsClient(KEY))
