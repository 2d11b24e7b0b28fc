"""Emulated Mensatek: check the credentials, call the function asked for, and write its answer."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from mensasdk.sandbox.mensatek import library, posting, scheduled, sending
from mensasdk.sandbox.mensatek.params import Params, decode
from mensasdk.sandbox.mensatek.refusals import Refused
from mensasdk.sandbox.mensatek.render import render, wanted_format
from mensasdk.sandbox.mensatek.state import State
from mensasdk.sandbox.vendor import Incoming, Reply, Vendor

__all__ = ["Mensatek"]

_POST = frozenset({"POST"})


def _credits(state: State, params: Params) -> Mapping[str, Any]:
    return {"Res": 1, "Cred": state.account.credits}


def _templates(state: State, params: Params) -> Mapping[str, Any]:
    templates = state.account.templates
    # Of two templates with the same name, the older one stays, because it is written last.
    named: Any = dict(reversed(templates))
    # The vendor uses PHP, which writes an empty object as an empty list.
    return {"Res": 1, "Total": len(templates), "Plantillas": named or []}


_SENDING: Mapping[str, Callable[[State, Params], tuple[Mapping[str, Any], int]]] = {
    "EnviarSMS": sending.send_sms,
}
_FUNCTIONS: Mapping[str, Callable[[State, Params], Mapping[str, Any]]] = {
    "CancelarSMS": scheduled.cancel,
    "ReprogramarSMS": scheduled.reschedule,
    "GetReportSMS": scheduled.report,
    "CargarFichero": library.upload,
    "ListarFicheros": library.listing,
    "BorrarFichero": library.delete,
    "GetCreditos": _credits,
    "GetPlantillasSMS": _templates,
}


class Mensatek(State, Vendor):
    """Emulation of Mensatek's API v7, after the document "SMS Sending API / BULK SMS (7.0)" by Mensatek.

    Where the document is silent:

    * ``Destinatarios`` and ``Res`` of a send count recipients, ``Mensajes`` counts parts.
    * A send without any valid recipient is refused with -3 (see `Quirks.zero_when_all_dropped`).
    * The last two digits of a number choose the final state of its message: 13, 50, 53, 54 and 70 give the state of
      that value, 23 gives 123, 31 gives 131, and all others 11.

    Args:
        account: the customer's account; by default a new one with random credentials.
        quirks: deviations from the document; may be replaced while the sandbox runs.

    Attributes:
        groups: the messages sent, by idMensaje.
    """

    base_path: ClassVar[str] = "/mensatek/v7"
    result_field: ClassVar[str] = "Res"
    result_values: ClassVar[tuple[str, str]] = ("1", "-2")
    json_frame: ClassVar[tuple[str, str]] = ("[{", "}]")
    functions: ClassVar[Mapping[str, frozenset[str]]] = dict.fromkeys((*_SENDING, *_FUNCTIONS), _POST)

    def credentials(self) -> Mapping[str, str]:
        """Return the API user and the API token."""
        return {"api_user": self.account.api_user, "api_token": self.account.api_token}

    def fund(self, amount: Decimal) -> None:
        """Set the credits of the account."""
        self.account.credits = amount

    def decode(self, function: str, request: Incoming) -> None:
        """Read the query and the body; the credentials come in a header, not among the parameters."""
        decode(request)

    def handle(self, function: str, request: Incoming) -> Reply:
        """Check the credentials, carry out the request and return the answer."""
        accepted = 0
        fields: Mapping[str, Any]
        try:
            if not self._authorised(request):
                raise Refused(-1)
            if request.malformed is not None:
                raise Refused(-3, Error=request.malformed)
            params = Params(request.params)
            if function in _SENDING:
                fields, accepted = _SENDING[function](self, params)
            else:
                fields = _FUNCTIONS[function](self, params)
        except Refused as refused:
            fields = {"Res": refused.code, **refused.fields}
        return self._reply(function, request, fields, accepted)

    def answer(self, function: str, request: Incoming, fields: Mapping[str, Any]) -> Reply:
        """Build an answer from its data, in the format that ``Resp`` asks for."""
        return self._reply(function, request, fields, 0)

    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        """Build the data of the refusal with a result code, which goes into ``Res``."""
        fields: dict[str, Any] = {"Res": code}
        if code == -3:
            fields["Error"] = "Falta parámetro obligatorio"
        elif code == -2 and function == "EnviarSMS":
            fields |= {"Cred": Decimal(0), "CreditosNecesarios": Decimal(1)}
        elif code != -1:
            fields["CRED" if function == "CancelarSMS" else "Cred"] = self.account.credits
        return fields

    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        """Build data that looks like success; for EnviarSMS, with the right count of recipients."""
        left = self.account.credits
        match function:
            case "EnviarSMS":
                try:
                    count = len(sending.recipients_of(Params(request.params).raw("Destinatarios")))
                except Refused:
                    count = 1
                fields: dict[str, Any] = {"Res": count, "Destinatarios": count, "Msgid": 1, "idMensaje": 1}
                return {**fields, "Cred": left, "Mensajes": count, "NoEnviados": 0, "CreditosUsados": count}
            case "CancelarSMS":
                return {"Res": 1, "IDMENSAJE": 1, "CRED": left, "CREDR": Decimal(1)}
            case "GetReportSMS":
                return {"Res": 1, "Destinatarios": 0, "Cred": left, "Informe": []}
            case "GetPlantillasSMS":
                return {"Res": 1, "Total": 0, "Plantillas": []}
            case _:
                return {"Res": 1, "Cred": left}

    def inbound(
        self, number: str, text: str, *, to: str, reply_to: str | None, certified: bool, at: datetime
    ) -> Mapping[str, str]:
        """Build the SMSRECIBIDO callback for a received SMS."""
        return posting.incoming(self, number, text, to=to, reply_to=reply_to, certified=certified, at=at)

    def _authorised(self, request: Incoming) -> bool:
        if self.quirks.query_breaks_auth and request.query:
            return False
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        expected = f"{self.account.api_user}:{self.account.api_token}".encode()
        return hmac.compare_digest(given, expected)

    def _reply(self, function: str, request: Incoming, fields: Mapping[str, Any], accepted: int) -> Reply:
        form = wanted_format(Params(request.params).raw("Resp"))
        body, content_type = render(fields, form, self.quirks, sending=function == "EnviarSMS")
        refused = fields.get("Res") == -1
        return Reply(
            fields=fields,
            body=body,
            content_type=content_type,
            status=self.quirks.auth_status if refused else 200,
            outcome=str(fields.get("Res")),
            accepted=accepted,
        )
