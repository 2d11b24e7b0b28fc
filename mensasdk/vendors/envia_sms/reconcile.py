"""Find out what became of unknown messages: ask for their status, or send them again within the hour.

Sending again is safe because the vendor drops a repeated message within the hour.

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

# Covers the difference between the vendor's clock and ours, and the time that a request takes.
_MARGIN: Final = timedelta(minutes=5)


def now() -> datetime:
    """Return the present time. It is a function of its own so that tests can set the clock."""
    return datetime.now(UTC)


def repeatable_until(asked_at: datetime) -> datetime | None:
    """Return the time until which the vendor certainly drops a repetition of a message, or None if there is none.

    "The same hour" in the document may be sixty minutes, or a clock hour such as 10:00 to 10:59. The time that is
    returned holds for both: it is the end of the clock hour of ``asked_at``, less five minutes. In the first five
    minutes of the hour there is none, as the vendor's clock may still show the hour before. UTC will do, as all time
    zones of Mexico have its minutes.

    Args:
        asked_at: when the message was sent, aware.
    """
    hour = asked_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return None if asked_at < hour + _MARGIN else hour + timedelta(hours=1) - _MARGIN


class EnviaSmsReconcile(EnviaSmsWire):
    """Part of `EnviaSmsClient` that finds out what became of unknown messages."""

    @abstractmethod
    async def get_status(self, message_id: str, number: str) -> StatusReport:
        """Get the delivery status of a message; `EnviaSmsClient` has the code."""

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        """Find out what became of messages of one request; see `BatchClient.reconcile`.

        The vendor takes no reference and has no lists. If no answer gave an identifier, one way remains: to send the
        message again within the hour, in which the vendor sends the same text to the same number only once. After
        that, one of the two messages was sent, and it does not matter which. This is done with ``repeat`` only, and
        only:

        * within the same clock hour, without its first and last five minutes. The document says "dentro de la misma
          hora", but not which kind of hour. This machine's clock counts: do not set it back while a campaign has
          unknown messages.
        * for a message that is not scheduled, is not past its ``not_after``, and has neither ``allow_duplicates``,
          which switches the vendor's filter off, nor ``short_links``, as each short link may be a new one.
        * outside test mode, which says nothing about a message that was really sent.

        The client must belong to the same account, and send the same template with the same options as before. It is
        an assumption that the filter looks at the request, whatever the vendor answered to it. The answer to a dropped
        message is not documented. These count as ACCEPTED: the answer that any message gets, with an identifier or
        without one, and a refusal with the words "Mensaje duplicado".

        Args:
            doubts: messages of one request, which has one only.
            reference: not used; the vendor never received it.
            gate: passed before each message that is sent again.
            repeat: messages may be sent again.

        Returns:
            For each message, an ACCEPTED outcome or None. The code is ``"callback"`` where a report on the message is
            known, ``"status"`` where the vendor knows the message's identifier, and ``"repeated"`` where the message
            was sent again: then ``vendor_id`` is the identifier of the second answer, and its status may say
            ``Mensaje_duplicado``. None stands for all else, also where the repetition was refused or is UNKNOWN, as
            that says nothing about the first message.

        Raises:
            MensaError: nothing was found out, and the vendor could not be asked: a status could not be read, the
                repetition is NOT_SENT, or it failed for a reason that holds for all further ones (AuthError,
                AddressBlocked, UnexpectedRedirect).
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
        except (NotFound, ValidationError):  # the vendor does not know the message, or has no status for it
            return None
        detail = f"the vendor knows the message: {' '.join([report.status, *report.reasons])}"
        return accepted(doubt, vendor=self.vendor, vendor_id=doubt.vendor_id, code=Code.STATUS, detail=detail)

    async def _repeated(self, doubt: Doubt, gate: Gate) -> Outcome | None:
        call: SendSms = doubt.item.payload
        left = self._time_left(doubt)
        if left <= 0 or self.test_mode or call.allow_duplicates or call.short_links or call.schedule_at is not None:
            return None
        # The wait at the gate must end in time as well.
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
        """Return the seconds that are left to send a message again; zero or less where it must not be sent."""
        present = now()
        until = None if doubt.asked_at is None or doubt.asked_at > present else repeatable_until(doubt.asked_at)
        if until is None:
            return 0
        not_after = doubt.item.message.not_after
        return ((until if not_after is None else min(until, not_after)) - present).total_seconds()
