"""Emulated envia-sms.com: check the token, call the function asked for, and write its answer."""

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
    """Answer paises, which costs one credit.

    Raises:
        Refused: 5 for a lack of credits; 403 in test mode, for which the document names no code.
    """
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
    """Emulation of envia-sms.com's API SMS, after the document "API SMS" by envia-sms.com (5 August 2022).

    Messages in test mode and dropped duplicates are not in the ledger. A message costs the price of its country in the
    account's plan, times its parts: one, or with ``ucs2=1`` one for each 70 characters begun. The credit for paises is
    charged in the ledger without a message.

    Where the document is silent:

    * A duplicate is answered like a sent message, with a new id (see `Quirks.duplicate_answer`), and its status is
      ``Error`` with ``Mensaje_duplicado``. Two messages to a number with the same text are duplicates if they go out
      less than an hour apart (see `Quirks.duplicates_by_clock`). Cancelled messages and those of the test mode do not
      count.
    * The last two digits of a number choose the final state of its message: 91 stays at ``Procesando``, 93 at
      ``Entregado_GSM``, 94 at ``Entregado_operador``; 95 ends in ``Error`` with ``Mensaje_rechazado``, 96 with
      ``Mensaje_expirado``, 97 with ``Mensaje_duplicado``, 98 with ``No_entregado``; 99 has no status (602); all others
      end in ``Entregado``. A message spends a third of the delivery delay in each state before the final one.
    * Cancelling refunds the credits. A cancelled message has no status (602).
    * 7-bit characters are those of GSM 03.38. Without ``ucs2=1`` any other character is refused with 119. With
      ``ucs2=1``, characters beyond the basic multilingual plane (most emoji) are refused with 119, and a text of more
      than 500 characters with 102.
    * A variable for a URL must be a URL and nothing else; a variable for text must not contain ``http://`` or
      ``https://``. A field of more than 1,000 characters is refused with 113.
    * ``numero`` is refused with 07 if no country has the prefix or the comma is missing, with 123 if nothing follows
      the comma, with 122 if there is more than one number, with 104 if it has more than 15 digits with the prefix, and
      with 111 if it has fewer than 6 digits without the prefix or anything but digits.
    * Refused as well: an unverified project with 401, a ``proyecto`` that is not the account's with 06, paises in test
      mode with 403, and an unknown ``tipo`` or a query that is not UTF-8 with 400. Unknown parameters are ignored.
    * The document does not name the parameters of the codes 114 to 116, 118 and 121. Here they are ``nivel`` (1 to 3),
      ``link_notificacion``, ``identificador`` (up to 50 characters) and ``remitente`` (up to 11).
    * Every refusal has HTTP status 400 (see `Quirks.error_status`), except for the codes 401, 403 and 500, which have
      themselves as HTTP status.

    The codes 107, 109, 110, 112, 117, 120, 126 to 128 and 500 are internal errors of the vendor. Like any other code,
    they can be produced by ``box.fail("envia_sms", fault=Fault.RES, res=117)``.

    Args:
        account: the customer's account; by default a new one with a random token.
        quirks: deviations from the document; may be replaced while the sandbox runs.
        retention: count of the newest messages to keep for status, cancelling and the duplicate filter, if the sandbox
            keeps no messages.

    Attributes:
        store: the messages by id, including those of the test mode and duplicates.
    """

    base_path: ClassVar[str] = "/envia_sms/api/sms"
    result_field: ClassVar[str] = "error"
    result_values: ClassVar[tuple[str, str]] = ("false", "true")
    send_options: ClassVar[tuple[str, ...]] = ("--template", "02", "--text-variable", "mensaje")
    functions: ClassVar[Mapping[str, frozenset[str]]] = dict.fromkeys((*_SENDING, *_FUNCTIONS), _GET)

    def attach(self, services: Services) -> None:
        """Connect the vendor to a sandbox; limit the store if the sandbox keeps no messages."""
        super().attach(services)
        if not services.ledger.keep_messages:
            self.store.limit = self._retention

    def resolve(self, tail: str) -> str | None:
        """Return the function of a path, also after a second slash, as in one of the document's samples."""
        return super().resolve(tail.removeprefix("/"))

    def credentials(self) -> Mapping[str, str]:
        """Return the token."""
        return {"token": self.account.token}

    def fund(self, amount: Decimal) -> None:
        """Set the credits of the account."""
        self.account.credits = amount

    def decode(self, function: str, request: Incoming) -> None:
        """Read the query."""
        decode(request, self.account.token)

    def handle(self, function: str, request: Incoming) -> Reply:
        """Check the token, carry out the request and return the answer."""
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
        """Build a JSON answer from its data, with the quirks."""
        return self._reply(function, int(fields[ENVELOPES[function].code] or 0), fields)

    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        """Build the data of the refusal with a result code."""
        return _envelope(function, int(code), None)

    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        """Build data that looks like success."""
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
        """Check token and project, and return whether the request is in test mode."""
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
    """Build the data of an answer in the function's own envelope."""
    spelling = ENVELOPES[function]
    if not code:
        return {
            "error": False,
            spelling.code: spelling.no_code,
            spelling.message: spelling.no_message,
            "response": response,
        }
    # In the document, code_error is a number, and the codes of the other envelopes are text.
    written = code if spelling.no_code == 0 else printed(code)
    return {"error": True, spelling.code: written, spelling.message: text_of(code), "response": None}
