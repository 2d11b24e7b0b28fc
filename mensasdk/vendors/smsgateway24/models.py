"""Answers of SmsGateWay24, and its options for a message, as frozen values.

Sources: SmsGateWay24, "API documentation v1.0"; for fields that its samples lack, the vendor's repositories
SmsGateWay24 and phpexample. The description of each attribute names the vendor's field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from attrs import field, frozen

from mensasdk import phone
from mensasdk.codec import raw_field, to_str, wire
from mensasdk.messages import Delivery, VendorOptions
from mensasdk.transport import Secret
from mensasdk.vendors.smsgateway24.codes import SimSlot, StatusCode
from mensasdk.vendors.smsgateway24.convert import CONVERTER, e164, flag, identifier, known_text, optional_identifier
from mensasdk.vendors.smsgateway24.dates import php_date
from mensasdk.vendors.smsgateway24.rules import VENDOR

__all__ = [
    "BulkResult",
    "BulkSms",
    "ContactResult",
    "Device",
    "DeviceList",
    "DeviceStatus",
    "MessageStatus",
    "NewsletterResult",
    "SendResult",
    "SimInfo",
    "SmsCount",
    "SmsGateway24Options",
    "SmsList",
    "SmsRecord",
    "TagResult",
    "Token",
]


# -------------------------------------------------------------------------------------------------- messages to send


@frozen
class SmsGateway24Options(VendorOptions):
    """Options of a `Message` that only SmsGateWay24 has.

    Attributes:
        device_id: ``device_id``: the phone, or the name of a Sender ID; None for the client's default.
        sim: ``sim``: 0 and 1 SIM cards, 2 WhatsApp Business, 3 WhatsApp, 4 and 5 RCS; None for the client's default.
        customer_id: ``customerid``: a number of your own that the vendor's lists show. By default the client gives
            each message of a campaign one, by which it can be found again; see `SmsGateway24Client.resolve`.
        urgent: ``urgent``: send this message before others.
        image: ``file``: the content of a jpeg, png, webp or gif, which is sent in place of a text, through WhatsApp
            only. The vendor puts it at a PUBLIC address. Not possible in bulk.
    """

    device_id: str | int | None = None
    sim: int | None = field(default=None, kw_only=True)
    customer_id: str | int | None = field(default=None, kw_only=True)
    urgent: bool = field(default=False, kw_only=True)
    image: bytes | None = field(default=None, repr=False, kw_only=True)


@frozen(repr=False)
class BulkSms:
    """Message for `SmsGateway24Client.send_many`.

    Args:
        number: the recipient's number in any common spelling.
        text: the text.
        device_id: the phone, or the name of a Sender ID; None for the client's default.
        sim: 0 to 5, see `SimSlot`; None for the client's default.
        schedule_at: aware datetime in the future; None for now.
        customer_id: a number of your own. Without it the message cannot be found again.
        urgent: send this message before others.
    """

    number: str
    text: str
    device_id: str | int | None = field(default=None, kw_only=True)
    sim: int | None = field(default=None, kw_only=True)
    schedule_at: datetime | None = field(default=None, kw_only=True)
    customer_id: str | int | None = field(default=None, kw_only=True)
    urgent: bool = field(default=False, kw_only=True)

    def __repr__(self) -> str:
        return f"BulkSms({phone.mask(self.number)})"


# ---------------------------------------------------------------------------------------------------- tokens, sending


def _secret(value: Any) -> Secret:
    text = to_str(value).strip()
    if not text:
        raise ValueError("no token")
    return Secret(text)


@frozen(kw_only=True)
class Token:
    """Answer to ``gettoken``, without ``raw``, which would show the token.

    Attributes:
        token: ``token``.
        message: ``message``.
    """

    token: Secret = wire("token", convert=_secret)
    message: str = wire("message", default="")


@frozen(kw_only=True)
class SendResult:
    """Answer to ``addsms`` and ``smstosend``.

    Attributes:
        sms_id: ``sms_id``, the vendor's id of the message.
        message: ``message``; its wording differs from call to call, so do not rely on it.
        raw: all fields as received.
    """

    sms_id: str = wire("sms_id", convert=identifier)
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class BulkResult:
    """Answer to ``addalotofsms``, which has no ids.

    Attributes:
        error: ``error``: 0.
        message: ``message``.
        raw: all fields as received.
    """

    # Without it nothing says that the vendor accepted the messages, so it must not be missing.
    error: int = wire("error")
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


# -------------------------------------------------------------------------------------------------- messages and lists


@frozen(kw_only=True)
class SmsRecord:
    """Sent or received message in the answer to ``getallsms``.

    Attributes:
        sms_id: ``id``.
        number: ``sendto``, as the vendor wrote it: the recipient, or the sender of an incoming message.
        text: ``body``.
        customer_id: ``customerid``; None also for 0, which the vendor lists for bulk messages without one.
        status: ``status``.
        status_text: ``statustitle``.
        device_id: ``deviceid``.
        urgent: ``urgent``; null is False.
        created_at: ``created``.
        sent_at: ``senttime``.
        scheduled_at: ``timetosend``.
        sim: ``sim``; newer samples do not have it.
        newsletter_id: ``paketid``, the newsletter of the message.
        newsletter_title: ``pakettitle``.
        newsletter_text: ``paketbody``.
        raw: all fields as received.

    Times are aware, in the zone that the vendor names; None where a time is missing or cannot be read.
    """

    sms_id: str = wire("id", convert=identifier)
    number: str = wire("sendto", default="")
    text: str = wire("body", default="")
    customer_id: str | None = wire("customerid", default=None, convert=optional_identifier)
    status: StatusCode = wire("status")
    status_text: str = wire("statustitle", default="")
    device_id: str | None = wire("deviceid", "device_id", default=None, convert=optional_identifier)
    urgent: bool = wire("urgent", default=False, convert=flag)
    created_at: datetime | None = wire("created", default=None, convert=php_date)
    sent_at: datetime | None = wire("senttime", default=None, convert=php_date)
    scheduled_at: datetime | None = wire("timetosend", default=None, convert=php_date)
    sim: SimSlot | None = wire("sim", default=None)
    newsletter_id: str | None = wire("paketid", default=None, convert=optional_identifier)
    newsletter_title: str | None = wire("pakettitle", default=None)
    newsletter_text: str | None = wire("paketbody", default=None)
    raw: Mapping[str, Any] = raw_field()

    def to_delivery(self) -> Delivery:
        """Return the delivery status of the message as a `Delivery`, with the customer id as its ``reference``."""
        return Delivery(
            vendor=VENDOR,
            vendor_id=self.sms_id,
            number=e164(self.number),
            state=self.status.state,
            code=str(int(self.status)),
            at=self.sent_at,
            reference=self.customer_id,
            raw=self.raw,
        )


@frozen(kw_only=True)
class SmsList:
    """Answer to ``getallsms``.

    Attributes:
        messages: ``smss``: an object keyed by ids, or a list. Without messages it may be ``[]``, null or missing.
        count: ``count``.
        message: ``message``.
        raw: all fields as received.
    """

    messages: tuple[SmsRecord, ...] = wire("smss")
    count: int | None = wire("count", default=None)
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class SmsCount:
    """Answer to ``getallsms`` with ``onlycount``.

    Attributes:
        count: ``count``; where it is missing, ``smss``, which the document types as a number.
        message: ``message``.
        raw: all fields as received.
    """

    count: int = wire("count", "smss")
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class MessageStatus:
    """Answer to ``getsmsstatus``.

    Attributes:
        sms_id: ``sms_id``.
        status: ``status``.
        description: ``status_description``.
        message: ``message``.
        raw: all fields as received.
    """

    sms_id: str = wire("sms_id", convert=identifier)
    status: StatusCode = wire("status")
    description: str = wire("status_description", "statustitle", default="")
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


# ---------------------------------------------------------------------------------------------- contacts, newsletters


@frozen(kw_only=True)
class TagResult:
    """Answer to ``savetag``: ``tag_id``, ``message``."""

    tag_id: str = wire("tag_id", convert=identifier)
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class ContactResult:
    """Answer to ``savecontact``: ``contact_id``, ``message``."""

    contact_id: str = wire("contact_id", convert=identifier)
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class NewsletterResult:
    """Answer to ``savepaket``.

    Attributes:
        newsletter_id: ``paket_id``.
        contact_id: ``contact_id``, which the document lists too.
        message: ``message``.
        raw: all fields as received.
    """

    newsletter_id: str = wire("paket_id", convert=identifier)
    contact_id: str | None = wire("contact_id", default=None, convert=optional_identifier)
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


# ------------------------------------------------------------------------------------------------------------ devices


def _trimmed(value: Any) -> str:
    return to_str(value).strip()


@frozen(kw_only=True)
class SimInfo:
    """SIM card of a phone (``siminfo``).

    Attributes:
        slot: ``Slot``, from 0.
        icc_id: ``IccId``.
        number: ``Number``, as the card has it; it may be empty.
        roaming: ``Roaming``.
        country: ``CountryIso``, such as ``"de"``.
        carrier: ``CarrierName``.
        raw: all fields as received.
    """

    slot: int | None = wire("Slot", default=None)
    icc_id: str = wire("IccId", default="")
    number: str = wire("Number", default="", convert=_trimmed)
    roaming: bool = wire("Roaming", default=False, convert=flag)
    country: str = wire("CountryIso", default="")
    carrier: str = wire("CarrierName", default="")
    raw: Mapping[str, Any] = raw_field()


def _sims(value: Any) -> tuple[SimInfo, ...]:
    """Read ``siminfo``: a list, or null, or the list as JSON text, as the phone sent it."""
    if isinstance(value, str):
        value = orjson.loads(value.strip() or "[]")
    return CONVERTER.structure(value, tuple[SimInfo, ...])


@frozen(kw_only=True)
class Device:
    """Phone in the answer to ``getalldevices``.

    Attributes:
        device_id: ``id``.
        title: ``title``.
        number: ``number``.
        imei: ``imei``; None also where the vendor writes the word ``null``.
        created_at: ``created``, aware.
        created_text: ``createdhumanformat``, as the vendor wrote it.
        last_seen_at: ``lastseen``, aware: the time at which the app last asked for messages.
        last_seen_text: ``lastseenhumanformat``, as the vendor wrote it.
        serial_number: ``serialnumber``; None also where the vendor writes the word ``unknown``.
        sims: ``siminfo``.
        app_version: ``appversion``.
        app_is_current: ``isappversionactual``.
        delay_between_sms: ``delaybetweeneachsms``, seconds.
        delay_between_requests: ``delaybetweenrequest``, seconds.
        has_subscription: ``subscription``.
        raw: all fields as received.
    """

    device_id: str = wire("id", convert=identifier)
    title: str = wire("title", default="")
    number: str | None = wire("number", default=None, convert=known_text)
    imei: str | None = wire("imei", default=None, convert=known_text)
    created_at: datetime | None = wire("created", default=None, convert=php_date)
    created_text: str = wire("createdhumanformat", default="")
    last_seen_at: datetime | None = wire("lastseen", default=None, convert=php_date)
    last_seen_text: str = wire("lastseenhumanformat", default="")
    serial_number: str | None = wire("serialnumber", default=None, convert=known_text)
    sims: tuple[SimInfo, ...] = wire("siminfo", default=(), convert=_sims)
    app_version: str = wire("appversion", default="")
    app_is_current: bool = wire("isappversionactual", default=False, convert=flag)
    delay_between_sms: int | None = wire("delaybetweeneachsms", default=None)
    delay_between_requests: int | None = wire("delaybetweenrequest", default=None)
    has_subscription: bool = wire("subscription", default=False, convert=flag)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class DeviceList:
    """Answer to ``getalldevices``, which has no documented ``error``.

    Attributes:
        devices: ``device``: an object keyed by ids, or a list.
        count: ``count``.
        message: ``message``.
        raw: all fields as received.
    """

    devices: tuple[Device, ...] = wire("device")
    count: int | None = wire("count", default=None)
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class DeviceStatus:
    """Answer to ``getdevicestatus``, which only the vendor's example code shows.

    Attributes:
        device_id: ``device_id``.
        online: ``online``.
        last_seen_at: ``lastseen``, aware.
        seconds_since: ``diffseconds``, seconds since ``last_seen_at``.
        title: ``title``.
        message: ``message``.
        raw: all fields as received.
    """

    device_id: str = wire("device_id", "id", convert=identifier)
    online: bool = wire("online")
    last_seen_at: datetime | None = wire("lastseen", default=None, convert=php_date)
    seconds_since: int | None = wire("diffseconds", default=None)
    title: str = wire("title", default="")
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()
