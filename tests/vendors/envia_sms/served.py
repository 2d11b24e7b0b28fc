"""Answers of envia-sms.com, a server that gives them, and every call that a client can make."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import served
from received import Received
from shared import EAGER

from mensasdk import OutcomeKind, Timeouts
from mensasdk.vendors.envia_sms import EnviaSmsClient

TOKEN = "canario+de/token=%26"
NUMBER = "+52 55 8952 0028"
WIRE_NUMBER = "52,5589520028"
IDENTIFIER = "60si864mv8o3b"

REJECTED, UNKNOWN, NOT_SENT = OutcomeKind.REJECTED, OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT


class Served(served.Served):
    """Gives its answers in turn, and knows a client."""

    path = "/api/sms"

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the last request, without the token."""
        return params_of(self.requests[-1])

    @asynccontextmanager
    async def client(self, *, token: str = TOKEN, **options: Any) -> AsyncIterator[EnviaSmsClient]:
        options = {"base_url": self.url, "retry": EAGER, **options}
        async with EnviaSmsClient(token, **options) as client:
            yield client


def params_of(request: Received) -> dict[str, str]:
    """Return the query of a request without the token."""
    pairs = [pair for pair in request.pairs if pair[0] != "token"]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


# ------------------------------------------------------------------------------------------------------ answers

# The document's three sets of names: of the flag, the code and the message.
SPELLINGS: Mapping[str, tuple[str, str]] = {
    "general": ("code_error", "error_message"),
    "send": ("codigo_error", "mensaje_error"),
    "cancel": ("error_code", "error_message"),
}


def envelope(response: Any, *, error: Any = False, code: Any = "", words: Any = "", spelling: str = "send") -> bytes:
    names = SPELLINGS[spelling]
    return json.dumps({"error": error, names[0]: code, names[1]: words, "response": response}).encode()


def sent(**changes: Any) -> bytes:
    """Return a success of ``send`` in standard JSON."""
    response = {
        "mensaje": "Mensaje enviado correctamente",
        "mensaje_enviado": "Hola",
        "numero": "525589520028",
        "fecha_programada": None,
        "identificador": {"0": IDENTIFIER},
        **changes,
    }
    return envelope({name: value for name, value in response.items() if value is not ...})


DONE = envelope({"message": "Acción realizada"}, code="0", spelling="cancel")
STATUS = envelope(
    {
        "number": "525589520028",
        "status": "Entregado",
        "description": [],
        "identificador": IDENTIFIER,
        "date": "2030-06-03 09:30:00",
    },
    code="0",
    spelling="cancel",
)
COUNTRIES = envelope([{"codigo_pais": "MX", "nombre_pais": "México", "prefijo": "52", "precio_gratis": "0.5"}])
CREDITS = envelope({"creditos_disponibles": "9999"}, code=0, words=None, spelling="general")

Caller = Callable[[EnviaSmsClient], Awaitable[object]]
CALLS: Mapping[str, tuple[Caller, bytes]] = {
    "send": (lambda client: client.send_sms(NUMBER, "01"), sent()),
    "cancel": (lambda client: client.cancel_scheduled(IDENTIFIER), DONE),
    "cancel all": (lambda client: client.cancel_all_scheduled(), DONE),
    "send now": (lambda client: client.send_scheduled_now(IDENTIFIER), DONE),
    "send all now": (lambda client: client.send_all_scheduled_now(), DONE),
    "status": (lambda client: client.get_status(IDENTIFIER, NUMBER), STATUS),
    "countries": (lambda client: client.list_countries(), COUNTRIES),
    "credits": (lambda client: client.get_credits(), CREDITS),
}
"""Every function of the client, and an answer with which it succeeds."""
CHANGING: Sequence[str] = ("send", "cancel", "cancel all", "send now", "send all now")
SAFE: Sequence[str] = ("status", "credits")
NOT_REPEATED: Sequence[str] = (*CHANGING, "countries")

QUICK = Timeouts(total=0.3, connect=5.0)
