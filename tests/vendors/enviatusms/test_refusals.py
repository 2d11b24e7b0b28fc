"""The vendor says no: by HTTP status, by ``status`` or ``success``, with its words kept short and clean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from served import Answer
from shared import check_plain

from mensasdk import (
    AmbiguousResponse,
    AuthError,
    InsufficientCredits,
    InvalidRequest,
    MensaError,
    NotFound,
    OutcomeKind,
    UnexpectedStatus,
    VendorError,
)
from mensasdk.vendors.enviatusms import EnviaTuSmsClient

from .served import KEY, talking

Call = Callable[[EnviaTuSmsClient], Awaitable[object]]

CALLS: dict[str, Call] = {
    "balance": lambda client: client.get_balance(),
    "sms-multi": lambda client: client.send_sms("04241234567", "Hola a todos"),
    "sms-costo": lambda client: client.quote("04241234567", "Hola a todos"),
    "campaign": lambda client: client.get_campaign(1),
    "acortar-url": lambda client: client.shorten_url("https://example.com"),
}
every_call = pytest.mark.parametrize(("name", "call"), CALLS.items())

BY_STATUS: list[tuple[int, type[VendorError]]] = [
    (200, VendorError),
    (201, VendorError),
    (400, InvalidRequest),
    (401, AuthError),
    (402, InsufficientCredits),
    (403, AuthError),
    (404, NotFound),
    (405, VendorError),
    (409, VendorError),
    (418, VendorError),
    (422, InvalidRequest),
]


async def refused(call: Call, *answers: Any, **options: Any) -> MensaError:
    async with talking(*answers, **options) as (client, server):
        with pytest.raises(MensaError) as caught:
            await call(client)
    assert len(server.requests) == 1  # a refusal is never asked for again
    check_plain(caught.value, "enviatusms")
    return caught.value


@every_call
@pytest.mark.parametrize(("status", "kind"), BY_STATUS)
async def test_a_refusal_becomes_an_error_by_its_http_status(
    name: str, call: Call, status: int, kind: type[VendorError]
) -> None:
    """The vendor publishes no texts and no codes; the words are kept."""
    error = await refused(call, Answer({"status": "error", "msg": "No se pudo procesar"}, status))
    assert type(error) is kind
    assert str(error) == f"{name} was refused: No se pudo procesar"
    assert error.code == (str(status) if status >= 400 else "error")
    assert error.outcome is OutcomeKind.REJECTED
    assert not error.retryable


@pytest.mark.parametrize("success", [False, 0, "0", "false"])
async def test_a_short_link_is_refused_by_success_and_says_why_in_error(success: Any) -> None:
    error = await refused(CALLS["acortar-url"], {"success": success, "error": "Ha superado el límite diario"})
    assert type(error) is VendorError
    assert str(error) == "acortar-url was refused: Ha superado el límite diario"
    assert error.code == "error"


@every_call
@pytest.mark.parametrize("body", [{"status": "error"}, {"status": "ERROR", "msg": ""}, {"success": False, "msg": None}])
async def test_a_refusal_may_be_without_words(name: str, call: Call, body: Mapping[str, Any]) -> None:
    error = await refused(call, body)
    assert type(error) is VendorError
    assert str(error) == f"{name} was refused"


@every_call
@pytest.mark.parametrize("field", ["msg", "error", "message", "MSG"])
async def test_a_4xx_needs_no_more_than_words(name: str, call: Call, field: str) -> None:
    """Non-2xx is a failure, whatever the body says of itself; frameworks say why in ``message``."""
    error = await refused(call, Answer({field: "Unauthenticated."}, 401))
    assert type(error) is AuthError
    assert str(error) == f"{name} was refused: Unauthenticated."


@every_call
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Forbidden</body></html>",
        b"{}",
        b"null",
        b"nothing that anybody can read",
    ],
)
async def test_a_4xx_that_says_nothing_documented_is_a_refusal_by_its_status(
    name: str, call: Call, body: bytes
) -> None:
    error = await refused(call, Answer(body, 403, "text/html"))
    assert type(error) is AuthError
    error = await refused(call, Answer(body, 405, "text/html"))
    assert type(error) is UnexpectedStatus
    assert error.outcome is OutcomeKind.REJECTED


async def test_a_4xx_whose_body_tells_of_success_is_unknown() -> None:
    """A refusal that says that it took the messages: nobody can say which half of it is true."""
    body = {"status": "ok", "id": 1234, "msg": "Mensaje enviado con exito."}
    error = await refused(CALLS["sms-multi"], Answer(body, 403))
    assert type(error) is AmbiguousResponse
    assert error.outcome is OutcomeKind.UNKNOWN


@pytest.mark.parametrize("function", ["send_sms", "quote"])
async def test_the_text_at_fault_is_told_by_its_place_and_not_quoted(function: str) -> None:
    """``sms_contenido``; the vendor may have dropped the accents by then."""
    body = {"status": "error", "msg": "Contenido no permitido", "sms_contenido": "Ganaste un camion"}
    numbers = ["04241234567", "04141234567", "04161234567"]
    texts = ["Hola", "Ganaste un camión", "Adiós"]
    error = await refused(lambda client: getattr(client, function)(numbers, texts), body)
    assert type(error) is InvalidRequest
    assert str(error).endswith("was refused: Contenido no permitido (at fault: text[1])")


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ("Oferta", "(the text is at fault)"),
        (["Oferta", "Hola"], "(at fault: text[0])"),
        (["Hola", "Adiós"], "(one of the texts is at fault)"),
        (["Oferta", "Oferta"], "(at fault: 2 texts, text[0])"),
    ],
)
async def test_the_text_at_fault_may_be_the_only_one_or_nobodys(texts: str | list[str], says: str) -> None:
    body = {"status": "error", "sms_contenido": "Oferta"}
    error = await refused(lambda client: client.send_sms(["04241234567", "04141234567"], texts), body)
    assert type(error) is InvalidRequest
    assert str(error) == f"sms-multi was refused {says}"


async def test_a_text_at_fault_does_not_change_what_the_http_status_says() -> None:
    body = Answer({"status": "error", "msg": "no", "sms_contenido": "Hola a todos"}, 401)
    assert type(await refused(CALLS["sms-multi"], body)) is AuthError


WORDS = {
    "our key": (f"La clave {KEY} no es valida", "La clave *** no es valida"),
    "a phone number": ("El numero 584241234567 no es valido", "El numero ***567 no es valido"),
    "a phone number with signs": ("El numero +58 (424) 123.45.67 es malo", "El numero ***567 es malo"),
    "our text": ("No permitido: Hola a todos.", "No permitido: (text)."),
    "lines": ("uno\n\tdos\r\n  tres", "uno dos tres"),
    "a flood": ("x" * 5000, "x" * 120),
    "a key at the cut": ("y" * 110 + KEY + "z", "y" * 110 + "***z"),
    "a year and a price": ("Desde 2024 cuesta 0.05", "Desde 2024 cuesta 0.05"),
}


@pytest.mark.parametrize(("words", "kept"), WORDS.values(), ids=WORDS)
async def test_the_vendors_words_are_kept_short_and_clean(words: str, kept: str) -> None:
    error = await refused(CALLS["sms-multi"], {"status": "error", "msg": words})
    assert str(error) == f"sms-multi was refused: {kept}"


async def test_our_text_is_taken_out_of_the_words_without_its_accents_too() -> None:
    body = {"status": "error", "msg": "Rechazado: Manana sera otro dia"}
    error = await refused(lambda client: client.send_sms("04241234567", "Mañana será otro día"), body)
    assert str(error) == "sms-multi was refused: Rechazado: (text)"


async def test_a_key_of_strange_signs_is_taken_out_of_the_words_in_either_form() -> None:
    key = "a+b/c=ñ"
    body = {"status": "error", "msg": f"/api/balance?api_key=a%2Bb%2Fc%3D%C3%B1 o {key}"}
    async with talking(body) as (_, server), EnviaTuSmsClient(key, base_url=server.url) as client:
        with pytest.raises(VendorError) as caught:
            await client.get_balance()
    assert str(caught.value) == "balance was refused: /api/balance?api_key=*** o ***"


async def test_an_error_of_the_server_is_unknown_whatever_it_says() -> None:
    async with talking(Answer({"status": "error", "msg": "no"}, 500)) as (client, server):
        with pytest.raises(UnexpectedStatus) as caught:
            await client.send_sms("04241234567", "Hola")
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Saldo insuficiente para enviar la campaña", InsufficientCredits),
        ("No tiene saldo", InsufficientCredits),
        ("La api_key no es valida", AuthError),
        ("Usuario no autorizado", AuthError),
        ("Contenido no permitido", VendorError),
        ("", VendorError),
    ],
)
async def test_under_status_200_the_words_tell_what_concerns_the_account(words: str, kind: type[VendorError]) -> None:
    """The texts are not published; a guess that stops a campaign is better than one that lets it run on and on."""
    error = await refused(CALLS["sms-multi"], {"status": "error", "msg": words})
    assert type(error) is kind
    assert error.outcome is OutcomeKind.REJECTED
    assert error.code == "error"
