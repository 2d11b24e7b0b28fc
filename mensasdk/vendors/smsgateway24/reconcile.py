"""Find out what became of unknown messages, by the ``customerid`` that each message has in the vendor's lists."""

from __future__ import annotations

import hashlib
import unicodedata
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from mensasdk import phone
from mensasdk.arguments import not_this
from mensasdk.codes import Code
from mensasdk.errors import AuthError, ValidationError, VendorError
from mensasdk.messages import Outcome, OutcomeKind
from mensasdk.placeholders import fill
from mensasdk.transport import NOT_GIVEN, Gate, NotGiven
from mensasdk.vendors.batching import Doubt
from mensasdk.vendors.doubts import accepted, settle
from mensasdk.vendors.smsgateway24 import rules
from mensasdk.vendors.smsgateway24.models import MessageStatus, SmsGateway24Options, SmsRecord
from mensasdk.vendors.smsgateway24.wire import SmsGateway24Wire

__all__ = ["BY_CUSTOMER_ID", "SmsGateway24Reconcile", "derived_customer_id"]

BY_CUSTOMER_ID: Final = "customerid:"
"""Beginning of an outcome's ``vendor_id`` while the ``sms_id`` is not known; the ``customerid`` follows."""

# The document only says "int". Some databases store 32-bit ints, and silently cut larger ones to the largest value.
_IDS: Final = 2**31 - 1
# Less than the day between two reminders to one person.
_NEAR: Final = timedelta(hours=12)
# A message is not listed before it was sent, but by the vendor's clock, in whole seconds. Under an id of ours nothing
# else is listed; under the caller's own, what was listed before may be an earlier message, so that no clock is excused.
_CLOCKS: Final = timedelta(minutes=5)


def derived_customer_id(reference: str, position: int) -> int:
    """Return the ``customerid`` of a campaign's message: always the same for the same arguments.

    The messages of one request get consecutive ids, so no two are equal. Messages of different requests may get the
    same id by chance, about once in ten million pairs; then the phone number and the text tell them apart.

    Args:
        reference: the reference of the request, as given to `send_batch`.
        position: the position of the message in the request, from 0.

    Returns:
        A whole number from 1 to 2**31 - 1.
    """
    start = int.from_bytes(hashlib.sha256(reference.encode()).digest()[:8], "big")
    return (start + position) % _IDS + 1


@frozen
class _Sought:
    """Our message, to compare with the messages in the vendor's lists.

    Attributes:
        number: the recipient's number in E.164.
        text: the text; None for an image, for which the vendor lists an address.
        shared: the customer id is the caller's own, so several messages may have it, such as all those to one person.
        asked_at: the time at which the message was sent; None where it is not known.
    """

    number: str
    text: str | None
    shared: bool
    asked_at: datetime | None = None


class _Lists:
    """Vendor's lists of messages by customer id, each of which is fetched only once."""

    def __init__(self, ask: Callable[[str], Awaitable[Sequence[SmsRecord]]], default_country: str | None) -> None:
        self._ask = ask
        self._default_country = default_country
        self._known: dict[str, Sequence[SmsRecord]] = {}

    async def find(self, sought: _Sought, customer_ids: Iterable[str]) -> SmsRecord | None:
        """Find our message under the first customer id that has it.

        None where the vendor does not list it, or lists several messages that may be ours.
        """
        for customer_id in customer_ids:
            if customer_id not in self._known:
                self._known[customer_id] = [
                    record
                    for record in await self._ask(customer_id)
                    if not record.status.is_incoming and record.customer_id in (None, customer_id)
                ]
            found = [record for record in self._known[customer_id] if self._is_like(record, sought)]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _is_like(self, record: SmsRecord, sought: _Sought) -> bool:
        if sought.asked_at and record.created_at:
            excused = timedelta(0) if sought.shared else _CLOCKS
            earliest = sought.asked_at.replace(microsecond=0) - excused
            if not earliest <= record.created_at <= sought.asked_at + _NEAR:
                return False
        if not _same_text(record.text, sought.text):
            return False
        return phone.same_number(record.number, sought.number, default_country=self._default_country)


def _checked(rule: Callable[[], str | None]) -> str | None:
    """Return the id that a rule checks; None where the rule refuses it, as recorded ids may be anything."""
    try:
        return rule()
    except ValidationError:
        return None


def _same_text(listed: str, sent: str | None) -> bool:
    """Return whether two texts are equal but for blanks and Unicode composition, which servers change.

    Also True where one of the texts is missing, as it then proves nothing.
    """
    return sent is None or not listed or _plain(listed) == _plain(sent)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


