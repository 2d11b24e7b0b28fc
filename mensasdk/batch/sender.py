"""The batched sender: a recipient list of any length, in requests, under limits, with an outcome for each."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence, Sized
from contextlib import aclosing
from datetime import UTC, datetime

from attrs import evolve

from mensasdk.batch import resume as resuming
from mensasdk.batch.chunk import finish, run_chunk
from mensasdk.batch.dispatch import Dispatcher, Interrupted, LaneGate, SendCancelled, Spent, outcomes_of
from mensasdk.batch.journal import Journal, Row, message_key, request_reference
from mensasdk.batch.limiter import RateLimit
from mensasdk.batch.memory_journal import MemoryJournal
from mensasdk.batch.plan import Chunk, Messages, Planner
from mensasdk.batch.report import BatchReport, Progress
from mensasdk.batch.router import Route, Router
from mensasdk.errors import ConfigurationError, MensaError
from mensasdk.messages import Outcome, OutcomeKind
from mensasdk.vendors.base import BatchClient, Prepared

__all__ = ["BatchSender", "run_chunk"]

logger = logging.getLogger("mensasdk")

Record = Callable[[Sequence[Outcome]], None]
Sink = Callable[[Sequence[Outcome]], Awaitable[None]]


class BatchSender:
    """Sends any number of messages through one client, and accounts for every one of them.

    Args:
        client: a vendor's client, or a `Router` over several; they stay yours to close.
        rate: messages per time; in no sliding window are more sent. None for no limit of ours.
        max_in_flight: requests under way at once, 16 by default. With `BatchClient.max_recipients` it bounds what a
            crash can make UNKNOWN.
        journal: where the campaign is recorded, such as a `SqliteJournal`; by default a `MemoryJournal` of its own
            that tells duplicates and keeps no outcomes. With a journal of yours, a campaign that is stopped early
            still records the rest of its messages, so that `resume` can send them.
        request_rate: requests per time, beside ``rate``.
        max_recipients: most messages in one request; the client's own limit by default, and never more than it.
        linger: seconds after which messages of an async source that has fallen silent go out in a request that is
            not full.

    Raises:
        ConfigurationError: a limit makes no sense, or is given beside a router, whose routes have their own.

    One sender runs one campaign at a time. Memory does not grow with the number of messages, save for some 70 bytes
    each in the journal that tell duplicates.
    """

    def __init__(
        self,
        client: BatchClient | Router,
        *,
        rate: RateLimit | None = None,
        max_in_flight: int | None = None,
        journal: Journal | None = None,
        request_rate: RateLimit | None = None,
        max_recipients: int | None = None,
        linger: float = 0.5,
    ) -> None:
        if max_recipients is not None and max_recipients < 1:
            raise ConfigurationError("max_recipients must be 1 or more")
        if not isinstance(client, Router):
            flight = 16 if max_in_flight is None else max_in_flight
            client = Router([Route(client, rate=rate, request_rate=request_rate, max_in_flight=flight)])
        elif rate is not None or request_rate is not None or max_in_flight is not None:
            raise ConfigurationError("the limits of a router stand on its routes: Route(client, rate=..., ...)")
        self._dispatcher = Dispatcher(client, size=max_recipients)
        self._journal = MemoryJournal(keep_outcomes=False) if journal is None else journal
        self._keeps_outcomes = not isinstance(self._journal, MemoryJournal) or self._journal.keep_outcomes
        self._records_rest = self._keeps_outcomes
        self._under_way: set[bytes] = set()
        self._linger = linger
        self._next_seq = 0
        self._stop: str | None = None
        self._report: BatchReport | None = None
        self._running = False

    @property
    def report(self) -> BatchReport | None:
        """The report of the campaign that runs, or of the last one: true at every moment, after a cancellation too."""
        return self._report

    def stop(self, reason: str = "stopped by the caller", *, abandon: bool = False) -> None:
        """End the campaign: no further request is made, and what has not gone out ends as NOT_SENT.

        `send` and `stream` come to their ordinary end, with every outcome. May be called from a progress callback or a
        signal handler of the loop.

        Args:
            reason: stands in the report.
            abandon: give up requests under way as well, instead of waiting for their answers: they end as UNKNOWN,
                or as NOT_SENT where nothing had left. May be asked for after a gentle stop.
        """
        if self._stop is None:
            self._stop = reason
        self._dispatcher.interrupts.end(sends=abandon)

    def plan(self, messages: Messages) -> Planner:
        """What `send` would make of these messages: the requests, and what is refused on the way. Sends nothing.

        Repeated messages are still in it: whether the campaign holds one already is the journal's to say.
        """
        return Planner(
            messages,
            self._dispatcher.prepare,
            vendor=self._dispatcher.vendor,
            window=self._dispatcher.window,
            linger=self._linger,
        )

    async def send(
        self,
        messages: Messages,
        *,
        campaign: str | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> BatchReport:
        """Send all messages and report on each.

        Args:
            messages: any iterable or async iterable of `Message`, of any length; read as it is sent.
            campaign: the campaign's id in the journal. A message that the same campaign holds already (same
                reference and number, or same number and text) is not sent again: NOT_SENT, code ``"duplicate"``.
                A new id by default.
            on_progress: called after each request, in the event loop.

        Returns:
            The report; its four outcomes add up to the messages.

        Raises:
            ConfigurationError: the campaign is being sent by somebody else, or this sender is at another one.
            JournalError: the journal cannot be opened. Nothing was sent, in both cases.
            asyncio.CancelledError: as it came. What was under way is settled first: NOT_SENT where no byte had left,
                UNKNOWN otherwise; `report` holds the truth about all messages read so far.
            Exception: what ``messages`` itself raised, after the requests under way have been settled.
        """
        report = self._begin(campaign, keep_rows=True)
        total = len(messages) if isinstance(messages, Sized) else None

        async def sink(_outcomes: Sequence[Outcome]) -> None:
            if on_progress is not None:
                on_progress(report.progress(total))

        await self._run(messages, report, sink)
        return report

    async def resume(
        self,
        campaign: str,
        messages: Messages | None = None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> BatchReport:
        """Take up a campaign where it ended, by the end of its process or by a stop rule.

        What ended is not sent again and stands in the report with its recorded outcome. What had only begun is
        UNKNOWN, with code ``"crashed"``. What was not sent goes out: also messages that were REJECTED because the
        account was refused (no credits, wrong credentials, blocked address), since that says nothing about them.

        Args:
            campaign: the campaign's id.
            messages: the same input again, if it may not have been read to its end. Messages that the campaign has
                already (same reference and number, or same number and text) are passed over; the others are
                recorded, all of them before the first goes out.
            on_progress: as in `send`.

        Returns:
            The report, with each member of the campaign once. What ``messages`` has that breaks a rule is in it too.

        Raises:
            ConfigurationError: the journal has no such campaign or keeps no outcomes, or as in `send`.
            JournalError: as in `send`.
            asyncio.CancelledError: as in `send`; what the report does not have yet is in the journal.
            Exception: as in `send`.
        """
        if not self._keeps_outcomes:
            raise ConfigurationError(
                "the journal keeps no outcomes, so no campaign can be resumed; give the sender a journal, such as "
                'journal=SqliteJournal("campaigns.sqlite")'
            )
        report = self._begin(campaign, keep_rows=True)
        total: int | None = None

        async def sink(_outcomes: Sequence[Outcome]) -> None:
            nonlocal total
            if on_progress is not None:
                if total is None:
                    total = sum((await self._journal.progress(campaign)).values())
                on_progress(report.progress(total))

        await self._run(messages, report, sink, resumed=True)
        return report

    async def stream(self, messages: Messages, *, campaign: str | None = None) -> AsyncGenerator[Outcome, None]:
        """Send all messages and yield each outcome as it comes, in no fixed order.

        Reading slowly slows the sending. Leaving the loop early cancels the campaign like a cancellation of `send`;
        put the stream into `contextlib.aclosing` to have that happen at once.

        Args:
            messages: as in `send`.
            campaign: as in `send`.
        """
        report = self._begin(campaign, keep_rows=False)
        queue: asyncio.Queue[Sequence[Outcome] | None] = asyncio.Queue(maxsize=1)

        async def work() -> None:
            failure: Exception | None = None
            try:
                await self._run(messages, report, queue.put)
            except Exception as error:  # noqa: BLE001 - raised below, after the outcomes that came before it
                failure = error
            await queue.put(None)
            if failure is not None:
                raise failure

        task = asyncio.create_task(work())
        try:
            while (outcomes := await queue.get()) is not None:
                for outcome in outcomes:
                    yield outcome
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _begin(self, campaign: str | None, *, keep_rows: bool) -> BatchReport:
        if self._running:
            raise ConfigurationError("this sender runs a campaign already; make another sender, or wait")
        self._running = True
        self._stop = None
        self._records_rest = self._keeps_outcomes
        self._dispatcher.reopen()
        self._report = BatchReport(campaign or secrets.token_hex(8), self._dispatcher.vendor, keep_rows=keep_rows)
        return self._report

    async def _run(self, messages: Messages | None, report: BatchReport, sink: Sink, *, resumed: bool = False) -> None:
        journal, campaign = self._journal, report.campaign
        complete = False
        try:
            self._next_seq, cancelled = await finish(journal.open(campaign, create=not resumed))
            try:
                if cancelled is not None:
                    raise cancelled
                if resumed:
                    complete = await self._take_up(messages, report, sink)
                    messages = resuming.pending(journal, campaign, self._next_seq)
                await self._send_all(messages or (), report, sink)
                complete = complete or (not resumed and (self._stop is None or self._records_rest))
            finally:
                await self._close(campaign, complete=complete)
        finally:
            self._running = False

    async def _take_up(self, messages: Messages | None, report: BatchReport, sink: Sink) -> bool:
        """Report what has ended and record what is new; say whether the messages have been read to their end."""
        campaign, vendor = report.campaign, self._dispatcher.vendor
        async with aclosing(resuming.ended(self._journal, campaign, vendor)) as portions:
            async for outcomes in portions:
                report.add(outcomes)
                for outcome in outcomes:
                    if outcome.credits is not None:
                        report.spend({outcome.vendor: outcome.credits}, {})
                await sink(outcomes)
        if messages is None:
            return False
        added = resuming.add(self._journal, campaign, messages, self._dispatcher.prepare, vendor, self._next_seq)
        async with aclosing(added) as refusals:
            async for self._next_seq, outcomes in refusals:
                report.add(outcomes)
        return True

    async def _close(self, campaign: str, *, complete: bool) -> None:
        try:
            _, cancelled = await finish(self._journal.close(campaign, complete=complete))
        except Exception as error:  # noqa: BLE001 - the report is true without it
            logger.warning("the journal could not close campaign %s: %s", campaign, _reason(error))
        else:
            if cancelled is not None:
                raise cancelled

    async def _send_all(self, messages: Messages, report: BatchReport, sink: Sink) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        planner = self.plan(messages)

        def record(outcomes: Sequence[Outcome]) -> None:
            report.elapsed = loop.time() - begun
            report.add(outcomes)

        def rest() -> list[Outcome]:
            """Account for what was read from the source and did not go out before the campaign ended."""
            outcomes: list[Outcome] = []
            for chunk in planner.leftover():
                why = "the campaign was interrupted before this message"
                outcomes += [*chunk.refused, *self._not_sent(chunk.items, "interrupted", why)]
            record(outcomes)
            return outcomes

        try:
            async with aclosing(planner.chunks()) as chunks:
                await self._work(chunks, report, record, sink)
        except Exception:
            await sink(rest())
            raise
        finally:
            rest()
            report.elapsed = loop.time() - begun
            report.stopped = self._stop

    async def _work(self, chunks: AsyncIterator[Chunk], report: BatchReport, record: Record, sink: Sink) -> None:
        turn = asyncio.Lock()
        failures: list[Exception] = []

        async def worker() -> None:
            while not failures:
                async with turn:
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                record(chunk.refused)  # no await between here and the try of _chunk: a chunk is never lost
                outcomes = [*chunk.refused]
                if chunk.items:
                    outcomes += await self._chunk(chunk.items, report, record)
                await sink(outcomes)

        async def guarded() -> None:
            try:
                await worker()
            except Exception as error:  # noqa: BLE001 - raised below, once the requests under way have ended
                failures.append(error)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._dispatcher.max_in_flight):
                group.create_task(guarded())
        if failures:
            raise failures[0]

    async def _chunk(self, items: Sequence[Prepared], report: BatchReport, record: Record) -> Sequence[Outcome]:
        """Bring one request's messages to their outcomes, record these, and return them."""
        if self._stop is not None:
            outcomes = self._not_sent(items, "stopped", self._stop)
            record(outcomes)
            await self._record_rest(items, report.campaign)
            return outcomes
        by_seq = self._numbered(items)
        lo, hi = min(by_seq), max(by_seq) + 1
        outcomes = []
        rows = _rows(by_seq)
        # A second copy that comes while the first waits for its permit would take the first one's place in the journal.
        keys = {row.key for row in rows} - self._under_way
        rows = [row for row in rows if row.key in keys]
        self._under_way |= keys

        def settled(some: Sequence[tuple[int, Outcome]]) -> None:
            for seq, outcome in some:
                del by_seq[seq]
                outcomes.append(outcome)

        gate: LaneGate | None = None
        spent = Spent()

        def recorded(outcome: Outcome) -> Outcome:
            # Refused for the account's sake: it may well go out when the campaign is resumed.
            refused = any(outcome is one for one in spent.refusals)
            return evolve(outcome, kind=OutcomeKind.NOT_SENT) if refused else outcome

        async def send(rows: Sequence[Row]) -> Sequence[Outcome]:
            assert gate is not None
            batch = [by_seq[row.seq] for row in rows]
            try:
                return await self._send(batch, request_reference(report.campaign, lo), gate, spent)
            except Exception as error:
                # A defect of ours. What had left by then nobody can say, and no further request may find out.
                self.stop(f"an unexpected {type(error).__name__}")
                logger.exception("campaign %s stopped by an unexpected error", report.campaign)
                return outcomes_of(batch, OutcomeKind.UNKNOWN, "internal", f"an unexpected {type(error).__name__}")
            finally:
                report.spend(spent.credits, spent.balances)

        code, why = "duplicate", "the campaign holds this message already"
        try:
            new = await self._journal.load(report.campaign, rows) if rows else 0
            if new:
                gate = self._dispatcher.gate(items, new)
                with self._dispatcher.interrupts.waiting():
                    await gate.pay()
                await run_chunk(self._journal, send, report.campaign, lo, hi, settled, recorded)
        except Interrupted:
            code, why = "stopped", "the campaign was stopped before this message"
        except asyncio.CancelledError:
            code, why = "cancelled", "the campaign was cancelled before this message"
            raise
        except Exception as error:  # noqa: BLE001 - whatever failed, these messages were not sent, and say so
            failure = f"the journal failed: {_reason(error)}"
            code, why = "journal", f"{failure}; nothing was sent"
            self._records_rest = False
            self.stop(failure)
            logger.error("campaign %s stopped: %s", report.campaign, failure)
        finally:
            self._under_way -= keys
            if gate is not None:
                gate.leave()
            outcomes += self._not_sent(list(by_seq.values()), code, why)
            record(outcomes)
        return outcomes

    def _numbered(self, items: Sequence[Prepared]) -> dict[int, Prepared]:
        lo = self._next_seq
        self._next_seq = lo + len(items)
        return dict(zip(range(lo, self._next_seq), items, strict=True))

    async def _record_rest(self, items: Sequence[Prepared], campaign: str) -> None:
        """Note down what a stopped campaign leaves unsent, for whoever resumes it."""
        if self._records_rest:
            try:
                await self._journal.load(campaign, _rows(self._numbered(items)))
            except Exception as error:  # noqa: BLE001 - nothing of it was sent, and the report says so
                self._records_rest = False
                logger.error("campaign %s: the journal failed: %s", campaign, _reason(error))

    async def _send(self, batch: Sequence[Prepared], reference: str, gate: LaneGate, spent: Spent) -> Sequence[Outcome]:
        if self._stop is not None:
            return self._not_sent(batch, "stopped", self._stop)
        now = datetime.now(UTC)
        late = [item.message.not_after is not None and item.message.not_after <= now for item in batch]
        if not any(late):
            return await self._request(batch, reference, gate, spent)
        fresh = [item for item, is_late in zip(batch, late, strict=True) if not is_late]
        sent: Sequence[Outcome] = ()
        cancelled = False
        if fresh:
            try:
                sent = await self._request(fresh, reference, gate, spent)
            except SendCancelled as ended:
                sent, cancelled = ended.outcomes, True
        expired = "its not_after passed before it could be sent"
        rest = iter(sent)
        merged = [
            self._not_sent([item], "expired", expired)[0] if is_late else next(rest)
            for item, is_late in zip(batch, late, strict=True)
        ]
        if cancelled:
            raise SendCancelled(merged)
        return merged

    async def _request(
        self, batch: Sequence[Prepared], reference: str, gate: LaneGate, spent: Spent
    ) -> Sequence[Outcome]:
        try:
            return await self._dispatcher.send(batch, reference=reference, gate=gate, spent=spent)
        finally:
            if self._dispatcher.closed is not None:
                self.stop(self._dispatcher.closed)

    @staticmethod
    def _not_sent(items: Sequence[Prepared], code: str, detail: str) -> list[Outcome]:
        return outcomes_of(items, OutcomeKind.NOT_SENT, code, detail)


def _rows(by_seq: Mapping[int, Prepared]) -> list[Row]:
    return [Row(seq, message_key(item.message, item.number), item.message) for seq, item in by_seq.items()]


def _reason(error: Exception) -> str:
    # Only our own errors are known to hold nothing that a log may not.
    return error.message if isinstance(error, MensaError) else type(error).__name__
