"""SmsGateWay24's answers as frozen values, and what a message may bring along.

Sources: SmsGateWay24, "API documentation v1.0"; the vendor's repositories SmsGateWay24 and phpexample for what the
document's samples leave out. Each attribute names the vendor's field that it stands for.
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


# ------------------------------------------------------------------------------------------------------- messages in


@frozen
class SmsGateway24Options(VendorOptions):
    """What only SmsGateWay24 has, for a `Message`.

    Attributes:
        device_id: ``device_id``: the phone, or the name of a Sender ID; None for the client's own default.
        sim: ``sim``: 0 and 1 SIM cards, 2 WhatsApp Business, 3 WhatsApp, 4 and 5 RCS; None for the client's default.
        customer_id: ``customerid``: a number of your own that comes back in lists. By default the batch gives each
            message one, by which it can be found again; see `SmsGateway24Client.resolve`.
        urgent: ``urgent``: goes ahead of others.
        image: ``file``: the content of a jpeg, png, webp or gif that goes in place of a text, through WhatsApp only.
            It ends at a PUBLIC address. Not in bulk.
    """

    device_id: str | int | None = None
    sim: int | None = field(default=None, kw_only=True)
    customer_id: str | int | None = field(default=None, kw_only=True)
    urgent: bool = field(default=False, kw_only=True)
    image: bytes | None = field(default=None, repr=False, kw_only=True)


@frozen(repr=False)
class BulkSms:
    """One message of `SmsGateway24Client.send_many`.

    Args:
        number: the recipient in any common spelling.
        text: the text.
        device_id: the phone, or the name of a Sender ID; None for the client's default.
        sim: 0 to 5, see `SimSlot`; None for the client's default.
        schedule_at: aware datetime in the future; None for now.
        customer_id: a number of your own, the only thing by which the message can be found again.
        urgent: goes ahead of others.
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
    """Answer of ``gettoken``. It keeps no ``raw``, which would show the token.

    Attributes:
        token: ``token``.
        message: ``message``.
    """

    token: Secret = wire("token", convert=_secret)
    message: str = wire("message", default="")


@frozen(kw_only=True)
class SendResult:
    """Answer of ``addsms`` and ``smstosend``.

    Attributes:
        sms_id: ``sms_id``, the vendor's id of the message.
        message: ``message``; its wording differs from call to call and means nothing.
        raw: all fields as received.
    """

    sms_id: str = wire("sms_id", convert=identifier)
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class BulkResult:
    """Answer of ``addalotofsms``: it has no ids.

    Attributes:
        message: ``message``.
        raw: all fields as received.
    """

    # The only thing that says that anything happened, so it has to be there.
    error: int = wire("error")
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


# -------------------------------------------------------------------------------------------------- messages and lists


@frozen(kw_only=True)
class SmsRecord:
    """One message of ``getallsms``, sent or received.

    Attributes:
        sms_id: ``id``.
        number: ``sendto``, as the vendor wrote it: the recipient, or the sender of an incoming message.
        text: ``body``.
        customer_id: ``customerid``; None also for 0, which bulk messages without one have.
        status: ``status``.
        status_text: ``statustitle``.
        device_id: ``deviceid``.
        urgent: ``urgent``; null is False.
        created_at: ``created``.
        sent_at: ``senttime``.
        scheduled_at: ``timetosend``.
        sim: ``sim``; newer samples do not have it.
        newsletter_id: ``paketid``, of the newsletter that it belongs to.
        newsletter_title: ``pakettitle``.
        newsletter_text: ``paketbody``.
        raw: all fields as received.

    Times are aware, in the zone that the vendor names; None where there is none, or none that can be read.
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
        """Where the message stands, in vendor-neutral terms; ``reference`` is the customer id."""
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
    """Answer of ``getallsms``.

    Attributes:
        messages: ``smss``: an object keyed by ids, or a list; an empty one may be ``[]``, null or missing.
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
    """Answer of ``getallsms`` with ``onlycount``.

    Attributes:
        count: ``count``. (The document types ``smss`` as a number; one is read where ``count`` is missing.)
        message: ``message``.
        raw: all fields as received.
    """

    count: int = wire("count", "smss")
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class MessageStatus:
    """Answer of ``getsmsstatus``.

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
    """Answer of ``savetag``: ``tag_id``, ``message``."""

    tag_id: str = wire("tag_id", convert=identifier)
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class ContactResult:
    """Answer of ``savecontact``: ``contact_id``, ``message``."""

    contact_id: str = wire("contact_id", convert=identifier)
    message: str = wire("message", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class NewsletterResult:
    """Answer of ``savepaket``.

    Attributes:
        newsletter_id: ``paket_id``.
        contact_id: ``contact_id``, which the document lists as well.
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
    """One SIM card of a device (``siminfo``).

    Attributes:
        slot: ``Slot``, from 0.
        icc_id: ``IccId``.
        number: ``Number``, as the card tells it, which may be nothing.
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
    """``siminfo``: a list. It comes from the phone, so it may be null, or be the list as JSON text."""
    if isinstance(value, str):
        value = orjson.loads(value.strip() or "[]")
    return CONVERTER.structure(value, tuple[SimInfo, ...])


@frozen(kw_only=True)
class Device:
    """One phone of ``getalldevices``.

    Attributes:
        device_id: ``id``.
        title: ``title``.
        number: ``number``.
        imei: ``imei``; None also where the vendor writes the word ``null``.
        created_at: ``created``, aware.
        created_text: ``createdhumanformat``, as written.
        last_seen_at: ``lastseen``, aware: when the app last asked for messages.
        last_seen_text: ``lastseenhumanformat``, as written.
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
    """Answer of ``getalldevices``, which documents no ``error``.

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
    """Answer of ``getdevicestatus``, which only the vendor's example code shows.

    Attributes:
        device_id: ``device_id``.
        online: ``online``.
        last_seen_at: ``lastseen``, aware.
        seconds_since: ``diffseconds``, seconds since then.
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
