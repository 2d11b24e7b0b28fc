"""Requests to SmsGateWay24 as frozen values, with texts as the vendor wants them.

Source: SmsGateWay24, "API documentation v1.0"; function names from the vendor's repository SmsGateWay24, "API/v1.0".
The methods of `SmsGateway24Client` build these requests. Tokens and passwords are `Secret` in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from attrs import Factory

from mensasdk._value import value
from mensasdk.codec import wire
from mensasdk.transport import Secret
from mensasdk.vendors.base import Call, one_or_nothing
from mensasdk.vendors.smsgateway24.models import (
    BulkResult,
    ContactResult,
    DeviceList,
    DeviceStatus,
    MessageStatus,
    NewsletterResult,
    SendResult,
    SmsCount,
    SmsList,
    TagResult,
    Token,
)

__all__ = [
    "AddALotOfSms",
    "AddSms",
    "CountSms",
    "GetAllDevices",
    "GetAllSms",
    "GetDeviceStatus",
    "GetSmsStatus",
    "GetToken",
    "SaveContact",
    "SavePaket",
    "SaveTag",
    "SmsItem",
    "SmsToSend",
    "TokenCall",
]

T = TypeVar("T")


def _reveal(secret: Secret) -> str:
    return secret.reveal()


def _number(text: str) -> int | str:
    """Return an id as a number for JSON, as in the vendor's samples; return the name of a Sender ID unchanged."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 and text[0] != "0" else text


@value(kw_only=True)
class TokenCall(Call[T]):
    """Request with a token, which the client adds when it executes the request, unless it has one already."""

    token: Secret | None = wire("token", default=None, encode=_reveal)


@value(kw_only=True, repr=False)
class GetToken(Call[Token]):
    """Parameters of ``gettoken``: ``email``, ``pass``.

    It may be repeated: each time gives a new token, and changes nothing else.
    """

    function: ClassVar[str] = "gettoken"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Token

    email: Secret = wire("email", encode=_reveal)
    password: Secret = wire("pass", encode=_reveal)

    def __repr__(self) -> str:
        return "GetToken()"


@value(kw_only=True, repr=False)
class AddSms(TokenCall[SendResult]):
    """Parameters of ``addsms``.

    Attributes:
        number: ``sendto``.
        text: ``body``; None with an image, as the vendor puts the image's address there.
        device_id: ``device_id``.
        sim: ``sim``.
        schedule_at: ``timetosend``.
        customer_id: ``customerid``.
        urgent: ``urgent``.
        image: ``file``.
    """

    function: ClassVar[str] = "addsms"
    answer: ClassVar[type[Any]] = SendResult

    number: str = wire("sendto")
    text: str | None = wire("body", default=None)
    device_id: str = wire("device_id")
    sim: int = wire("sim")
    schedule_at: str | None = wire("timetosend", default=None)
    customer_id: str | None = wire("customerid", default=None)
    urgent: bool = wire("urgent", default=False, encode=one_or_nothing)
    image: bytes | None = None

    def __repr__(self) -> str:
        # Requests end up in tracebacks, where numbers and texts must not appear.
        return "AddSms()"


@value(kw_only=True, repr=False)
class SmsToSend(Call[SendResult]):
    """Parameters of ``smstosend``: those of ``addsms`` without ``file``, and ``email`` and ``pass`` for the token."""

    function: ClassVar[str] = "smstosend"
    answer: ClassVar[type[Any]] = SendResult

    email: Secret = wire("email", encode=_reveal)
    password: Secret = wire("pass", encode=_reveal)
    number: str = wire("sendto")
    text: str = wire("body")
    device_id: str = wire("device_id")
    sim: int = wire("sim")
    schedule_at: str | None = wire("timetosend", default=None)
    customer_id: str | None = wire("customerid", default=None)
    urgent: bool = wire("urgent", default=False, encode=one_or_nothing)

    def __repr__(self) -> str:
        return "SmsToSend()"


@value(kw_only=True, repr=False)
class SmsItem:
    """Message in ``smsdata`` of ``addalotofsms``."""

    number: str = wire("sendto")
    text: str = wire("body")
    sim: int = wire("sim")
    schedule_at: str | None = wire("timetosend", default=None)
    device_id: str = wire("device_id", encode=_number)
    customer_id: str | None = wire("customerid", default=None, encode=int)
    urgent: bool = wire("urgent", default=False, encode=one_or_nothing)


