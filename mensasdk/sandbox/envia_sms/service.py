"""The emulated envia-sms.com itself: which function answers a request, who may ask, and in what form."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from mensasdk.sandbox.envia_sms import scheduled, sending
from mensasdk.sandbox.envia_sms.account import PLANS
from mensasdk.sandbox.envia_sms.params import decode
from mensasdk.sandbox.envia_sms.refusals import Refused, printed, status_of, text_of
from mensasdk.sandbox.envia_sms.render import ENVELOPES, number_text, render
from mensasdk.sandbox.envia_sms.state import State
from mensasdk.sandbox.vendor import Incoming, Reply, Services, Vendor

__all__ = ["EnviaSms"]

_GET = frozenset({"GET"})
_TEST = "pruebas_"
_LISTING_PRICE = Decimal(1)


def _countries(state: State, params: Mapping[str, str], test: bool) -> Any:
    """paises, which costs a credit; the document gives no code for asking in test mode, where it does not work."""
    if test:
        raise Refused(403)
    if state.account.credits < _LISTING_PRICE:
        raise Refused(5)
    state.account.credits -= _LISTING_PRICE
    state.box.ledger.accept(0, _LISTING_PRICE, ())
    return _country_rows(state)


def _country_rows(state: State) -> list[Mapping[str, str]]:
    return [
        {
            "codigo_pais": country.code,
            "nombre_pais": country.name,
            "prefijo": country.prefix,
            **{f"precio_{plan}": number_text(country.price(plan)) for plan in PLANS},
        }
        for country in state.account.countries.values()
    ]


def _credits(state: State, params: Mapping[str, str], test: bool) -> Mapping[str, str]:
    return {"creditos_disponibles": number_text(state.account.credits)}


_SENDING: Mapping[str, Callable[[State, Mapping[str, str], bool], tuple[Mapping[str, Any] | None, int]]] = {
    "send": sending.send,
}
_FUNCTIONS: Mapping[str, Callable[[State, Mapping[str, str], bool], Any]] = {
    "send_cancel": scheduled.send_cancel,
    "status_message": scheduled.status_message,
    "paises": _countries,
    "creditos_disponibles": _credits,
}


class EnviaSms(State, Vendor):
    """envia-sms.com's API SMS, from envia-sms.com, "API SMS" (documentation of 5 August 2022).

    A message in test mode, and one that the duplicate filter drops, is not in the ledger. The price of a message is
    its country's, for the account's plan, times its parts: one, or with ``ucs2=1`` one for each 70 characters begun.
    paises charges its credit to the ledger without a message.

    Where the document is silent:

    * A duplicate is answered like a message that was sent, with a new id (see `Quirks.duplicate_answer`), and its
      status is ``Error`` with ``Mensaje_duplicado``. Two messages are duplicates when they go out less than an hour
      apart (see `Quirks.duplicates_by_clock`). A cancelled message counts no more, nor does the test mode.
    * What becomes of a message is chosen by the last two digits of its number: 91 stays at ``Procesando``, 93 at
      ``Entregado_GSM``, 94 at ``Entregado_operador``; 95 ends in ``Error`` with ``Mensaje_rechazado``, 96 with
      ``Mensaje_expirado``, 97 with ``Mensaje_duplicado``, 98 with ``No_entregado``; 99 has no status, which is 602;
      all others end in ``Entregado``, after a third of the delivery delay in each state before it.
    * Cancelling gives the credits back, and a cancelled message has no status (602).
    * 7-bit characters are those of GSM 03.38; without ``ucs2=1`` any other is refused with 119, and with it one
      beyond the basic plane, as most emoji are. UCS-2 text beyond 500 characters is 102.
    * A variable holds a URL when it is one as a whole, and a text when no ``http://`` or ``https://`` is in it.
      A field of more than 1,000 characters is 113.
    * A prefix that no country has, or a number without a comma, is 07; a number shorter than 6 digits or with
      anything but digits is 111, beyond 15 digits with the prefix 104, none after the comma 123, more than one 122.
    * An unverified project is 401; a ``proyecto`` that is not the account's 06; paises in test mode 403; an unknown
      ``tipo``, or a query that is not UTF-8, 400. Unknown parameters are ignored.
    * Codes 114 to 116, 118 and 121 speak of parameters without telling their names; here they are ``nivel`` (1 to
      3), ``link_notificacion``, ``identificador`` (up to 50 characters) and ``remitente`` (up to 11).
    * Every refusal is HTTP 400, except for the codes 401, 403 and 500 themselves (see `Quirks.error_status`).

    The codes 107, 109, 110, 112, 117, 120, 126 to 128 and 500 are trouble of the vendor's own:
    ``box.fail("envia_sms", fault=Fault.RES, res=117)``, as for any other code.

    Args:
        account: the customer's account; a fresh one with a random token by default.
        quirks: deviations from the document; may be replaced while the box runs.
        retention: how many of the newest messages are remembered, for status, cancelling and the duplicate filter,
            when the box keeps no messages.

    Attributes:
        store: the messages by id, those of the test mode and duplicates included.
    """

    base_path: ClassVar[str] = "/envia_sms/api/sms"
    result_field: ClassVar[str] = "error"
    result_values: ClassVar[tuple[str, str]] = ("false", "true")
    send_options: ClassVar[tuple[str, ...]] = ("--template", "02", "--text-variable", "mensaje")
    functions: ClassVar[Mapping[str, frozenset[str]]] = dict.fromkeys((*_SENDING, *_FUNCTIONS), _GET)

    def attach(self, services: Services) -> None:
        super().attach(services)
        if not services.ledger.keep_messages:
            self.store.limit = self._retention

    def resolve(self, tail: str) -> str | None:
        # One of the document's samples has two slashes before the function.
        return super().resolve(tail.removeprefix("/"))

    def credentials(self) -> Mapping[str, str]:
        return {"token": self.account.token}

    def fund(self, amount: Decimal) -> None:
        self.account.credits = amount

    def decode(self, function: str, request: Incoming) -> None:
        decode(request, self.account.token)

    def handle(self, function: str, request: Incoming) -> Reply:
        accepted = 0
        response: Any
        try:
            if request.malformed is not None:
                raise Refused(400)
            if function == "creditos_disponibles" and self._is_sample(request):
                return self._reply(function, 0, _envelope(function, 0, {"creditos_disponibles": "9999"}))
            test = self._authorise(request)
            if function in _SENDING:
                response, accepted = _SENDING[function](self, request.params, test)
            else:
                response = _FUNCTIONS[function](self, request.params, test)
        except Refused as refused:
            return self._reply(function, refused.code, _envelope(function, refused.code, None))
        return self._reply(function, 0, _envelope(function, 0, response), accepted)

    def answer(self, function: str, request: Incoming, fields: Mapping[str, Any]) -> Reply:
        return self._reply(function, int(fields[ENVELOPES[function].code] or 0), fields)

    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        return _envelope(function, int(code), None)

    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        numero, given = request.params.get("numero", ""), request.params.get("identificador", "")
        number = "".join(filter(str.isdecimal, numero))
        response: Any
        match function:
            case "send":
                response = {"mensaje": sending.SENT, "mensaje_enviado": "", "numero": number}
                response |= {"fecha_programada": None, "identificador": {"0": "0" * 13}}
            case "send_cancel":
                response = {"message": scheduled.DONE}
            case "status_message":
                response = {"number": number, "status": "Procesando", "description": [], "identificador": given}
                response["date"] = "2022-06-03 00:00:00"
            case "paises":
                response = _country_rows(self)
            case _:
                response = _credits(self, {}, False)
        return _envelope(function, 0, response)

    def _is_sample(self, request: Incoming) -> bool:
        return self.quirks.bare_test_token and request.secrets.get("token") == "pruebas"

    def _authorise(self, request: Incoming) -> bool:
        """Check token and project; tells whether it is the test mode."""
        account = self.account
        if account.blocked:
            raise Refused(1)
        given = request.secrets.get("token", "")
        token = given.removeprefix(_TEST)
        if not token:
            raise Refused(2)
        if not hmac.compare_digest(token.encode(), account.token.encode()):
            self._wrong_tokens += 1
            if account.wrong_tokens_allowed is not None and self._wrong_tokens > account.wrong_tokens_allowed:
                account.blocked = True
            raise Refused(3)
        self._wrong_tokens = 0
        if request.params.get("proyecto", account.project) != account.project:
            raise Refused(6)
        if account.suspended:
            raise Refused(4)
        if not account.verified:
            raise Refused(401)
        return given != token

    def _reply(self, function: str, code: int, fields: Mapping[str, Any], accepted: int = 0) -> Reply:
        quirks = self.quirks
        body, content_type = render(function, code, fields, quirks, self._answers)
        self._answers += 1
        return Reply(
            fields=fields,
            body=body,
            content_type=content_type,
            status=status_of(code, errors=quirks.error_status, credentials=quirks.auth_status),
            outcome=printed(code),
            accepted=accepted,
        )


def _envelope(function: str, code: int, response: Any) -> dict[str, Any]:
    """An answer in the function's own spelling."""
    spelling = ENVELOPES[function]
    if not code:
        return {
            "error": False,
            spelling.code: spelling.no_code,
            spelling.message: spelling.no_message,
            "response": response,
        }
    # The document types code_error as a number, and shows the others as text.
    written = code if spelling.no_code == 0 else printed(code)
    return {"error": True, spelling.code: written, spelling.message: text_of(code), "response": None}
