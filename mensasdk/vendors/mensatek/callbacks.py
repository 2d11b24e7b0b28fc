"""Read the callbacks of Mensatek: delivery reports and received SMS, which it posts to your server.

Source: Mensatek, "SMS Sending API / BULK SMS (7.0)", "Reception of delivery reports" and "Reception of replies".
The panel decides whether callbacks come as JSON or as a form. Both are read, and so are the field names of API 5.8.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from attrs import frozen

from mensasdk.codec import decode_callback, folded_fields, raw_field, structure, to_bool, wire
from mensasdk.errors import DecodeError
from mensasdk.messages import Delivery
from mensasdk.vendors.base import e164
from mensasdk.vendors.mensatek.codes import StatusCode
from mensasdk.vendors.mensatek.convert import CONVERTER, local_time
from mensasdk.vendors.mensatek.rules import VENDOR

__all__ = ["DeliveryReport", "ReceivedSms", "parse_callback"]


def _variables(value: Any) -> Mapping[str, Any] | None:
    """Read ``Variables``, which is JSON inside a string. None if that is no object; it then stays only in ``raw``."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    return dict(value) if isinstance(value, Mapping) else None


def _unix_time(value: Any) -> datetime | None:
    seconds = Decimal(str(value).strip() or "0")
    return datetime.fromtimestamp(float(seconds), UTC) if seconds else None


def _certified(value: Any) -> bool:
    """Read ``EsCert``: a word or a flag; empty (False) where the received SMS answers no message."""
    return value != "" and to_bool(value)


@frozen(kw_only=True)
class DeliveryReport:
    """Delivery report: a message has a new status. One comes for each recipient and status, in no guaranteed order.

    Attributes:
        service: ``Servicio``, ``"SMSMASIVO"``; empty in API 5.8.
        status: ``Resultado``.
        sender: ``Remitente``.
        number: ``Movil``, digits with the country code. (The document's sample has an e-mail address there.)
        at: ``Fecha``, aware; Spain's clock is an assumption, the document names no zone.
        seconds: ``Segundos``, seconds until the message reached this status.
        message_id: ``idMensaje`` (``idEnvio`` in API 5.8), the id that sending returned.
        reference: ``Referencia``, what was sent as ``Referenciausuario``.
        report_id: ``idReport``, unique for each message.
        variables: ``Variables`` of the contract statuses, parsed.
        raw: all fields as received.
    """

    service: str = wire("Servicio", default="")
    status: StatusCode = wire("Resultado")
    sender: str = wire("Remitente", default="")
    number: str = wire("Movil", "Telefono")
    at: datetime | None = wire("Fecha", default=None, convert=local_time)
    seconds: int | None = wire("Segundos", "Tiempo", default=None)
    message_id: str | None = wire("idMensaje", "idEnvio", "Msgid", default=None)
    reference: str | None = wire("Referencia", default=None)
    report_id: str | None = wire("idReport", default=None)
    variables: Mapping[str, Any] | None = wire("Variables", default=None, convert=_variables)
    raw: Mapping[str, Any] = raw_field()

    def to_delivery(self) -> Delivery:
        """Return the report in vendor-neutral terms, with the number in E.164 if it is a phone number."""
        return Delivery(
            vendor=VENDOR,
            vendor_id=self.message_id,
            number=e164(self.number),
            state=self.status.state,
            code=str(int(self.status)),
            at=self.at,
            reference=self.reference or None,
            raw=self.raw,
        )


@frozen(kw_only=True)
class ReceivedSms:
    """SMS that was sent to a number of yours.

    Attributes:
        service: ``Servicio``, ``"SMSRECIBIDO"``.
        received_at: ``timestamp``, aware, UTC.
        operator_time: ``Fecha``, the operator's date, aware; Spain's clock is an assumption.
        number: ``Movil``, your number, which received the SMS.
        sender: ``Remitente``, the number that sent it.
        text: ``Mensaje``.
        internal_id: ``idR``, the vendor's internal id of the message that this one answers.
        message_id: ``idM``, the ``idMensaje`` of the message that this one answers.
        certified: ``EsCert``, True where the answered message was certified.
        reference: ``Referencia`` of the answered message.
        raw: all fields as received.
    """

    service: str = wire("Servicio")
    received_at: datetime | None = wire("timestamp", default=None, convert=_unix_time)
    operator_time: datetime | None = wire("Fecha", default=None, convert=local_time)
    number: str = wire("Movil")
    sender: str = wire("Remitente")
    text: str = wire("Mensaje")
    internal_id: str | None = wire("idR", default=None)
    message_id: str | None = wire("idM", default=None)
    certified: bool = wire("EsCert", default=False, convert=_certified)
    reference: str | None = wire("Referencia", default=None)
    raw: Mapping[str, Any] = raw_field()


def parse_callback(body: bytes, content_type: str = "application/json") -> DeliveryReport | ReceivedSms:
    """Read one callback.

    Args:
        body: the body of the POST.
        content_type: the ``Content-Type`` of the POST. A form is recognised by it (a multipart form cannot be read
            without it), JSON by the body itself.

    Raises:
        DecodeError: the callback is neither of the two, or cannot be read. The error shows nothing of the body.
    """
    tree = decode_callback(body, content_type, vendor=VENDOR)
    fields = folded_fields(tree)
    if str(fields.get("servicio", "")).upper() == "SMSRECIBIDO":
        return structure(CONVERTER, tree, ReceivedSms, vendor=VENDOR)
    if "resultado" in fields:
        return structure(CONVERTER, tree, DeliveryReport, vendor=VENDOR)
    raise DecodeError("the callback is neither a delivery report nor a received SMS", vendor=VENDOR)
