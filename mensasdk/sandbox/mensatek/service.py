"""The emulated Mensatek itself: credentials, functions and answers."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from mensasdk.sandbox.mensatek import library, scheduled
from mensasdk.sandbox.mensatek.account import Account
from mensasdk.sandbox.mensatek.message import Group, local
from mensasdk.sandbox.mensatek.params import Params, Refused, decode
from mensasdk.sandbox.mensatek.quirks import Quirks
from mensasdk.sandbox.mensatek.render import render, wanted_format
from mensasdk.sandbox.mensatek.sending import recipients_of, send_sms
from mensasdk.sandbox.vendor import Incoming, Reply, Vendor

__all__ = ["Mensatek"]

_POST = frozenset({"POST"})


def _credits(vendor: Mensatek, params: Params) -> Mapping[str, Any]:
    return {"Res": 1, "Cred": vendor.account.credits}


def _templates(vendor: Mensatek, params: Params) -> Mapping[str, Any]:
    templates = vendor.account.templates
    # Of two with one name the oldest prevails, because it is written last.
    named: Any = dict(reversed(templates))
    # The vendor writes PHP, where an empty object and an empty list are the same thing.
    return {"Res": 1, "Total": len(templates), "Plantillas": named or []}


_FUNCTIONS: Mapping[str, Callable[[Mensatek, Params], Mapping[str, Any]]] = {
    "CancelarSMS": scheduled.cancel,
    "ReprogramarSMS": scheduled.reschedule,
    "GetReportSMS": scheduled.report,
    "CargarFichero": library.upload,
    "ListarFicheros": library.listing,
    "BorrarFichero": library.delete,
    "GetCreditos": _credits,
    "GetPlantillasSMS": _templates,
}


class Mensatek(Vendor):
    """Mensatek's API v7, from Mensatek, "SMS Sending API / BULK SMS (7.0)".

    Where the document is silent: ``Destinatarios`` and ``Res`` of a send count recipients, ``Mensajes`` counts
    parts; a send without any acceptable recipient is refused with -3 (see `Quirks.zero_when_all_dropped`); the
    final state of a message is chosen by the last two digits of its number (13, 50, 53, 54 and 70 give that
    state, 23 gives 123, 31 gives 131, all others 11).

    Args:
        account: the customer's account; a fresh one with random credentials by default.
        quirks: deviations from the document; may be replaced while the box runs.

    Attributes:
        groups: what was sent, by idMensaje.
    """

    name: ClassVar[str] = "mensatek"
    base_path: ClassVar[str] = "/mensatek/v7"
    result_field: ClassVar[str] = "Res"
    result_values: ClassVar[tuple[str, str]] = ("1", "-2")
    json_frame: ClassVar[tuple[str, str]] = ("[{", "}]")
    functions: ClassVar[Mapping[str, frozenset[str]]] = dict.fromkeys(("EnviarSMS", *_FUNCTIONS), _POST)

    def __init__(self, *, account: Account | None = None, quirks: Quirks | None = None) -> None:
        self.account = account or Account()
        self.quirks = quirks or Quirks()
        self.groups: dict[int, Group] = {}
        self._last_message_id = 27_000_000 + secrets.randbelow(1_000_000)
        self._next_report_id = 1_200_000_000 + secrets.randbelow(1_000_000)

    def credentials(self) -> Mapping[str, str]:
        return {"api_user": self.account.api_user, "api_token": self.account.api_token}

    def decode(self, function: str, request: Incoming) -> None:
        decode(request)

    def handle(self, function: str, request: Incoming) -> Reply:
        accepted = 0
        fields: Mapping[str, Any]
        try:
            if not self._authorised(request):
                raise Refused(-1)
            if request.malformed is not None:
                raise Refused(-3, Error=request.malformed)
            params = Params(request.params)
            if function == "EnviarSMS":
                fields, accepted = send_sms(self, params)
            else:
                fields = _FUNCTIONS[function](self, params)
        except Refused as refused:
            fields = {"Res": refused.code, **refused.fields}
        return self._reply(function, request, fields, accepted)

    def answer(self, function: str, request: Incoming, fields: Mapping[str, Any]) -> Reply:
        return self._reply(function, request, fields, 0)

    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        fields: dict[str, Any] = {"Res": code}
        if code == -3:
            fields["Error"] = "Falta parámetro obligatorio"
        elif code == -2 and function == "EnviarSMS":
            fields |= {"Cred": Decimal(0), "CreditosNecesarios": Decimal(1)}
        elif code != -1:
            fields["CRED" if function == "CancelarSMS" else "Cred"] = self.account.credits
        return fields

    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        left = self.account.credits
        match function:
            case "EnviarSMS":
                try:
                    count = len(recipients_of(Params(request.params).raw("Destinatarios")))
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
        group = self.groups.get(int(reply_to)) if reply_to is not None else None
        return {
            "Servicio": "SMSRECIBIDO",
            "timestamp": str(int(at.timestamp())),
            "Fecha": local(at),
            "Movil": to,
            "Remitente": number,
            "Mensaje": text,
            "idR": str(group.sends[0].first_report) if group is not None else "0",
            "idM": reply_to or "0",
            "EsCert": "true" if certified else "false",
            "Referencia": group.sends[0].reference if group is not None else "",
        }

    def next_message_id(self) -> int:
        self._last_message_id += 1
        return self._last_message_id

    def next_report_ids(self, count: int) -> int:
        first = self._next_report_id
        self._next_report_id += count
        return first

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