@value(kw_only=True, repr=False)
class AddALotOfSms(TokenCall[BulkResult]):
    """Parameters of ``addalotofsms``: one parameter ``datajson`` with JSON of all values, also the token."""

    function: ClassVar[str] = "addalotofsms"
    answer: ClassVar[type[Any]] = BulkResult

    items: Sequence[SmsItem] = wire("smsdata")

    def __repr__(self) -> str:
        return f"AddALotOfSms({len(self.items)} messages)"


@value(kw_only=True, repr=False)
class _Search(TokenCall[T]):
    device_id: str | None = wire("device_id", default=None)
    status: int | None = wire("status", default=None)
    begin: str | None = wire("begindate", default=None)
    end: str | None = wire("enddate", default=None)
    sim: int | None = wire("sim", default=None)
    customer_id: str | None = wire("customerid", default=None)
    number: str | None = wire("phone", default=None)
    descending: bool = wire("orderbydesc", default=False, encode=one_or_nothing)
    time_zone: str | None = wire("timezone", default=None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@value(kw_only=True, repr=False)
class GetAllSms(_Search[SmsList]):
    """Parameters of ``getallsms``.

    They are ``device_id``, ``status``, ``begindate``, ``enddate``, ``sim``, ``customerid``, ``phone``, ``orderbydesc``
    and ``timezone``.
    """

    function: ClassVar[str] = "getallsms"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = SmsList


@value(kw_only=True, repr=False)
class CountSms(_Search[SmsCount]):
    """Parameters of ``getallsms`` with ``onlycount``."""

    function: ClassVar[str] = "getallsms"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = SmsCount

    only_count: bool = wire("onlycount", default=True, encode=one_or_nothing)


@value(kw_only=True)
class SaveTag(TokenCall[TagResult]):
    """Parameters of ``savetag``: ``title``."""

    function: ClassVar[str] = "savetag"
    answer: ClassVar[type[Any]] = TagResult

    title: str = wire("title")


@value(kw_only=True, repr=False)
class SaveContact(TokenCall[ContactResult]):
    """Parameters of ``savecontact``.

    Attributes:
        phone: ``phone``.
        tag_id: ``tag_id``, as in all sources but the newest document.
        ctag_id: ``ctag_id``, as in the newest document; the same as ``tag_id`` by default.
        full_name: ``fullname``.
    """

    function: ClassVar[str] = "savecontact"
    answer: ClassVar[type[Any]] = ContactResult

    phone: str = wire("phone")
    tag_id: str = wire("tag_id")
    ctag_id: str = wire("ctag_id", default=Factory(lambda self: self.tag_id, takes_self=True))
    full_name: str = wire("fullname")

    def __repr__(self) -> str:
        return "SaveContact()"


@value(kw_only=True, repr=False)
class SavePaket(TokenCall[NewsletterResult]):
    """Parameters of ``savepaket``.

    Attributes:
        title: ``title``.
        device_id: ``device_id``.
        text: ``body``.
        tags: ``tags``, ids joined by commas.
        sim: ``sim``.
        schedule_at: ``time_to_send``, ``DD.MM.YYYY H:i:s``; ``0``, the documented default, for no schedule.
    """

    function: ClassVar[str] = "savepaket"
    answer: ClassVar[type[Any]] = NewsletterResult

    title: str = wire("title")
    device_id: str = wire("device_id")
    text: str = wire("body")
    tags: str = wire("tags")
    sim: int = wire("sim")
    schedule_at: str = wire("time_to_send", default="0")

    def __repr__(self) -> str:
        return "SavePaket()"


@value(kw_only=True)
class GetAllDevices(TokenCall[DeviceList]):
    """Parameters of ``getalldevices``: the token only."""

    function: ClassVar[str] = "getalldevices"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = DeviceList


@value(kw_only=True)
class GetSmsStatus(TokenCall[MessageStatus]):
    """Parameters of ``getsmsstatus``: ``sms_id``."""

    function: ClassVar[str] = "getsmsstatus"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = MessageStatus

    sms_id: str = wire("sms_id")


@value(kw_only=True)
class GetDeviceStatus(TokenCall[DeviceStatus]):
    """Parameters of ``getdevicestatus``, which only the vendor's example code and SDKs have: ``device_id``."""

    function: ClassVar[str] = "getdevicestatus"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = DeviceStatus

    device_id: str = wire("device_id")
