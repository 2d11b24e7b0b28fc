"""Send and manage messages with smsgateway24.com (SmsGateWay24), a gateway to your own Android phones.

Source: SmsGateWay24, "API documentation v1.0"; where it is silent, the vendor's repositories SmsGateWay24 (the same
document with addresses and status codes) and phpexample (captured answers).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, get_args

from attrs import evolve

from mensasdk import schedule
from mensasdk.arguments import check_count, not_this
from mensasdk.errors import ConfigurationError
from mensasdk.files import read_regular_file
from mensasdk.transport import NOT_GIVEN, Hook, NotGiven, RetryPolicy, Secret, Timeouts, Transport
from mensasdk.vendors.base import check_country
from mensasdk.vendors.smsgateway24 import rules
from mensasdk.vendors.smsgateway24.batch import BulkMode, SmsGateway24Batch
from mensasdk.vendors.smsgateway24.dates import newsletter_time, range_end, schedule_time
from mensasdk.vendors.smsgateway24.models import (
    BulkResult,
    BulkSms,
    Device,
    DeviceStatus,
    MessageStatus,
    SendResult,
    SmsRecord,
)
from mensasdk.vendors.smsgateway24.requests import (
    AddALotOfSms,
    AddSms,
    CountSms,
    GetAllDevices,
    GetAllSms,
    GetDeviceStatus,
    GetSmsStatus,
    SaveContact,
    SavePaket,
    SaveTag,
    SmsItem,
    SmsToSend,
)

__all__ = ["SmsGateway24Client"]

BASE_URL: Final = "https://smsgateway24.com/getdata"
# The document names no limit; the vendor's own script for spreadsheets sends 50 at a time.
MAX_RECIPIENTS: Final = 50


class SmsGateway24Client(SmsGateway24Batch):
    """Client for smsgateway24.com, where messages wait until one of your phones fetches and sends them.

    Every request is a POST, with tokens and passwords in the body only. (The vendor takes them in the address as well,
    where they end up in logs.) Give a token, or e-mail and password, or both. With e-mail and password the client logs
    in when it first needs a token. If the vendor refuses the token of a call, the client logs in and makes the call
    once more, as a refused call did nothing. A call whose answer was lost is never repeated. A login is a call of its
    own, with its own deadline.

    Choose with ``bulk`` how `BatchSender` sends:

    * ``"single"``, the default: one message per request (``addsms``). Each message gets an ``sms_id``, for callbacks
      and `get_status`, and a lost answer leaves one message unknown. A campaign takes no longer than in bulk, as
      Android lets a phone send a few messages per second at best.
    * ``"many"``: up to ``max_recipients`` messages per request (``addalotofsms``). The answer has no ids, so a message
      is found again by its ``customerid``; see `send_batch` and `resolve`. A lost answer leaves all of the messages
      unknown, and the vendor does not say whether ``error`` 0 accepts each of them.
    * ``"auto"``: ``"many"`` for several messages that wait together, and ``addsms`` for a single one.

    Args:
        token: a token, from `get_token` or your profile at the vendor.
        email: the account's login; with ``password``.
        password: the account's password.
        device_id: the phone (or the name of a Sender ID) for messages without one.
        sim: the slot for messages without one: 0 and 1 SIM cards, 2 WhatsApp Business, 3 WhatsApp, 4 and 5 RCS. The
            default is the vendor's own: 0.
        bulk: ``"single"``, ``"many"`` or ``"auto"``; see above.
        default_country: ISO 3166 alpha-2 code of the country of national numbers, such as ``"DE"``; None to take
            international numbers only.
        max_recipients: most messages in one bulk request of a campaign. The document names no limit.
        base_url: ``https://smsgateway24.com/getdata``.
        transport: a transport that you share and close yourself; None to let the client make and close its own.
        timeouts: see `Timeouts`.
        retry: see `RetryPolicy`. A call that sends or changes something is never repeated after its bytes have left.
        hooks: functions that are called with each event, and awaited if they are async.

    Raises:
        ConfigurationError: credentials are missing or incomplete, or an argument has a wrong type or value.
        ValidationError: ``device_id``, ``sim`` or ``default_country`` is not valid.

    Every method can raise these, besides the errors that it names:
        AuthError: the vendor refused the token or password, and a new login failed or was not possible. The document
            has no codes, so an answer with ``error`` 1 counts as this by the words of its ``message``; so do the
            statuses 401 and 403. NOT_SENT where the login failed, else REJECTED.
        VendorError: ``error`` 1 with other words, which the error repeats; REJECTED.
        TransportError, ResponseError: see `mensasdk.errors`; ``outcome`` says what became of the request.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        email: str | None = None,
        password: str | None = None,
        device_id: str | int | None = None,
        sim: int = 0,
        bulk: BulkMode = "single",
        default_country: str | None = None,
        max_recipients: int = MAX_RECIPIENTS,
        base_url: str = BASE_URL,
        transport: Transport | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        if bulk not in get_args(BulkMode):
            raise ConfigurationError('bulk must be "auto", "single" or "many"', vendor=self.vendor)
        check_count("max_recipients", max_recipients)
        super().__init__(
            token=token,
            email=email,
            password=password,
            base_url=base_url,
            transport=transport,
            timeouts=timeouts,
            retry=retry,
            hooks=hooks,
        )
        check_country(default_country)
        self.default_country = default_country
        self._max_recipients = max_recipients
        self._device_id = None if device_id is None else rules.device(device_id)
        self._sim = rules.slot(sim)
        self._bulk = bulk

    # -------------------------------------------------------------------------------------------- tokens and sending

    async def get_token(self, *, timeout: float | NotGiven = NOT_GIVEN) -> Secret:
        """Log in and use the new token from now on, as the client also does by itself when needed: ``gettoken``.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Returns:
            The token; ``reveal()`` gives its text.

        Raises:
            ConfigurationError: the client has no e-mail and password.
            AuthError: the vendor refuses them.
        """
        login = self._session.login  # without a timeout it ends by itself, and with a better error
        return await (login() if timeout is NOT_GIVEN else self._in_time(login, self._deadline(timeout)))

    async def send_sms(
        self,
        number: str,
        text: str = "",
        *,
        device_id: str | int | None = None,
        sim: int | None = None,
        schedule_at: datetime | None = None,
        customer_id: str | int | None = None,
        urgent: bool = False,
        image: str | os.PathLike[str] | bytes | None = None,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> SendResult:
        """Send one message to one recipient: ``addsms``.

        The vendor uploads an ``image`` to a PUBLIC web address. Anybody who has the address can open it, and the
        document does not say for how long. The recipient gets the address or the image. Images go through WhatsApp
        only, slots 2 and 3.

        Args:
            number: ``sendto``: the number in any common spelling; it is sent in E.164. Several numbers, joined by
                comma, semicolon or line end, are refused: you would pay for each, and only one would have an id.
            text: ``body``. Empty with an image, and only then.
            device_id: ``device_id``; None for the client's default.
            sim: ``sim``, 0 to 5, see `SimSlot`; None for the client's default.
            schedule_at: ``timetosend``: aware datetime in the future. Sent in UTC, fractions of a second rounded up.
            customer_id: ``customerid``: a number of your own, 1 or more, by which `list_sms` finds the message.
            urgent: ``urgent``: send this message before others.
            image: ``file``: a path, or the content: a jpeg, png, webp or gif of at most 10 MiB (our own limit). A path
                must be a regular file, not a link.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Returns:
            The answer with the ``sms_id``. To learn whether the phone sent it, use `get_status` or callbacks.

        Raises:
            ValidationError: a value breaks a rule; NOT_SENT.
            ScheduleError: ``schedule_at`` is naive or in the past; NOT_SENT.
            DecodeError: the answer has no id; UNKNOWN.
            AmbiguousResponse: the answer has an id, but reports an error; UNKNOWN.
        """
        deadline = self._deadline(timeout)
        slot = self._sim if sim is None else rules.slot(sim)
        if image is None:
            rules.check_text(text)
        call = AddSms(
            number=rules.number(number, self.default_country),
            text=text if image is None else None,
            device_id=self._device(device_id),
            sim=int(slot),
            schedule_at=None if schedule_at is None else schedule_time(schedule_at),
            customer_id=rules.customer_id(customer_id),
            urgent=urgent,
        )
        if image is not None:
            if not isinstance(image, bytes):
                if not isinstance(image, str | os.PathLike):
                    raise rules.invalid("image", f"image must be a path or bytes, not {type(image).__name__}")
                if text or not slot.takes_images:
                    rules.check_image(b"GIF89a", text, slot)  # refuses before the file is read
                limit = rules.MAX_IMAGE
                image = await read_regular_file(image, limit=limit, field="image", vendor=self.vendor)
            rules.check_image(image, text, slot)
            call = evolve(call, image=image)
        return await self.execute(call, deadline=deadline)

    async def send_sms_with_login(
        self,
        number: str,
        text: str,
        *,
        device_id: str | int | None = None,
        sim: int | None = None,
        schedule_at: datetime | None = None,
        customer_id: str | int | None = None,
        urgent: bool = False,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> SendResult:
        """Send one message with e-mail and password in place of a token: ``smstosend``.

        Arguments, result and errors are those of `send_sms`, but the vendor takes no image here.

        Raises:
            ConfigurationError: the client has no e-mail and password; NOT_SENT.
            AuthError: the vendor refuses them; REJECTED.
        """
        if self._email is None or self._password is None:
            raise ConfigurationError(
                "send_sms_with_login needs email and password; give both to the client", vendor=self.vendor
            )
        return await self.execute(
            SmsToSend(
                email=self._email,
                password=self._password,
                number=rules.number(number, self.default_country),
                text=rules.check_text(text),
                device_id=self._device(device_id),
                sim=int(self._sim if sim is None else rules.slot(sim)),
                schedule_at=None if schedule_at is None else schedule_time(schedule_at),
                customer_id=rules.customer_id(customer_id),
                urgent=urgent,
            ),
            timeout=timeout,
        )

    async def send_many(self, items: Iterable[BulkSms], *, timeout: float | NotGiven = NOT_GIVEN) -> BulkResult:
        """Send several messages in one request, each with its own text, phone and time: ``addalotofsms``.

        The vendor names no limit; its own script sends 50 at a time. The answer has no ids: give each message a
        ``customer_id``, and find it with `list_sms`.

        Args:
            items: ``smsdata``: one `BulkSms` for each message.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Raises:
            ValidationError: ``items`` is empty, or a value breaks a rule; NOT_SENT.
            DecodeError: the answer does not say whether there was an error; UNKNOWN.
        """
        ready = [
            SmsItem(
                number=rules.number(item.number, self.default_country),
                text=rules.check_text(item.text),
                sim=int(self._sim if item.sim is None else rules.slot(item.sim)),
                schedule_at=None if item.schedule_at is None else schedule_time(item.schedule_at),
                device_id=self._device(item.device_id),
                customer_id=rules.customer_id(item.customer_id),
                urgent=item.urgent,
            )
            for item in _each(items)
        ]
        if not ready:
            raise rules.invalid("items", "items is empty; give at least one message")
        return await self.execute(AddALotOfSms(items=ready), timeout=timeout)

    # ------------------------------------------------------------------------------------------------ lists, statuses

    async def list_sms(
        self,
        *,
        device_id: str | int | None = None,
        status: int | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
        sim: int | None = None,
        customer_id: str | int | None = None,
        number: str | None = None,
        descending: bool = False,
        time_zone: str | None = None,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> tuple[SmsRecord, ...]:
        """List sent and received messages, all that match at once, as the vendor has no pages: ``getallsms``.

        Args:
            device_id: ``device_id``, or the name of a Sender ID.
            status: ``status``, see `StatusCode`; 5 for received messages.
            begin: ``begindate``: aware datetime. Sent in ``time_zone``; see there.
            end: ``enddate``: aware datetime, sent like ``begin``.
            sim: ``sim``, 0 to 5.
            customer_id: ``customerid``.
            number: ``phone``, one number (sent in E.164 if it is valid) or the name of a sender. The document has it as
                "0 | 1", and the vendor's sample as a number.
            descending: ``orderbydesc``. By its name, the newest first; the document does not say.
            time_zone: ``timezone``: the zone of the listed times, an IANA name such as ``"Australia/Sydney"``. (The
                document types it as a number, but describes a name.) The document does not name the zone of ``begin``
                and ``end``, so with either of them a zone is always sent: this one, or UTC.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Returns:
            The messages in the vendor's order.

        Raises:
            ValidationError: a value breaks a rule; nothing was sent.
            DecodeError: the answer counts messages, but has no list.
        """
        call = GetAllSms(**self._search(device_id, status, begin, end, sim, customer_id, number, descending, time_zone))
        return (await self.execute(call, timeout=timeout)).messages

    async def count_sms(
        self,
        *,
        device_id: str | int | None = None,
        status: int | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
        sim: int | None = None,
        customer_id: str | int | None = None,
        number: str | None = None,
        time_zone: str | None = None,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> int:
        """Return the count of messages: ``getallsms`` with ``onlycount``.

        Arguments and errors are those of `list_sms`.
        """
        call = CountSms(**self._search(device_id, status, begin, end, sim, customer_id, number, False, time_zone))
        return (await self.execute(call, timeout=timeout)).count

    def _search(
        self,
        device_id: str | int | None,
        status: int | None,
        begin: datetime | None,
        end: datetime | None,
        sim: int | None,
        customer_id: str | int | None,
        number: str | None,
        descending: bool,
        time_zone: str | None,
    ) -> dict[str, Any]:
        zone = UTC if time_zone is None else schedule.zone(time_zone)
        if time_zone is None and (begin is not None or end is not None):
            time_zone = "UTC"
        return {
            "device_id": None if device_id is None else rules.device(device_id),
            "status": None if status is None else rules.status(status),
            "begin": None if begin is None else range_end(begin, zone, field="begin", up=False),
            "end": None if end is None else range_end(end, zone, field="end", up=True),
            "sim": None if sim is None else int(rules.slot(sim)),
            "customer_id": rules.customer_id(customer_id),
            "number": None if number is None else rules.search_number(number, self.default_country),
            "descending": descending,
            "time_zone": time_zone,
        }

    async def get_status(self, sms_id: str | int, *, timeout: float | NotGiven = NOT_GIVEN) -> MessageStatus:
        """Get the status of one message: ``getsmsstatus``.

        Args:
            sms_id: ``sms_id``, as `send_sms` returned it.
            timeout: seconds for the whole call; `Timeouts.total` by default.
        """
        return await self.execute(GetSmsStatus(sms_id=rules.record_id("sms_id", sms_id)), timeout=timeout)

    async def list_devices(self, *, timeout: float | NotGiven = NOT_GIVEN) -> tuple[Device, ...]:
        """List the account's phones: ``getalldevices``.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` by default.
        """
        return (await self.execute(GetAllDevices(), timeout=timeout)).devices

    async def get_device_status(
        self, device_id: str | int | None = None, *, timeout: float | NotGiven = NOT_GIVEN
    ) -> DeviceStatus:
        """Get the status of a phone: ``getdevicestatus``, which only the vendor's example code and SDKs have.

        Args:
            device_id: ``device_id``; None for the client's default.
            timeout: seconds for the whole call; `Timeouts.total` by default.
        """
        return await self.execute(GetDeviceStatus(device_id=self._device(device_id)), timeout=timeout)

    # ------------------------------------------------------------------------------------------ contacts, newsletters

    async def create_tag(self, title: str, *, timeout: float | NotGiven = NOT_GIVEN) -> str:
        """Make a tag for contacts: ``savetag``.

        Args:
            title: ``title``.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Returns:
            The ``tag_id``.
        """
        return (await self.execute(SaveTag(title=rules.line("title", title)), timeout=timeout)).tag_id

    async def save_contact(
        self, phone: str, tag_id: str | int, full_name: str, *, timeout: float | NotGiven = NOT_GIVEN
    ) -> str:
        """Save a contact with a tag: ``savecontact``.

        Args:
            phone: ``phone``: the number in any common spelling; it is sent in E.164.
            tag_id: sent as ``ctag_id``, as in the newest document, and as ``tag_id``, as in all other sources.
            full_name: ``fullname``, the person's name.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Returns:
            The ``contact_id``.
        """
        call = SaveContact(
            phone=rules.number(phone, self.default_country, field="phone"),
            tag_id=rules.record_id("tag_id", tag_id),
            full_name=rules.line("full_name", full_name),
        )
        return (await self.execute(call, timeout=timeout)).contact_id

    async def create_newsletter(
        self,
        title: str,
        text: str,
        *,
        tag_ids: str | int | Iterable[str | int],
        device_id: str | int | None = None,
        sim: int | None = None,
        schedule_at: datetime | None = None,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> str:
        """Make a newsletter to all contacts with some tags, which you then start on the phone: ``savepaket``.

        Args:
            title: ``title``.
            text: ``body``.
            tag_ids: ``tags``: one id or several.
            device_id: ``device_id``; None for the client's default.
            sim: ``sim``, 0 to 5; None for the client's default.
            schedule_at: ``time_to_send``: aware datetime in the future. Sent in UTC, like the time of a message; the
                document names no zone. None sends 0, the documented default.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Returns:
            The ``paket_id``.

        Raises:
            ValidationError: a value breaks a rule; NOT_SENT.
            ScheduleError: ``schedule_at`` is naive or in the past; NOT_SENT.
            DecodeError: the answer has no id; UNKNOWN.
        """
        call = SavePaket(
            title=rules.line("title", title),
            device_id=self._device(device_id),
            text=rules.check_text(text),
            tags=rules.tags(tag_ids),
            sim=int(self._sim if sim is None else rules.slot(sim)),
            schedule_at="0" if schedule_at is None else newsletter_time(schedule_at),
        )
        return (await self.execute(call, timeout=timeout)).newsletter_id

    def _device(self, device_id: str | int | None) -> str:
        return rules.device(self._device_id if device_id is None else device_id)


def _each(items: Iterable[BulkSms]) -> Iterator[BulkSms]:
    given: object = items
    what = 'BulkSms, as in BulkSms("+34600000000", "Hola")'
    if not isinstance(given, Iterable):
        raise rules.invalid("items", not_this("items", f"a list of {what}", given))
    for index, item in enumerate(given):
        if not isinstance(item, BulkSms):
            raise rules.invalid("items", not_this(f"items[{index}]", f"a {what}", item))
        yield item
