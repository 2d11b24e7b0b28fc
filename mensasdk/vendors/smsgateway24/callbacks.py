"""Read the callbacks that SmsGateWay24 posts to your server: delivery reports and incoming messages.

The vendor publishes two different descriptions. The reference page on webhooks has ``sms_id``, ``status_id`` and so on;
an article of the vendor has ``event``, ``message_id`` and so on. Both forms are read. Callbacks are not signed, so keep
the address of your receiver secret. Webhooks depend on the subscription, and are set up for each device.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from attrs import evolve, frozen

from mensasdk.codec import decode_callback, folded_fields, raw_field, structure, to_str, wire
from mensasdk.codec.scalars import Blank
from mensasdk.errors import DecodeError
from mensasdk.messages import Delivery, DeliveryState
from mensasdk.vendors.smsgateway24.codes import SimSlot, StatusCode, word_state
from mensasdk.vendors.smsgateway24.convert import CONVERTER, e164, known_text, optional_identifier
from mensasdk.vendors.smsgateway24.dates import any_time
from mensasdk.vendors.smsgateway24.rules import VENDOR

__all__ = ["DeliveryReport", "ReceivedMessage", "parse_callback"]


def _text(value: Any) -> str:
    try:
        return to_str(value)
    except Blank:
        return ""


@frozen(kw_only=True)
class DeliveryReport:
    """Callback about a new status of a message.

    Names in brackets are those of the article's form.

    Attributes:
        sms_id: ``sms_id`` (``message_id``), the id that the client got when it sent the message.
        status: ``status_id``; None in the article's form, which has words only.
        status_text: ``status_message`` (``status``).
        number: ``sendto`` (``phone``), as the vendor wrote it.
        at: ``senttime`` (``timestamp``), aware; in the time zone given to `parse_callback` where the text names none.
            None where it cannot be read: the document only says "datetime".
        slot: ``channel_id``, which is taken for the slot that sent the message.
        device_id: ``device_id``.
        raw: all fields as received.
    """

    sms_id: str | None = wire("sms_id", "message_id", default=None, convert=optional_identifier)
    status: StatusCode | None = wire("status_id", default=None)
    status_text: str = wire("status_message", "status", default="", convert=_text)
    number: str = wire("sendto", "phone", default="", convert=_text)
    at: datetime | None = wire("senttime", "timestamp", default=None, convert=any_time)
    slot: SimSlot | None = wire("channel_id", default=None)
    device_id: str | None = wire("device_id", default=None, convert=optional_identifier)
    raw: Mapping[str, Any] = raw_field()

    @property
    def state(self) -> DeliveryState:
        """Vendor-neutral state, by the status code if the report has one, else by the word."""
        return word_state(self.status_text) if self.status is None else self.status.state

    @property
    def is_final(self) -> bool:
        """Tell whether no further report is expected."""
        return self.state.is_final if self.status is None else self.status.is_final

    def to_delivery(self) -> Delivery:
        """Return this report as a `Delivery`, with the number in E.164 where it is an international one.

        It has no ``reference``, as the vendor's report has no customer id.
        """
        return Delivery(
            vendor=VENDOR,
            vendor_id=self.sms_id,
            number=e164(self.number),
            state=self.state,
            code=self.status_text if self.status is None else str(int(self.status)),
            at=self.at,
            raw=self.raw,
        )


@frozen(kw_only=True)
class ReceivedMessage:
    """Callback about a message that one of your phones received.

    Names in brackets are those of the article's form.

    Attributes:
        sms_id: ``sms_id``, the vendor's id of this message; the article's form has none.
        sender: ``address`` (``phone``), the number or name of the sender, as the vendor wrote it.
        text: ``body`` (``message``); empty with an image.
        kind: ``type``, ``"text"`` or ``"img"``; ``"text"`` where it is missing, as in older versions.
        image_url: ``img_url``, a public address. Anybody can post a callback: check the host before you fetch it.
        received_at: ``date`` (``timestamp``), aware; in the time zone given to `parse_callback` where the text names
            none. None where it cannot be read.
        sent_at: ``date_sent``, read like ``received_at``.
        internal_id: ``internal_id``, the phone's own id of the message.
        slot: ``channel_id``, or ``sim`` with an image.
        device_id: ``device_id``.
        device_name: ``device_name``.
        raw: all fields as received.
    """

    sms_id: str | None = wire("sms_id", "message_id", default=None, convert=optional_identifier)
    sender: str = wire("address", "phone", convert=_text)
    text: str = wire("body", "message", default="", convert=_text)
    kind: str = wire("type", default="text", convert=_text)
    image_url: str | None = wire("img_url", default=None, convert=known_text)
    received_at: datetime | None = wire("date", "timestamp", default=None, convert=any_time)
    sent_at: datetime | None = wire("date_sent", default=None, convert=any_time)
    internal_id: str | None = wire("internal_id", default=None, convert=optional_identifier)
    slot: SimSlot | None = wire("channel_id", "sim", default=None)
    device_id: str | None = wire("device_id", default=None, convert=optional_identifier)
    device_name: str = wire("device_name", default="", convert=_text)
    raw: Mapping[str, Any] = raw_field()


def parse_callback(
    body: bytes, content_type: str = "application/json", *, time_zone: tzinfo = UTC
) -> DeliveryReport | ReceivedMessage:
    """Read one callback, in either of the two published forms.

    Args:
        body: the body of the POST request.
        content_type: the ``Content-Type`` of the request. JSON is documented; a form is read as well.
        time_zone: the time zone of times without a zone. The document does not name it. If it is not UTC, give
            `functools.partial(parse_callback, time_zone=...)` to the receiver.

    Raises:
        DecodeError: the body is neither a delivery report nor a received message, or cannot be read. The error text
            has nothing of the body.
        UnexpectedResponse: the body is empty, or a web page.
    """
    tree = decode_callback(body, content_type, vendor=VENDOR)
    fields = folded_fields(tree)
    parsed = _parsed(tree, fields)
    if time_zone is UTC:
        return parsed

    def time(*names: str) -> datetime | None:
        return any_time(next((fields[name] for name in names if fields.get(name) is not None), None), time_zone)

    if isinstance(parsed, DeliveryReport):
        return evolve(parsed, at=time("senttime", "timestamp"))
    return evolve(parsed, received_at=time("date", "timestamp"), sent_at=time("date_sent"))


def _parsed(tree: dict[str, Any], fields: Mapping[str, Any]) -> DeliveryReport | ReceivedMessage:
    event = str(fields.get("event") or "").lower()
    if event == "incoming_sms" or (not event and "status_id" not in fields and "address" in fields):
        return structure(CONVERTER, tree, ReceivedMessage, vendor=VENDOR)
    if event == "delivery_status" or (not event and "status_id" in fields):
        report = structure(CONVERTER, tree, DeliveryReport, vendor=VENDOR)
        word = report.status_text.strip()
        if report.status is None and not word:
            raise DecodeError("the delivery report has no status", vendor=VENDOR)
        if report.status is None and word.isascii() and word.isdigit() and len(word) < 10:
            return evolve(report, status=StatusCode(int(word)))
        return report
    raise DecodeError("the callback is neither a delivery report nor a received message", vendor=VENDOR)
