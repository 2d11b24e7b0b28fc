"""What became of messages in doubt: SmsGateWay24 lists messages by ``customerid``, a number that each of ours has."""

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
"""What the ``vendor_id`` of an outcome begins with while the ``sms_id`` is not known."""

# The document says no more than "int", and databases have ints of 32 bits that silently keep to their largest value.
_IDS: Final = 2**31 - 1
# More than clocks and zones are usually off by, and less than the day between two reminders to one person.
_NEAR: Final = timedelta(hours=12)


def derived_customer_id(reference: str, position: int) -> int:
    """The ``customerid`` of a message in a batch: the same for the same arguments, on every machine.

    Messages of one request get numbers in a row, so that no two are equal. Those of different requests may be equal
    by chance, once in some ten million pairs; the recipient's number tells them apart.

    Args:
        reference: of the request, as given to `send_batch`.
        position: of the message in the request, from 0.

    Returns:
        A number from 1 to 2**31 - 1.
    """
    start = int.from_bytes(hashlib.sha256(reference.encode()).digest()[:8], "big")
    return (start + position) % _IDS + 1


@frozen
class _Sought:
    """What a message in a list must be like to be ours.

    Attributes:
        number: the recipient in E.164.
        text: the text; None for an image, in whose place the vendor lists an address.
        shared: its customer id is the caller's own, and may well stand for a person and all that is sent to them.
        asked_at: when it went out, where that is known.
    """

    number: str
    text: str | None
    shared: bool
    asked_at: datetime | None = None


class _Lists:
    """The vendor's messages by customer id; each id is asked for once."""

    def __init__(self, ask: Callable[[str], Awaitable[Sequence[SmsRecord]]], default_country: str | None) -> None:
        self._ask = ask
        self._default_country = default_country
        self._known: dict[str, Sequence[SmsRecord]] = {}

    async def find(self, sought: _Sought, customer_ids: Iterable[str]) -> SmsRecord | None:
        """The message, under the first of the ids that has it; None also where there are several that may be it."""
        for customer_id in customer_ids:
            if customer_id not in self._known:
                self._known[customer_id] = [
                    record
                    for record in await self._ask(customer_id)
                    if not record.status.is_incoming and record.customer_id in (None, customer_id)
                ]
            found = [record for record in self._known[customer_id] if self._is_like(record, sought)]
            if sought.shared or len(found) > 1:
                found = [record for record in found if _same_text(record.text, sought.text)]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _is_like(self, record: SmsRecord, sought: _Sought) -> bool:
        if sought.asked_at and record.created_at and abs(record.created_at - sought.asked_at) > _NEAR:
            return False
        return phone.same_number(record.number, sought.number, default_country=self._default_country)


def _checked(rule: Callable[[], str | None]) -> str | None:
    """An id that was recorded; None where the rule finds that it is none."""
    try:
        return rule()
    except ValidationError:
        return None


def _same_text(listed: str, sent: str | None) -> bool:
    """Blanks and the composition of letters aside, which servers change. A list without texts says nothing."""
    return sent is None or not listed or _plain(listed) == _plain(sent)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


class SmsGateway24Reconcile(SmsGateway24Wire):
    """The part of `SmsGateway24Client` that finds out about messages in doubt."""

    @abstractmethod
    async def list_sms(
        self, *, customer_id: str | int | None = None, timeout: float | NotGiven = NOT_GIVEN
    ) -> tuple[SmsRecord, ...]: ...

    @abstractmethod
    async def get_status(self, sms_id: str | int) -> MessageStatus: ...

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        """Find out what became of messages of one request; see `BatchClient.reconcile`. Nothing is ever sent.

        One call of ``getallsms`` for each customer id that comes into question, and never two for the same. That is one
        for a message that knows its place in the request, as with ``bulk="single"``; where others may have been left
        out before it, the places before are asked for as well until it is found.

        A listed message is ours when it went out to the same number, within half a day of ``asked_at``. Where the
        customer id is the caller's own, it must have the same text, too: such an id may stand for a person. Give each
        message one of its own, for two messages that cannot be told apart stay in doubt.

        Args:
            doubts: messages of one request.
            reference: of that request; customer ids are derived from it.
            gate: not used; nothing is sent.
            repeat: not used; the vendor would take a repetition for another message.

        Returns:
            ACCEPTED with the ``sms_id`` for its ``vendor_id``. Its code is ``"callback"`` where the vendor has reported
            on the message, ``"status"`` where it knows the ``sms_id`` of an answer, and ``"customer_id"`` where it
            lists the message. None else: that nothing is there proves nothing, since the vendor may still be at it.

        Raises:
            MensaError: a list could not be fetched, and nothing was found out.
        """
        lists = self._lists()
        return await settle(doubts, lambda doubt: self._asked(doubt, reference, lists), vendor=self.vendor)

    async def resolve(self, outcome: Outcome, *, timeout: float | NotGiven = NOT_GIVEN) -> Outcome:
        """Ask the vendor what became of a message of a batch: ``getallsms`` by its ``customerid``, as in `reconcile`.

        For outcomes that are UNKNOWN, and for accepted ones of bulk requests, to learn their ``sms_id``. It takes one
        call for each; where there are many, `list_sms` for the time of the campaign costs less.

        Args:
            outcome: as a report or a stream of `BatchSender` gives it.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The outcome as ACCEPTED with the ``sms_id`` for its ``vendor_id``, when just one message with this customer
            id and number is there (and with this text, where the id is the caller's own). Else the same outcome: that
            nothing is there yet proves nothing, since the vendor may still be at it.

        Raises:
            ValidationError: the outcome's ``vendor_id`` is no ``"customerid:..."``.
            MensaError: the list could not be fetched.
        """
        given: object = outcome
        if not isinstance(given, Outcome):
            raise rules.invalid("outcome", not_this("outcome", "an Outcome, as a report gives it", given))
        mark = outcome.vendor_id or ""
        if outcome.vendor != self.vendor or not mark.startswith(BY_CUSTOMER_ID):
            raise rules.invalid(
                "outcome", 'outcome must be one of this vendor whose vendor_id begins with "customerid:"'
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
            detail = f"the vendor knows it: {status.status.meaning}"
            return accepted(doubt, vendor=self.vendor, vendor_id=sms_id, code=Code.STATUS, detail=detail)
        ready = doubt.item.payload  # made by `SmsGateway24Batch.prepare`
        certain = ready.customer_id
        if mark.startswith(BY_CUSTOMER_ID):
            certain = _checked(lambda: rules.customer_id(mark.removeprefix(BY_CUSTOMER_ID))) or certain
        customer_ids: Iterable[str]
        if certain is not None:
            customer_ids = [certain]
        else:
            # Messages before it may have been left out, which moved it forward.
            customer_ids = (str(derived_customer_id(reference, place)) for place in range(doubt.position, -1, -1))
        sought = _Sought(ready.number, ready.text, shared=ready.customer_id is not None, asked_at=doubt.asked_at)
        found = await lists.find(sought, customer_ids)
        if found is None:
            return None
        detail = f"the vendor lists it by its customerid: {found.status.meaning}"
        return accepted(doubt, vendor=self.vendor, vendor_id=found.sms_id, code=Code.CUSTOMER_ID, detail=detail)

    async def _status(self, sms_id: str) -> MessageStatus | None:
        """None where the vendor does not know the message, for which it documents no code of its own."""
        try:
            return await self.get_status(sms_id)
        except AuthError:
            raise
        except VendorError:
            return None
