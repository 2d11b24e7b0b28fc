"""What became of messages in doubt: envia-sms.com drops a repeated message within the hour, so it can be sent again.

Source: envia-sms.com, "API SMS" (5 August 2022), on ``duplicado``: without it, messages with the same content to the
same recipient are filtered, and only one SMS is sent "dentro de la misma hora".
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from mensasdk.codes import Code
from mensasdk.errors import (
    AddressBlocked,
    AuthError,
    MensaError,
    NotFound,
    OutcomeKind,
    UnexpectedRedirect,
    ValidationError,
)
from mensasdk.messages import Outcome
from mensasdk.transport import Gate
from mensasdk.vendors.batching import Doubt
from mensasdk.vendors.doubts import accepted, settle
from mensasdk.vendors.envia_sms.codes import tells_of_duplicate
from mensasdk.vendors.envia_sms.models import StatusReport
from mensasdk.vendors.envia_sms.requests import SendSms
from mensasdk.vendors.envia_sms.wire import EnviaSmsWire

__all__ = ["EnviaSmsReconcile"]

# By how much the vendor's clock may differ from ours, with what a request takes on its way.
_MARGIN: Final = timedelta(minutes=5)


def now() -> datetime:
    """The present moment; apart, so that tests can set the clock."""
    return datetime.now(UTC)


def repeatable_until(asked_at: datetime) -> datetime | None:
    """Until when the vendor is sure to drop a repetition of what went out at ``asked_at``; None for never.

    "The same hour" may be sixty minutes, or an hour on the clock, from 10:00 to 10:59. What holds in both senses is
    used: an hour on the clock (wherever in Mexico it hangs, it shows the minutes of UTC), without its first and its
    last minutes.
    """
    hour = asked_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return None if asked_at < hour + _MARGIN else hour + timedelta(hours=1) - _MARGIN


class EnviaSmsReconcile(EnviaSmsWire):
    """The part of `EnviaSmsClient` that finds out about messages in doubt."""

    @abstractmethod
    async def get_status(self, message_id: str, number: str) -> StatusReport: ...

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        """Find out what became of messages; see `BatchClient.reconcile`.

        The vendor takes no reference and has no lists. Without the identifier of an answer there is one means: to send
        the message again within the hour, in which the vendor sends the same text to the same number only once. Then
        one of the two has gone out, and which of them does not matter. With ``repeat`` this is done, and only

        * within the same hour on the clock, five minutes away from its ends on both sides (the document says "dentro
          de la misma hora", and not which kind of hour it means), by this machine's clock: do not set it back while a
          campaign is in doubt;
        * for a message that goes out at once, is not past its ``not_after``, and has neither ``allow_duplicates``,
          which switches the filter off, nor ``short_links``: each short link may be a new one;
        * not in test mode, which tells nothing about a message that was really sent.

        The client must be of the same account, and send the same template with the same options as before. It is an
        assumption that the filter looks at what was asked for, whatever the vendor then answered; and what it answers
        to a message that it drops is not documented. Taken for ACCEPTED are: an answer as to any other message, with an
        identifier or without one, and a refusal whose words are "Mensaje duplicado".

        Args:
            doubts: messages of one request, which has one.
            reference: not used; the vendor has never seen it.
            gate: passed before each message that is sent again.
            repeat: messages may be sent again.

        Returns:
            ACCEPTED, with the code ``"callback"`` where a report on the message is known, ``"status"`` where the vendor
            knows the identifier of an answer, and ``"repeated"`` where the message was sent again; its ``vendor_id``
            is then the one of that answer, and its status may say ``Mensaje_duplicado``. None else, also where the
            repetition was refused or is UNKNOWN itself: that says nothing about the first.

        Raises:
            MensaError: nothing was found out, and the vendor could not be asked: a read failed, or the repetition is
                NOT_SENT, or ends in what holds for every further one (AuthError, AddressBlocked, UnexpectedRedirect).
        """

        async def ask(doubt: Doubt) -> Outcome | None:
            found = await self._by_status(doubt)
            return await self._repeated(doubt, gate) if found is None and repeat else found

        return await settle(doubts, ask, vendor=self.vendor)

    async def _by_status(self, doubt: Doubt) -> Outcome | None:
        if doubt.vendor_id is None:
            return None
        try:
            report = await self.get_status(doubt.vendor_id, doubt.item.number)
        except (NotFound, ValidationError):  # the vendor has no such message, or no status of it
            return None
        detail = f"the vendor knows it: {' '.join([report.status, *report.reasons])}"
        return accepted(doubt, vendor=self.vendor, vendor_id=doubt.vendor_id, code=Code.STATUS, detail=detail)

    async def _repeated(self, doubt: Doubt, gate: Gate) -> Outcome | None:
        call: SendSms = doubt.item.payload
        left = self._time_left(doubt)
        if left <= 0 or self.test_mode or call.allow_duplicates or call.short_links or call.schedule_at is not None:
            return None
        # Waiting for the gate takes time as well.
        deadline = asyncio.get_running_loop().time() + min(left, self._pipeline.timeouts.total)
        message_id: str | None = None
        try:
            message_id = (await self.execute(call, gate=gate, deadline=deadline)).message_id
        except (AuthError, AddressBlocked, UnexpectedRedirect):
            raise
        except MensaError as error:
            if error.code != Code.NO_ID and not tells_of_duplicate(error.message):
                if error.outcome is OutcomeKind.NOT_SENT:
                    raise
                return None
        detail = "sent again within the hour, in which the vendor sends the same text to the same number only once"
        return accepted(doubt, vendor=self.vendor, vendor_id=message_id, code=Code.REPEATED, detail=detail)

    def _time_left(self, doubt: Doubt) -> float:
        """Seconds in which the message may be sent again; zero or less where it may not."""
        present = now()
        until = None if doubt.asked_at is None or doubt.asked_at > present else repeatable_until(doubt.asked_at)
        if until is None:
            return 0
        not_after = doubt.item.message.not_after
        return ((until if not_after is None else min(until, not_after)) - present).total_seconds()