class SmsGateway24Reconcile(SmsGateway24Wire):
    """Part of `SmsGateway24Client` that finds out what became of unknown messages."""

    @abstractmethod
    async def list_sms(
        self, *, customer_id: str | int | None = None, timeout: float | NotGiven = NOT_GIVEN
    ) -> tuple[SmsRecord, ...]:
        """List messages; `SmsGateway24Client` has the code."""

    @abstractmethod
    async def get_status(self, sms_id: str | int) -> MessageStatus:
        """Get the status of one message; `SmsGateway24Client` has the code."""

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        """Find out what became of messages of one request, without sending any; see `BatchClient.reconcile`.

        The client calls ``getallsms`` once for each customer id that the message may have. With ``bulk="single"`` there
        is just one. In bulk, messages before it may have been left out of the request, so that its position was lower:
        then the ids of the lower positions are tried as well, until the message is found.

        A listed message is ours if it has the same phone number and the same text, and was made at ``asked_at`` or
        within half a day after it. A customer id of the caller's own may stand for a person, so that a message that was
        made in a second before proves nothing. Give each message an id of its own: two messages that cannot be told
        apart stay unknown.

        Args:
            doubts: messages of one request.
            reference: the reference of that request, from which customer ids are derived.
            gate: not used; nothing is sent.
            repeat: not used; the vendor does not drop repeated messages.

        Returns:
            For each message, an ACCEPTED outcome with the ``sms_id`` as its ``vendor_id``, or None. The code is
            ``"callback"`` where the vendor reported on the message, ``"status"`` where it knows the message's
            ``sms_id``, and ``"customer_id"`` where it lists the message. None proves nothing: the vendor may list the
            message later.

        Raises:
            MensaError: a list could not be fetched, and nothing was found out.
        """
        lists = self._lists()
        return await settle(doubts, lambda doubt: self._asked(doubt, reference, lists), vendor=self.vendor)

    async def resolve(self, outcome: Outcome, *, timeout: float | NotGiven = NOT_GIVEN) -> Outcome:
        """Ask the vendor what became of a campaign's message, by its ``customerid``: ``getallsms``.

        Use it for UNKNOWN outcomes, and for ACCEPTED ones of bulk requests, to get their ``sms_id``. It makes one call
        for each outcome. For many outcomes, one call of `list_sms` for the time of the campaign is cheaper.

        Args:
            outcome: an outcome from a report or a stream of `BatchSender`.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Returns:
            The outcome as ACCEPTED, with the ``sms_id`` as its ``vendor_id``, if the vendor lists exactly one message
            with this customer id and phone number (and this text, where the id is the caller's own). Else the same
            outcome: a message that is not listed proves nothing, as the vendor may list it later.

        Raises:
            ValidationError: the outcome is not this vendor's, or its ``vendor_id`` is no ``"customerid:..."``.
            MensaError: the list could not be fetched.
        """
        given: object = outcome
        if not isinstance(given, Outcome):
            raise rules.invalid("outcome", not_this("outcome", "an Outcome, as a report gives it", given))
        mark = outcome.vendor_id or ""
        if outcome.vendor != self.vendor or not mark.startswith(BY_CUSTOMER_ID):
            raise rules.invalid(
                "outcome", 'outcome must be an outcome of this vendor whose vendor_id begins with "customerid:"'
            )
        message, options = outcome.message, outcome.message.options
        own = options if isinstance(options, SmsGateway24Options) else SmsGateway24Options()
        sought = _Sought(
            phone.parse(message.to, default_country=self.default_country).e164,
            None if own.image is not None else fill(message.text, message.variables),
            shared=own.customer_id is not None,
        )
        found = await self._lists(timeout).find(sought, [mark.removeprefix(BY_CUSTOMER_ID)])
        if found is None:
            return outcome
        return evolve(outcome, kind=OutcomeKind.ACCEPTED, vendor_id=found.sms_id, code=None, detail="")

    def _lists(self, timeout: float | NotGiven = NOT_GIVEN) -> _Lists:
        return _Lists(lambda customer_id: self.list_sms(customer_id=customer_id, timeout=timeout), self.default_country)

    async def _asked(self, doubt: Doubt, reference: str, lists: _Lists) -> Outcome | None:
        mark = doubt.vendor_id or ""
        sms_id = _checked(lambda: rules.record_id("sms_id", mark))
        if sms_id is not None and (status := await self._status(sms_id)) is not None:
            detail = f"the vendor knows the message: {status.status.meaning}"
            return accepted(doubt, vendor=self.vendor, vendor_id=sms_id, code=Code.STATUS, detail=detail)
        ready = doubt.item.payload  # made by `SmsGateway24Batch.prepare`
        certain = ready.customer_id
        if mark.startswith(BY_CUSTOMER_ID):
            certain = _checked(lambda: rules.customer_id(mark.removeprefix(BY_CUSTOMER_ID))) or certain
        customer_ids: Iterable[str]
        if certain is not None:
            customer_ids = [certain]
        else:
            # Messages before it may have been left out, so its position may have been lower.
            customer_ids = (str(derived_customer_id(reference, place)) for place in range(doubt.position, -1, -1))
        sought = _Sought(ready.number, ready.text, shared=ready.customer_id is not None, asked_at=doubt.asked_at)
        found = await lists.find(sought, customer_ids)
        if found is None:
            return None
        detail = f"the vendor lists the message by its customerid: {found.status.meaning}"
        return accepted(doubt, vendor=self.vendor, vendor_id=found.sms_id, code=Code.CUSTOMER_ID, detail=detail)

    async def _status(self, sms_id: str) -> MessageStatus | None:
        """Return the status of a message; None for any refusal, as the vendor has no code for an unknown ``sms_id``."""
        try:
            return await self.get_status(sms_id)
        except AuthError:
            raise
        except VendorError:
            return None
