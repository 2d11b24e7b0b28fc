"""Find out what became of the messages that are UNKNOWN, by each vendor's own means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import reduce
from itertools import groupby

from attrs import evolve, frozen

from mensasdk.campaign.dispatch import Dispatcher
from mensasdk.campaign.lane import Lane, LaneGate
from mensasdk.campaign.request import CLOSING
from mensasdk.errors import MensaError, ValidationError
from mensasdk.journal.charges import add_charges
from mensasdk.journal.protocol import Journal, Record, State, recorded_outcome
from mensasdk.journal.reports import is_about
from mensasdk.messages import Delivery, Message, Outcome, OutcomeKind
from mensasdk.vendors.batching import Doubt, Prepared, code_of

__all__ = ["Reconciler"]

_AT_ONCE = 1000


@frozen
class _Request:
    """Unknown messages that went out in one request."""

    reference: str | None
    vendor: str | None
    records: Sequence[Record]


@frozen
class _Doubted:
    """An unknown message, and whether the sender's screens allow it to be sent again."""

    record: Record
    doubt: Doubt
    repeatable: bool


class Reconciler:
    """Ask the vendors about the unknown messages of a campaign.

    Args:
        journal: the journal, with the campaign open.
        dispatcher: the dispatcher, whose lanes have the clients.
        campaign: the campaign's id.
        screen: the sender's screens, for messages that are sent again.
        repeat: send messages again where the vendor keeps that from being a second SMS.
        stopped: returns why no more questions are to be asked; None while they are.
    """

    def __init__(
        self,
        journal: Journal,
        dispatcher: Dispatcher,
        campaign: str,
        *,
        screen: Callable[[Message, str], Message],
        repeat: bool,
        stopped: Callable[[], str | None],
    ) -> None:
        self._journal = journal
        self._dispatcher = dispatcher
        self._campaign = campaign
        self._screen = screen
        self._repeat = repeat
        self._stopped = stopped
        self._failure: Exception | None = None

    async def outcomes(self) -> AsyncGenerator[Sequence[Outcome], None]:
        """Yield the outcome of each unknown message, in portions, and record in the journal what was found out.

        Raises:
            JournalError: the journal failed. Questions that were under way have been finished and their outcomes
                yielded; no further question was begun.
            Exception: what a screen raised, other than `ValidationError`; in the same way.
        """
        after = -1
        while records := await self._read(after):
            requests = [
                _Request(reference, vendor, list(some))
                for (reference, vendor), some in groupby(records, key=lambda one: (one.request, one.vendor))
            ]
            while requests:
                # The first question goes alone: with wrong credentials, many at once would get our address blocked.
                at_once = 1 if after < 0 else self._dispatcher.max_in_flight
                some, requests = requests[:at_once], requests[at_once:]
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._settle(one)) for one in some]
                after = some[-1].records[-1].seq
                yield [outcome for task in tasks for outcome in task.result()]
                if self._failure is not None:
                    raise self._failure

    async def _read(self, after: int) -> Sequence[Record]:
        return await self._journal.read(self._campaign, after=after, limit=_AT_ONCE, states={State.UNKNOWN})

    async def _settle(self, request: _Request) -> Sequence[Outcome]:
        """Find out about one request, record it, and return the outcome of each of its messages.

        A failure is kept for later, so that questions about other requests are finished and not cancelled half way.
        """
        outcomes: dict[int, Outcome] = {}
        try:
            await self._find_out(request, outcomes)
        except Exception as error:  # noqa: BLE001 - raised by `outcomes`, once the others have ended
            self._failure = self._failure or error
        return [outcomes.get(record.seq) or self._left(record) for record in request.records]

    async def _find_out(self, request: _Request, outcomes: dict[int, Outcome]) -> None:
        lanes = [lane for lane in self._dispatcher.lanes if lane.client.vendor == request.vendor]
        doubts = await self._doubts(request, lanes[0], outcomes) if lanes and request.reference is not None else []
        # Sending again is safe only with the account of the first attempt, and two lanes may be two accounts.
        repeat = self._repeat and len(lanes) == 1
        for lane in lanes:
            left = [one for one in doubts if one.record.seq not in outcomes]
            for may in (True, False) if repeat else (False,):
                some = [one for one in left if one.repeatable is may or not repeat]
                outcomes |= await self._ask(lane, request, some, repeat=may)
        settled = [(seq, outcome) for seq, outcome in outcomes.items() if outcome.kind is not OutcomeKind.UNKNOWN]
        if settled:
            # Only what was sent again was charged now.
            told = [{one.vendor: one.credits} for _, one in settled if one.credits is not None]
            await self._journal.resolve(self._campaign, settled, charged=reduce(add_charges, told, {}))

    def _left(self, record: Record) -> Outcome:
        return recorded_outcome(record, self._dispatcher.vendor)

    async def _ask(
        self, lane: Lane, request: _Request, doubts: Sequence[_Doubted], *, repeat: bool
    ) -> dict[int, Outcome]:
        assert request.reference is not None
        if not doubts:
            return {}
        gate = LaneGate(lane, len(doubts))
        try:
            async with lane.free:
                if lane.closed is not None or self._failure is not None or self._stopped() is not None:
                    return {}
                found = await lane.client.reconcile(
                    [one.doubt for one in doubts], reference=request.reference, gate=gate, repeat=repeat
                )
        except MensaError as error:
            if isinstance(error, CLOSING):
                lane.close(error.message)
            why = f"the vendor could not be asked ({code_of(error)}): {error.message}"
            return {one.record.seq: evolve(self._left(one.record), detail=why) for one in doubts}
        pairs = zip(doubts, found, strict=True)
        return {one.record.seq: outcome for one, outcome in pairs if outcome is not None}

    async def _doubts(self, request: _Request, lane: Lane, outcomes: dict[int, Outcome]) -> Sequence[_Doubted]:
        """Return what is known about each message; put those that the client refuses now into ``outcomes`` at once."""
        assert request.reference is not None
        begin = request.records[0].first
        sibling = (
            []
            if begin is None
            else await self._journal.read(self._campaign, after=begin - 1, limit=1, states={State.ACCEPTED})
        )
        known = sibling[0].outcome if sibling and sibling[0].request == request.reference else None
        if known is not None and known.vendor != lane.client.vendor:
            known = None
        reported = await self._journal.deliveries(lane.client.vendor, {one.number for one in request.records})
        doubts: list[_Doubted] = []
        for record in request.records:
            vendor_id = None if record.outcome is None else record.outcome.vendor_id
            try:
                item, screened = self._prepare(lane, record)
            except ValidationError as refusal:
                why = f"the vendor cannot be asked about this message: {refusal.message}"
                outcomes[record.seq] = evolve(self._left(record), detail=why)
                continue
            doubt = Doubt(
                item,
                vendor_id,
                None if known is None else known.vendor_id,
                record.position,
                record.group,
                record.claimed_at,
                _first_report(record, reported),
                None if screened is record.message else screened,
            )
            doubts.append(_Doubted(record, doubt, repeatable=screened is not None))
        return doubts

    def _prepare(self, lane: Lane, record: Record) -> tuple[Prepared, Message | None]:
        """Prepare a message for its lane as it would go out now.

        Returns:
            The prepared message, and the message as the screens leave it; None if they refuse it.
        """
        message = record.message
        try:
            screened = self._screen(message, record.number)
        except ValidationError:
            return self._dispatcher.prepare_for(lane, message), None
        item = self._dispatcher.prepare_for(lane, screened)
        item.message = message
        return item, screened


def _first_report(record: Record, reported: Sequence[Delivery]) -> Delivery | None:
    """Return a report on a message, preferably by its request's reference: an id may be that of a whole group."""
    about = [one for one in reported if is_about(one, record)]
    return min(about, key=lambda one: one.reference != record.request, default=None)
