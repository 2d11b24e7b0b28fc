"""The client for smsgateway24.com (SmsGateWay24), a gateway to your own Android phones.

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
# The document has no figure; the vendor's own script for spreadsheets sends 50 at a time.
MAX_RECIPIENTS: Final = 50


class SmsGateway24Client(SmsGateway24Batch):
    """smsgateway24.com: messages wait at the gateway until one of your phones fetches and sends them.

    Everything goes by POST, and tokens and passwords in the body only; the vendor would take them in the address as
    well, where they end up in logs. Give a token, or e-mail and password, or both. With e-mail and password the client
    logs in when it first needs a token, and once more in a call whose token the vendor refuses: then the vendor has
    done nothing, so that the call can be made again with the new token. After an answer that was lost nothing is
    repeated. Logging in is a call of its own, with a deadline of its own.

    How `BatchSender` sends is chosen by ``bulk``:

    * ``"single"``, the default: one message in a request (``addsms``). Each gets an ``sms_id``, by which callbacks and
      `get_status` know it, and a lost answer leaves one message in doubt. It costs no time in the end: Android lets a
      phone send a few messages a second at best.
    * ``"many"``: up to ``max_recipients`` messages in a request (``addalotofsms``), whose answer has no ids. Each
      message is found again by its ``customerid``; see `send_batch` and `resolve`. A lost answer leaves all of them
      in doubt, and nothing says whether ``error`` 0 means each of them.
    * ``"auto"``: ``"many"`` where several messages wait together, and ``addsms`` for one alone.

    Args:
        token: a token, as `get_token` or your profile gives it.
        email: the account's login; with ``password``.
        password: the account's password.
        device_id: the phone (or the name of a Sender ID) for messages that name none.
        sim: the slot for messages that name none: 0 and 1 SIM cards, 2 WhatsApp Business, 3 WhatsApp, 4 and 5 RCS. 0,
            the vendor's own default.
        bulk: ``"single"``, ``"many"`` or ``"auto"``; see above.
        default_country: ISO 3166 alpha-2 code of the country that national numbers belong to, such as ``"DE"``;
            None to take international numbers only.
        max_recipients: most messages in one bulk request of a batch. The document names no limit.
        base_url: ``https://smsgateway24.com/getdata``.
        transport: a transport to borrow; None for an own one.
        timeouts: see `Timeouts`.
        retry: see `RetryPolicy`. What sends or changes something is never repeated after its bytes have left.
        hooks: called with each event, and awaited where they are async.

    Raises:
        ConfigurationError: credentials are missing or incomplete, or a value makes no sense.
        ValidationError: ``device_id`` or ``sim`` is none.

    Every method raises these, besides what it names itself:
        AuthError: token or password refused, and logging in again was of no use or not possible. The document has no
            codes: an answer with ``error`` 1 is taken for this by the words of its ``message``, or by status 401 or
            403. NOT_SENT where logging in failed, REJECTED else.
        VendorError: ``error`` 1 with other words, which it repeats; REJECTED.
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
        """Log in, and use the new token from now on: ``gettoken``. There is no need to: the client does it by itself.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The token; ``reveal()`` gives its text.

        Raises:
            ConfigurationError: the client has no e-mail and password.
            AuthError: they are refused.
        """
        login = self._session.login  # which ends by itself where no time is given, and with better words
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
        """Send one message to one person: ``addsms``.

        An ``image`` is uploaded by the vendor to a PUBLIC address on the web, which anybody who has it can open, for
        nobody says how long; what the person gets is that address or the image behind it. It goes through WhatsApp
        only, slots 2 and 3.

        Args:
            number: ``sendto``: the number in any common spelling; it is sent in E.164. Several numbers in one, by
                comma, semicolon or line end, are refused: each would be paid, and only one would have an id.
            text: ``body``. Empty with an image, and only then.
            device_id: ``device_id``; None for the client's default.
            sim: ``sim``, 0 to 5, see `SimSlot`; None for the client's default.
            schedule_at: ``timetosend``: aware datetime in the future. Sent in UTC to the second, fractions rounded up.
            customer_id: ``customerid``: a number of your own from 1 on, by which `list_sms` finds the message.
            urgent: ``urgent``: goes ahead of others.
            image: ``file``: a path, or the content. A jpeg, png, webp or gif of at most 10 MiB (a limit of ours); a
                path must be a regular file, no link.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The answer with the ``sms_id``. Whether the phone sent the message, `get_status` or a callback tells.

        Raises:
            ValidationError: a value breaks a rule; NOT_SENT.
            ScheduleError: ``schedule_at`` is naive or past; NOT_SENT.
            DecodeError: the answer has no id; UNKNOWN.
            AmbiguousResponse: it has an id and says that there was an error; UNKNOWN.
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
                    rules.check_image(b"GIF89a", text, slot)  # refused without a look at the file
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

        Args, result and errors as for `send_sms`, save the image, which this function does not take.

        Raises:
            ConfigurationError: the client has no e-mail and password; NOT_SENT.
            AuthError: they are refused; REJECTED.
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
        """Send messages, each with its own text, phone and time, in one request: ``addalotofsms``.

        The vendor names no most; its own script sends 50 at a time. The answer has no ids: give each message a
        ``customer_id``, and find it with `list_sms`.

        Args:
            items: ``smsdata``: one `BulkSms` for each message.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

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
        """List messages, sent and received: ``getallsms``. The vendor has no pages: all that fit come at once.

        Args:
            device_id: ``device_id``, or the name of a Sender ID.
            status: ``status``, see `StatusCode`; 5 for received ones.
            begin: ``begindate``: aware datetime. Sent on the clock of ``time_zone``; see there.
            end: ``enddate``: aware datetime, likewise.
            sim: ``sim``, 0 to 5.
            customer_id: ``customerid``.
            number: ``phone``, one number (in E.164 if it is one) or sender's name. The document has it as "0 | 1",
                and the vendor's sample as a number.
            descending: ``orderbydesc``. The document does not say by what; the newest first, by its name.
            time_zone: ``timezone``: an IANA name such as ``"Australia/Sydney"`` that times are listed in. (The document
                has it as a number, and describes a name.) The zone of ``begin`` and ``end`` is nowhere stated, so that
                with either of them the zone is always given: this one, or UTC.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The messages in the vendor's order.

        Raises:
            ValidationError: a value breaks a rule; nothing was sent.
            DecodeError: the answer counts messages and has no list.
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
        """Count messages: ``getallsms`` with ``onlycount``.

        Args and errors as for `list_sms`.
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
        """Ask where one message stands: ``getsmsstatus``.

        Args:
            sms_id: ``sms_id``, as sending returned it.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.
        """
        return await self.execute(GetSmsStatus(sms_id=rules.record_id("sms_id", sms_id)), timeout=timeout)

    async def list_devices(self, *, timeout: float | NotGiven = NOT_GIVEN) -> tuple[Device, ...]:
        """List the account's phones: ``getalldevices``.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.
        """
        return (await self.execute(GetAllDevices(), timeout=timeout)).devices

    async def get_device_status(
        self, device_id: str | int | None = None, *, timeout: float | NotGiven = NOT_GIVEN
    ) -> DeviceStatus:
        """Ask whether a phone is online: ``getdevicestatus``, known from the vendor's example code and SDKs only.

        Args:
            device_id: ``device_id``; None for the client's default.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.
        """
        return await self.execute(GetDeviceStatus(device_id=self._device(device_id)), timeout=timeout)

    # ------------------------------------------------------------------------------------------ contacts, newsletters

    async def create_tag(self, title: str, *, timeout: float | NotGiven = NOT_GIVEN) -> str:
        """Make a tag, which groups contacts: ``savetag``.

        Args:
            title: ``title``.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

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
            tag_id: sent as ``ctag_id``, which the newest document has, and as ``tag_id``, which everything else has.
            full_name: ``fullname``, the person's name.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

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
        """Make a newsletter to all contacts with certain tags: ``savepaket``. Tap start on the phone to have it go out.

        Args:
            title: ``title``.
            text: ``body``.
            tag_ids: ``tags``: one id or several.
            device_id: ``device_id``; None for the client's default.
            sim: ``sim``, 0 to 5; None for the client's default.
            schedule_at: ``time_to_send``: aware datetime in the future; None for none, which goes as the documented
                default 0. Sent in UTC, like the time of a message; the document does not say.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The ``paket_id``.

        Raises:
            ValidationError: a value breaks a rule; NOT_SENT.
            ScheduleError: ``schedule_at`` is naive or past; NOT_SENT.
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
