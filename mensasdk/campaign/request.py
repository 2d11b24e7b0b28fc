"""Take a request of a campaign through its stages: reserve, admit, claim, send, settle.

Outcomes are kept by the ``seq`` of their messages. The journal keeps a message from being sent twice: only messages
that `Journal.claim` returned are sent, and it returns each message once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from attrs import define, evolve, field

from mensasdk.campaign.interrupts import Interrupted, Interrupts, finish
from mensasdk.campaign.lane import Lane, LaneGate
from mensasdk.campaign.report import BatchReport
from mensasdk.codes import Code
from mensasdk.errors import (
    AddressBlocked,
    AuthError,
    ConfigurationError,
    ConnectError,
    InsufficientCredits,
    MensaError,
    OutcomeKind,
    TLSError,
    UnexpectedRedirect,
)
from mensasdk.journal.charges import add_charges
from mensasdk.journal.keys import message_key, request_reference
from mensasdk.journal.protocol import Claim, Entry, Journal
from mensasdk.messages import Message, Outcome, make_outcome
from mensasdk.transport import cancelled_outcome
from mensasdk.vendors.batching import Prepared, code_of

__all__ = ["CLOSING", "Carrier", "Ended", "Planned", "Request", "reason_of"]

logger = logging.getLogger("mensasdk")

# After one of these errors every further request would fail too, and vendors block addresses that keep trying.
CLOSING: Final = (AuthError, AddressBlocked, TLSError, UnexpectedRedirect, InsufficientCredits, ConfigurationError)
# The vendor refused the account, so it is certain that nothing was sent: another vendor may take the message.
_VENDOR_TROUBLE: Final = (AuthError, AddressBlocked, InsufficientCredits)
# Seconds for which a claim is good. If the machine is suspended for longer between the claim and the first byte,
# another process may have swept the rows (`Journal.sweep`): then nothing is sent.
_LEASE: Final = 60.0
_DUPLICATE: Final = (Code.DUPLICATE, "the campaign holds this message already")


Planned = tuple[Lane, Prepared, Message | None]
"""Lane of a message, the message prepared for it, and the message as a screen changed it (None if unchanged)."""


@define(eq=False)
class Request:
    """Messages that go out together, all of one lane and one ``batch_key``, with no number twice.

    Attributes:
        lane: the lane that sends them.
        items: the messages. Each item has its message as the caller gave it.
        screened: the messages that a screen changed, as they are to be sent, by item.
        group: the vendor's id of the group that the messages belong to; None without a group.
        reserved: messages whose cost is still reserved in the lane's budget.
    """

    lane: Lane
    items: Sequence[Prepared]
    screened: Mapping[Prepared, Message] = field(factory=dict)
    group: str | None = None
    reserved: Sequence[Prepared] = ()

    def reserve(self) -> Sequence[Prepared]:
        """Reserve the cost of the request; remove and return the messages that the budget does not allow."""
        if self.lane.route.budget is None:
            return ()
        fit = self.lane.reserve(self.items)
        beyond = self.items[fit:]
        if beyond:
            self.items = self.items[:fit]
        self.reserved = self.items
        return beyond

    def charge(self, batch: Sequence[Prepared], outcomes: Sequence[Outcome], charged: Decimal | None = None) -> None:
        """Replace the reserved cost of some messages by what they really cost through this lane."""
        if self.reserved:
            self.lane.charge(batch, outcomes, charged)
            gone = set(batch)
            self.reserved = [item for item in self.reserved if item not in gone]

    def release(self) -> None:
        """Give what is still reserved back to the budget, for messages that were not sent."""
        if self.reserved:
            self.lane.release(self.reserved)
            self.reserved = ()

    def of(self, items: Sequence[Prepared]) -> Request:
        """Make a request of some of these messages, with nothing reserved."""
        return Request(self.lane, items, self.screened, self.group)

    def all(self, kind: OutcomeKind, code: str, detail: str) -> list[Outcome]:
        """Make the same outcome for each message of the request."""
        return self.outcomes(self.items, kind, code, detail)

    def outcomes(self, items: Iterable[Prepared], kind: OutcomeKind, code: str, detail: str) -> list[Outcome]:
        """Make the same outcome for each of ``items``."""
        vendor = self.lane.client.vendor
        return [make_outcome(kind, one.message, vendor, None, code, detail, one.parts, None) for one in items]

    def over_budget(self) -> list[Outcome]:
        """Make the NOT_SENT outcomes of messages that no budget allows."""
        return self.all(OutcomeKind.NOT_SENT, Code.BUDGET, "the budget does not allow it; raise the budget and resume")


@define
class Ended:
    """Outcomes of the messages of a request, as far as they are known.

    Attributes:
        outcomes: the outcomes, by ``seq``.
        refused: the ``seq`` of each message that was refused because of the account, and not because of itself. It may
            go out when the campaign is resumed, so the journal records it as not sent.
        charged: what each vendor says that it charged for the request; without vendors that do not say.
    """

    outcomes: dict[int, Outcome] = field(factory=dict)
    refused: frozenset[int] = frozenset()
    charged: dict[str, Decimal] = field(factory=dict)

    def take(self, batch: Sequence[Prepared], outcomes: Iterable[Outcome], *, refused: bool = False) -> None:
        """Keep the outcomes of messages; ``refused`` says that the vendor refused the account."""
        for item, outcome in zip(batch, outcomes, strict=True):
            self.outcomes[item.seq] = outcome
        if refused or self.refused:
            seqs = {item.seq for item in batch}
            self.refused = self.refused | seqs if refused else self.refused - seqs

    def recorded(self, claim: Claim) -> list[tuple[int, Outcome]]:
        """Return what the journal has to record of each row of a claim."""
        pairs = [(row.seq, self.outcomes[row.seq]) for row in claim.rows]
        if not self.refused:
            return pairs
        unsent = OutcomeKind.NOT_SENT
        return [(seq, evolve(outcome, kind=unsent) if seq in self.refused else outcome) for seq, outcome in pairs]


class Carrier:
    """Bring the requests of a campaign to their outcomes, and report these.

    Args:
        journal: the journal, with the campaign open.
        report: the campaign's report.
        interrupts: ends waits and requests when the campaign is stopped.
        onward: finds the next lanes for the messages of a request; see `Dispatcher.onward`.
        closed: returns why nothing can be sent any more; see `Dispatcher.closed`.

    Attributes:
        next_seq: the first free ``seq``.
        nonce: the nonce of the campaign, which stands in the references of its requests.
        is_recording: False once the journal has failed.
    """

    def __init__(
        self,
        journal: Journal,
        report: BatchReport,
        interrupts: Interrupts,
        *,
        onward: Callable[[Request], tuple[Sequence[Request], Sequence[Prepared]]],
        closed: Callable[[], str | None],
    ) -> None:
        self.next_seq = 0
        self.nonce = ""
        self.is_recording = True
        self._journal = journal
        self._report = report
        self._campaign = report.campaign
        self._interrupts = interrupts
        self._onward = onward
        self._closed = closed

    async def carry(self, request: Request) -> Sequence[Outcome]:
        """Bring a request to its outcomes, and return one for each of its messages, in order.

        The cost of the request is reserved already.

        Raises:
            asyncio.CancelledError: the task was cancelled. What was under way is settled first.
        """
        ended = Ended()
        code, why = _DUPLICATE
        gate: LaneGate | None = None
        self.number(request.items)
        try:
            rows = await self._journal.load(self._campaign, request.items)
            if rows:
                gate = LaneGate(request.lane, len(rows))
                with self._interrupts.waiting():
                    await gate.pay()
                await self._claim(request, _places(request.items, rows), gate, ended)
        except Interrupted:
            code, why = Code.STOPPED, "the campaign was stopped before this message"
        except asyncio.CancelledError:
            code, why = Code.CANCELLED, "the campaign was cancelled before this message"
            raise
        except Exception as error:  # noqa: BLE001 - whatever failed, the messages without an outcome were not sent
            code, why = Code.JOURNAL, f"{self.journal_failed(error)}; nothing was sent"
        finally:
            if gate is not None:
                gate.leave()
            request.release()
            known = ended.outcomes
            if len(known) < len(request.items):
                left = [item for item in request.items if item.seq not in known]
                ended.take(left, request.outcomes(left, OutcomeKind.NOT_SENT, code, why))
            outcomes = [known[item.seq] for item in request.items]
            self._report.note(outcomes, [item.number for item in request.items])
        return outcomes

    def number(self, items: Sequence[Prepared]) -> None:
        """Give messages the ``seq`` and the key by which the journal knows them."""
        for seq, item in enumerate(items, self.next_seq):
            item.seq = seq
            item.key = message_key(item.message, item.number)
        self.next_seq += len(items)

    def journal_failed(self, error: Exception) -> str:
        """Stop the campaign, because nothing may be sent that is not recorded; return the reason."""
        failure = f"the journal failed: {reason_of(error)}"
        self.is_recording = False
        self._interrupts.stop(failure)
        logger.error("campaign %s stopped: %s", self._campaign, failure)
        return failure

    # ---------------------------------------------------------------------------------------------- claim and settle

    async def _claim(self, request: Request, seqs: Sequence[int], gate: LaneGate, ended: Ended) -> None:
        """Claim messages, send them, and settle their outcomes, also if the task is cancelled."""
        lo, hi = min(seqs), max(seqs) + 1
        begun = _clocks()
        claiming = self._journal.claim(
            self._campaign,
            lo,
            hi,
            seqs=None if hi - lo == len(seqs) else seqs,
            vendor=request.lane.client.vendor,
            group=request.group,
        )
        # A claim that is cancelled half way may be recorded all the same, and its rows would stay UNKNOWN for ever.
        cancelled: asyncio.CancelledError | None = None
        if self._journal.is_immediate:  # a task for each claim would cost more than the claim
            claim = await claiming
        else:
            claim, cancelled = await finish(claiming)
        batch = _claimed(request.items, claim)
        now = _clocks()
        if now[0] - begun[0] > _LEASE or now[1] - begun[1] > _LEASE:
            why = "the machine was suspended; another process may have taken this message over"
            ended.take(batch, request.outcomes(batch, OutcomeKind.NOT_SENT, Code.LEASE, why))
        elif cancelled is not None:
            why = "the campaign was cancelled before this message"
            ended.take(batch, request.outcomes(batch, OutcomeKind.NOT_SENT, Code.CANCELLED, why))
        elif batch:
            try:
                await self._deliver(request, batch, claim, gate, ended)
            except asyncio.CancelledError as error:
                cancelled = error
            except Exception as error:
                # A defect of ours. Nobody can say what was sent by then, and no further request may run into it.
                self._interrupts.stop(f"an unexpected {type(error).__name__}")
                logger.exception("campaign %s stopped by an unexpected error", self._campaign)
                why = f"an unexpected {type(error).__name__}"
                ended.take(batch, request.outcomes(batch, OutcomeKind.UNKNOWN, Code.INTERNAL, why))
        if batch:
            # The outcomes must be recorded even if this task is cancelled.
            settling = self._journal.settle(self._campaign, claim, ended.recorded(claim), charged=ended.charged)
            if self._journal.is_immediate:
                await settling
            else:
                cancelled = (await finish(settling))[1] or cancelled
        if cancelled is not None:
            raise cancelled

    # ---------------------------------------------------------------------------------------------------------- send

    async def _deliver(
        self, request: Request, batch: Sequence[Prepared], claim: Claim, gate: LaneGate, ended: Ended
    ) -> None:
        """Send claimed messages through their lane, and through the next lanes while certainly nothing was sent."""
        reference = request_reference(self.nonce, batch[0].seq)
        batch = self._in_time(request, batch, ended)
        # The first request takes over what is reserved, to charge it or to give it back.
        first = request
        if batch is not request.items:
            first = Request(request.lane, batch, request.screened, request.group, request.reserved)
            request.reserved = ()
        tries = [first]
        while tries:
            trial = tries.pop(0)
            try:
                if trial is first:
                    unable = bool(batch) and await self._send(first, reference, gate, ended)
                else:
                    unable = await self._send_elsewhere(trial, claim, reference, ended)
            except asyncio.CancelledError:
                for other in tries:
                    other.release()
                    ended.take(other.items, _given_up(other, OutcomeKind.NOT_SENT, Code.CANCELLED))
                raise
            finally:
                trial.release()
            if unable:
                for other in self._onward(trial)[0]:
                    beyond = other.of(other.reserve())
                    ended.take(beyond.items, beyond.over_budget())
                    if other.items:
                        tries.append(other)

    async def _send_elsewhere(self, request: Request, claim: Claim, reference: str, ended: Ended) -> bool:
        """Send claimed messages through another lane; return whether yet another lane may be tried."""
        if not await self._reroute(request, claim, ended):
            return False
        gate = LaneGate(request.lane, len(request.items))
        try:
            return await self._send(request, reference, gate, ended)
        finally:
            gate.leave()

    def _in_time(self, request: Request, batch: Sequence[Prepared], ended: Ended) -> Sequence[Prepared]:
        """Return the messages that may still go out: none after a stop, and none whose ``not_after`` has passed."""
        if self._interrupts.reason is not None:
            ended.take(batch, request.outcomes(batch, OutcomeKind.NOT_SENT, Code.STOPPED, self._interrupts.reason))
            return ()
        limited = [item for item in batch if item.message.not_after is not None]
        if not limited:
            return batch
        now = datetime.now(UTC)
        late = [item for item in limited if item.message.not_after is not None and item.message.not_after <= now]
        why = "not_after passed before the message could be sent"
        ended.take(late, request.outcomes(late, OutcomeKind.NOT_SENT, Code.EXPIRED, why))
        return [item for item in batch if item.seq not in ended.outcomes]

    async def _reroute(self, request: Request, claim: Claim, ended: Ended) -> bool:
        """Record the other vendor in the journal before its request leaves; return whether that worked."""
        try:
            seqs = [item.seq for item in request.items]
            await self._journal.reroute(self._campaign, claim, seqs, request.lane.client.vendor)
        except Exception as error:  # noqa: BLE001 - the messages are not sent
            self.journal_failed(error)
            ended.take(request.items, request.all(OutcomeKind.NOT_SENT, Code.JOURNAL, "the journal failed"))
            return False
        return True

    async def _send(self, request: Request, reference: str, gate: LaneGate, ended: Ended) -> bool:
        """Make one request through its lane and keep the outcomes; return whether another lane may be tried."""
        lane, batch = request.lane, request.items
        if lane.closed is not None:
            ended.take(batch, request.all(OutcomeKind.NOT_SENT, Code.STOPPED, lane.closed))
            return True
        try:
            if not gate.paid:
                with self._interrupts.waiting():
                    await gate.pay()
        except Interrupted:
            ended.take(batch, request.all(OutcomeKind.NOT_SENT, Code.STOPPED, "the campaign was stopped"))
            return False
        except asyncio.CancelledError:
            ended.take(batch, _given_up(request, OutcomeKind.NOT_SENT, Code.CANCELLED))
            raise
        begun = time.perf_counter()
        outcomes: Sequence[Outcome]
        charged: Decimal | None = None
        refused = unable = False
        try:
            with self._interrupts.sending():
                result = await lane.client.send_batch(batch, reference=reference, gate=gate, group=request.group)
        except Interrupted as interrupted:
            outcomes = _given_up(request, interrupted.outcome, Code.ABANDONED)
        except asyncio.CancelledError as cancelled:
            outcomes = _given_up(request, cancelled_outcome(cancelled), Code.CANCELLED)
            ended.take(batch, outcomes)
            request.charge(batch, outcomes)
            raise
        except MensaError as error:
            if error.outcome is not OutcomeKind.NOT_SENT or isinstance(error, ConnectError):
                gate.judge(works=error.outcome is OutcomeKind.REJECTED)
            if isinstance(error, CLOSING):
                lane.close(error.message)
            refused = isinstance(error, _VENDOR_TROUBLE)
            unable = refused or error.outcome is OutcomeKind.NOT_SENT
            outcomes = request.all(error.outcome, code_of(error), error.message)
        except Exception as error:
            # A defect, ours or a library's. Nobody can say what was sent by then.
            lane.close(f"an unexpected {type(error).__name__}")
            logger.exception("%s: an unexpected error", lane.client.vendor)
            outcomes = request.all(OutcomeKind.UNKNOWN, Code.INTERNAL, f"an unexpected {type(error).__name__}")
        else:
            outcomes, charged = result.outcomes, result.credits
            gate.judge(works=any(one.kind is not OutcomeKind.UNKNOWN for one in outcomes))
            self._report.took(time.perf_counter() - begun)
            self._report.spend(lane.client.vendor, charged, result.balance)
            if charged is not None and charged.is_finite():
                ended.charged = add_charges(ended.charged, {lane.client.vendor: charged})
        ended.take(batch, outcomes, refused=refused)
        request.charge(batch, outcomes, charged)
        if not lane.is_open:
            reason = self._closed()
            if reason is not None:
                self._interrupts.stop(reason)
        return unable


def _places(items: Sequence[Prepared], rows: Sequence[Entry]) -> Sequence[int]:
    """Return the ``seq`` of each PENDING row, after giving each message the ``seq`` that its row has."""
    seqs = [row.seq for row in rows]
    if rows != items and seqs != [item.seq for item in items]:
        places = {row.key: row.seq for row in rows}
        for item in items:
            item.seq = places.get(item.key, item.seq)
    return seqs


def _claimed(items: Sequence[Prepared], claim: Claim) -> Sequence[Prepared]:
    """Return the messages that were claimed, in the order of their ``seq``."""
    if claim.rows == items or [row.seq for row in claim.rows] == [item.seq for item in items]:
        return items
    by_seq = {item.seq: item for item in items}
    return [by_seq[row.seq] for row in claim.rows]


def _given_up(request: Request, kind: OutcomeKind, code: str) -> list[Outcome]:
    when = "before the message was sent" if kind is OutcomeKind.NOT_SENT else "while the request was under way"
    return request.all(kind, code, f"{code} {when}")


def _clocks() -> tuple[float, float]:
    """Read the monotonic clock, which may stand still while the machine sleeps, and the wall clock, which may jump."""
    return time.monotonic(), time.time()


def reason_of(error: Exception) -> str:
    """Return what may be shown of an error: its text if the error is ours and so has no secrets, or else its type."""
    return error.message if isinstance(error, MensaError) else type(error).__name__
