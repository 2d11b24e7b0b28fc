"""Send a list of any length, in requests and within limits, with an outcome for each message."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping, Sequence, Sized
from contextlib import aclosing, asynccontextmanager
from copy import copy
from inspect import isawaitable
from typing import TYPE_CHECKING, Final

from mensasdk.arguments import check_count, check_seconds, not_this
from mensasdk.campaign import resume as resuming
from mensasdk.campaign.content import content_of
from mensasdk.campaign.dispatch import Dispatcher
from mensasdk.campaign.earlier import Earlier
from mensasdk.campaign.interrupts import finish
from mensasdk.campaign.lane import RouteStatistics
from mensasdk.campaign.plan import Messages, Placed, Planner, check_messages
from mensasdk.campaign.report import BatchReport, Progress
from mensasdk.campaign.request import Planned, reason_of
from mensasdk.campaign.route import Route
from mensasdk.campaign.router import Router
from mensasdk.campaign.run import Run, Sink
from mensasdk.campaign.screens import Screen, Screens
from mensasdk.errors import ConfigurationError, MensaError, ValidationError
from mensasdk.journal.facts import CampaignFacts
from mensasdk.journal.memory import MemoryJournal
from mensasdk.journal.protocol import Journal, Opened, State, check_name, recorded_outcome
from mensasdk.limits.breaker import CircuitBreaker
from mensasdk.limits.rate import RateLimit, RateLimiter
from mensasdk.messages import Message, Outcome
from mensasdk.vendors.batching import BatchClient

if TYPE_CHECKING:  # loaded only where it is used
    from mensasdk.limits.budget import Budget
    from mensasdk.preflight.check import Preflight
    from mensasdk.preflight.prices import Prices

__all__ = ["BatchSender"]

logger = logging.getLogger("mensasdk")

OnProgress = Callable[[Progress], object]
"""Function that is told the progress of a campaign; it may be async."""
_BREAKER: Final = CircuitBreaker()


class BatchSender:
    """Send any number of messages through one client or router, with an outcome for each message.

    Args:
        client: a vendor's client, or a `Router` over several; the caller closes them.
        rate: limit of messages per time, which holds in every sliding window. Several senders that share a
            `RateLimiter` are limited together. None for no limit.
        max_in_flight: the most requests under way at once; 16 by default. Together with `BatchClient.max_recipients`
            it limits how many messages a crash can make UNKNOWN.
        journal: the record of the campaign, such as a `SqliteJournal`. The default is a `MemoryJournal` that finds
            duplicates and keeps no outcomes. With a journal of yours, a campaign that is stopped early still records
            the rest of its messages, so that `resume` can send them.
        request_rate: limit of requests per time, besides ``rate``; None for no limit.
        max_recipients: the most messages in one request; by default, and at most, the client's own limit.
        linger: seconds without a new message after which an async source's messages go out in a request that is not
            full.
        breaker: rule for pausing while the vendor fails, and for giving the vendor up; None for never.
        budget: cap on messages, or on their cost. Messages beyond it end NOT_SENT, code ``"budget"``. It counts what
            this sender spends, and can be raised for `resume`, which sends the rest.
        screens: functions that are called, in this order, with each message and its number in E.164, before the message
            is planned. A screen returns the message as it is to be sent (`SendingHours` may put it off), or raises
            `ValidationError`: then the message ends NOT_SENT with that error's code (`OptOuts`: ``"opted_out"``). When
            a campaign is resumed, screens see its pending messages again.

    Raises:
        ConfigurationError: a limit makes no sense, or is given beside a router, whose routes have their own.

    A sender runs one campaign at a time. Memory does not grow with the count of messages, except for some eight bytes
    each in the journal, which find duplicates.
    """

    def __init__(
        self,
        client: BatchClient | Router,
        *,
        rate: RateLimit | RateLimiter | None = None,
        max_in_flight: int | None = None,
        journal: Journal | None = None,
        request_rate: RateLimit | RateLimiter | None = None,
        max_recipients: int | None = None,
        linger: float = 0.5,
        breaker: CircuitBreaker | None = _BREAKER,
        budget: Budget | None = None,
        screens: Sequence[Screen] = (),
    ) -> None:
        if max_recipients is not None:
            check_count("max_recipients", max_recipients)
        check_seconds("linger", linger, zero=True)
        if journal is not None and not hasattr(journal, "claim"):
            raise ConfigurationError(not_this("journal", 'a journal, as in SqliteJournal("campaigns.sqlite")', journal))
        if not isinstance(client, Router):
            flight = 16 if max_in_flight is None else max_in_flight
            client = Router(
                [
                    Route(
                        client,
                        rate=rate,
                        request_rate=request_rate,
                        max_in_flight=flight,
                        breaker=breaker,
                        budget=budget,
                    )
                ]
            )
        elif any(one is not None for one in (rate, request_rate, max_in_flight, budget)) or breaker is not _BREAKER:
            raise ConfigurationError("give the limits of a router to its routes, as in Route(client, rate=...)")
        self._dispatcher = Dispatcher(client.routes, size=max_recipients)
        self._journal = MemoryJournal(keep_outcomes=False) if journal is None else journal
        self._content: CampaignFacts | None = content_of(client.routes)
        self._linger = linger
        self._screens = Screens(screens)
        self._report: BatchReport | None = None
        self._run: Run | None = None

    @property
    def report(self) -> BatchReport | None:
        """Report of the campaign that runs, or of the last one; true at every moment, also after a cancellation."""
        return self._report

    def stop(self, reason: str = "stopped by the caller", *, abandon: bool = False) -> None:
        """Stop the campaign: no further request is made, and messages that have not gone out end NOT_SENT.

        `send` and `stream` end in the usual way, with every outcome. A progress callback or a signal handler of the
        event loop may call this.

        Args:
            reason: the reason, for the report.
            abandon: give up requests under way too, instead of waiting for their answers. Their messages end UNKNOWN,
                or NOT_SENT if nothing had left. It may also be given in a second call.
        """
        if self._run is not None:
            self._run.interrupts.stop(reason, sends=abandon)

    def statistics(self) -> Sequence[RouteStatistics]:
        """Return the state of each route at this moment: its requests under way, and the state of its limiters."""
        return [lane.statistics() for lane in self._dispatcher.lanes]

    def plan(self, messages: Messages) -> Planner:
        """Plan the requests that `send` would make of these messages, and the refusals. Sends nothing.

        Repeated messages are still in the plan: only the journal tells which messages a campaign has already.
        """
        return self._plan(messages)

    def _plan(self, messages: Messages | AsyncIterable[Placed], earlier: Earlier | None = None) -> Planner:
        check_messages(messages)
        self._screens.restart()
        return Planner(
            messages,
            self._prepare if self._screens else self._dispatcher.prepare,
            vendor=self._dispatcher.vendor,
            window=self._dispatcher.window,
            linger=self._linger,
            say=self._say,
            earlier=earlier,
        )

    async def check(
        self,
        messages: Messages,
        *,
        prices: Prices | Mapping[str, Prices] | None = None,
        on_progress: Callable[[Preflight], None] | None = None,
        on_message: Callable[[Message, Outcome | None], None] | None = None,
    ) -> Preflight:
        """Check messages: find out what `send` would do with them and what it would cost, without any request.

        Rules, screens, budgets and the forming of requests are those of `send`. The check takes for granted that the
        vendor accepts everything, and that the campaign is new, so that it does not read the journal.

        Args:
            messages: as in `send`; read once.
            prices: prices of a part, in the unit of the one vendor, or by vendor; by default those of the budgets.
            on_progress: called in the event loop after each request that would be made, with the result so far.
            on_message: called once for each message, with its NOT_SENT outcome, or None if it would go out.

        Raises:
            ConfigurationError: this sender runs a campaign.
            Exception: what ``messages`` itself raised.
        """
        if self._run is not None:
            raise ConfigurationError("this sender runs a campaign; make another sender to check with, or wait")
        from mensasdk.campaign import check as checking

        twin = copy(self)
        twin._dispatcher = checking.checking_dispatcher(self._dispatcher)
        return await checking.check(
            twin.plan(messages), twin._dispatcher, prices=prices, on_progress=on_progress, on_message=on_message
        )

    def _say(self, error: MensaError) -> str:
        """Return what an outcome says of a message that was refused. The command has words of its own."""
        return error.message

    def _prepare(self, message: Message) -> Planned:
        lane, item, _ = self._dispatcher.prepare(message)
        if self._run is not None and self._run.failure is not None:
            return lane, item, None  # the message is only recorded, and not sent
        try:
            screened = self._screens(message, item.number)
        except ValidationError:
            raise
        except Exception as error:
            if self._run is None:
                raise
            self._run.fail(error)
            return lane, item, None
        if screened is message:
            return lane, item, None
        lane, item, _ = self._dispatcher.prepare(screened)
        item.message = message
        return lane, item, screened

    async def send(
        self,
        messages: Messages,
        *,
        campaign: str | None = None,
        again: bool = False,
        on_progress: OnProgress | None = None,
    ) -> BatchReport:
        """Send all messages and report on each.

        Args:
            messages: any iterable or async iterable of `Message`, of any length; read while it is sent.
            campaign: the campaign's id in the journal; a new id by default. A message that the same campaign has
                already (same reference and number, or same number and text) is not sent again: NOT_SENT, code
                ``"duplicate"``.
            again: send messages too that the list of an existing campaign had otherwise before, to numbers that it
                wrote to or may have. By default they are NOT_SENT, code ``"changed"``, if the journal keeps outcomes.
            on_progress: called in the event loop after each request, and awaited if it is async. An exception that it
                raises is logged and changes nothing.

        Returns:
            The report; the counts of its four outcomes add up to the count of messages.

        Raises:
            ConfigurationError: the campaign is being sent elsewhere, or was begun with other routes, or this sender
                runs another one. Nothing was sent.
            JournalError: the journal cannot be opened. Nothing was sent.
            asyncio.CancelledError: the task was cancelled. Messages under way are settled first: NOT_SENT if no byte
                had left, UNKNOWN otherwise. `report` has the outcomes of all messages read so far.
            Exception: what ``messages`` raised, or what a screen raised other than `ValidationError`, after the
                requests under way have been settled. If it was a screen, the rest is NOT_SENT, and recorded.
        """
        run = self._begin(campaign)
        report = run.report
        total = len(messages) if isinstance(messages, Sized) else None

        async def sink(_outcomes: Sequence[Outcome]) -> None:
            await _tell(on_progress, report, total)

        await self._send_new(run, messages, sink, again=again)
        return report

    async def resume(
        self,
        campaign: str,
        messages: Messages | None = None,
        *,
        again: bool = False,
        on_progress: OnProgress | None = None,
    ) -> BatchReport:
        """Resume a campaign that ended early, because its process ended or because it was stopped.

        Messages that have an outcome are not sent again; the report has their recorded outcomes. Messages that were
        under way when the process ended are UNKNOWN, code ``"crashed"``. Messages that were not sent are sent now, also
        those that were REJECTED because the account was refused (no credits, wrong credentials, blocked address), since
        that refusal says nothing about the message.

        Args:
            campaign: the campaign's id.
            messages: the same input again, if it may not have been read to its end. Messages that the campaign has
                already (same reference and number, or same number and text) are skipped. All others are recorded before
                the first of them goes out.
            again: as in `send`.
            on_progress: as in `send`.

        Returns:
            The report, with each message of the campaign once, and with the messages that broke a rule. Its
            ``complete`` is false if the list was never read to its end; then a warning is logged as well.

        Raises:
            ConfigurationError: the journal has no such campaign or keeps no outcomes, or as in `send`.
            JournalError: as in `send`.
            asyncio.CancelledError: as in `send`; the journal has the outcomes that are not in the report yet.
            Exception: as in `send`.
        """
        self._need_outcomes()
        run = self._begin(campaign)
        report = run.report
        total: int | None = None

        async def sink(_outcomes: Sequence[Outcome]) -> None:
            nonlocal total
            if on_progress is not None:
                if total is None:
                    total = sum((await self._journal.progress(campaign)).values())
                await _tell(on_progress, report, total)

        async with self._opened(run, create=False) as opened:
            if messages is None and not opened.complete:
                resuming.warn_incomplete(campaign)
            await self._take_up(run, messages, sink, again=again or messages is None, complete=opened.complete)
            pending = resuming.pending(self._journal, campaign, run.carrier.next_seq)
            await run.work(self._plan(pending), sink)
            report.complete = run.complete or opened.complete
            if run.failure is not None:
                raise run.failure
        return report

    async def reconcile(
        self,
        campaign: str,
        *,
        repeat: bool = False,
        on_progress: OnProgress | None = None,
    ) -> BatchReport:
        """Find out what became of the messages of a campaign that are UNKNOWN, by each vendor's own means.

        The means are: reports that came under our reference, the vendor's own lists and reports, and with ``repeat``
        sending again, where the vendor drops the second of two equal messages. `VendorInfo.settles` names those of each
        vendor, and ``docs/unknown.md`` describes them. If a vendor cannot be asked, a person decides: see `mark`.

        Delivery reports help with every vendor, if the application has kept them in the journal: see
        `mensasdk.delivery.DeliveryLog`.

        Args:
            campaign: the campaign's id. It must not be under way elsewhere.
            repeat: allow sending again where the vendor itself drops the second of two equal messages, within what its
                document promises. A recipient who did not get the message the first time gets it now.
            on_progress: as in `send`; its total is the count of messages that were UNKNOWN at the beginning.

        Returns:
            A report of those messages only: ACCEPTED or REJECTED with the means as the code (``"callback"``,
            ``"report"``, ``"repeated"``, ``"customer_id"``, ...), NOT_SENT if that is certain, and UNKNOWN if nothing
            was found out. What was found out is recorded in the journal.

        Raises:
            ConfigurationError: as in `resume`.
            JournalError: the journal cannot be used, or failed meanwhile. The journal has what was found out before the
                failure; `report` also has what could not be recorded any more.
            asyncio.CancelledError: the task was cancelled; the journal has what was found out before.
            Exception: what a screen raised other than `ValidationError`; otherwise as with `JournalError`.
        """
        from mensasdk.campaign.reconcile import Reconciler

        self._need_outcomes()
        run = self._begin(campaign)
        report = run.report
        async with self._opened(run, create=False, compare=False):
            report.begin()
            total = (await self._journal.progress(campaign))[State.UNKNOWN]
            reconciler = Reconciler(
                self._journal,
                self._dispatcher,
                campaign,
                screen=self._screens,
                repeat=repeat,
                stopped=lambda: run.stopped,
            )
            async with aclosing(reconciler.outcomes()) as portions:
                async for outcomes in portions:
                    report.note(outcomes)
                    await _tell(on_progress, report, total)
            report.stopped = run.stopped or self._dispatcher.closed
        return report

    async def stream(
        self, messages: Messages, *, campaign: str | None = None, again: bool = False
    ) -> AsyncGenerator[Outcome, None]:
        """Send all messages and yield each outcome as it comes, in no fixed order.

        Reading slowly slows the sending. Leaving the loop early cancels the campaign, like a cancellation of `send`;
        use `contextlib.aclosing` to have that happen at once.

        Args:
            messages: as in `send`.
            campaign: as in `send`.
            again: as in `send`.
        """
        run = self._begin(campaign, keep_rows=False)
        queue: asyncio.Queue[Sequence[Outcome] | None] = asyncio.Queue(maxsize=1)

        async def work() -> None:
            failure: Exception | None = None
            try:
                await self._send_new(run, messages, queue.put, again=again)
            except Exception as error:  # noqa: BLE001 - raised below, after the earlier outcomes
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
            self._run = None  # also if the task was cancelled before it began

    def _need_outcomes(self) -> None:
        if not self._journal.keeps_outcomes:
            raise ConfigurationError(
                "the journal keeps no outcomes, which resume and reconcile need; give the sender a journal, such as "
                'journal=SqliteJournal("campaigns.sqlite")'
            )

    def _begin(self, campaign: str | None, *, keep_rows: bool = True) -> Run:
        if campaign is not None:
            check_name(campaign)
        if self._run is not None:
            raise ConfigurationError("this sender runs a campaign already; make another sender, or wait")
        self._dispatcher.reopen()
        self._report = BatchReport(campaign or secrets.token_hex(8), self._dispatcher.vendor, keep_rows=keep_rows)
        self._run = Run(self._journal, self._dispatcher, self._report)
        return self._run

    async def _send_new(self, run: Run, messages: Messages, sink: Sink, *, again: bool) -> None:
        async with self._opened(run, create=True) as opened:
            earlier: Earlier | None = None
            if opened.next_seq and self._journal.keeps_outcomes and not again:
                earlier = await resuming.read_earlier(self._journal, run.report.campaign, complete=opened.complete)
            await run.work(self._plan(messages, earlier), sink)
            run.report.complete = True
            run.complete = run.stopped is None or run.records_rest
            if run.failure is not None:
                raise run.failure

    @asynccontextmanager
    async def _opened(self, run: Run, *, create: bool, compare: bool = True) -> AsyncIterator[Opened]:
        """Open the campaign in the journal, and close it at the end; record there whether it is complete."""
        campaign = run.report.campaign
        try:
            content = self._content if compare else None
            opened, cancelled = await finish(self._journal.open(campaign, content, create=create))
            run.carrier.next_seq, run.carrier.nonce = opened.next_seq, opened.nonce
            try:
                if cancelled is not None:
                    raise cancelled
                yield opened
            finally:
                await self._close(campaign, complete=run.complete)
        finally:
            self._run = None

    async def _close(self, campaign: str, *, complete: bool) -> None:
        try:
            _, cancelled = await finish(self._journal.close(campaign, complete=complete))
        except Exception as error:  # noqa: BLE001 - the report is true without it
            logger.warning("the journal could not close campaign %s: %s", campaign, reason_of(error))
        else:
            if cancelled is not None:
                raise cancelled

    async def _take_up(self, run: Run, messages: Messages | None, sink: Sink, *, again: bool, complete: bool) -> None:
        """Report the messages that have ended, and record those that are new."""
        report, vendor = run.report, self._dispatcher.vendor
        for charger, amount in (await self._journal.charged(report.campaign)).items():
            report.spend(charger, amount, None)
        async with aclosing(resuming.ended(self._journal, report.campaign)) as portions:
            async for records in portions:
                outcomes = [recorded_outcome(record, vendor) for record in records]
                report.add(outcomes, [record.number for record in records])
                await sink(outcomes)
        if messages is None:
            return
        name, prepare, free = report.campaign, self._dispatcher.prepare, run.carrier.next_seq
        earlier = None if again else await resuming.read_earlier(self._journal, name, complete=complete)
        added = resuming.add(self._journal, name, messages, prepare, vendor, free, self._say, earlier)
        async with aclosing(added) as refusals:
            async for run.carrier.next_seq, refused in refusals:
                report.add(refused)
        run.complete = True


async def _tell(on_progress: OnProgress | None, report: BatchReport, total: int | None) -> None:
    """Call ``on_progress`` with the progress of the campaign; an exception that it raises is only logged."""
    if on_progress is None:
        return
    try:
        told = on_progress(report.progress(total))
        if isawaitable(told):
            await told
    except Exception as error:  # noqa: BLE001 - code of the caller's
        logger.error("on_progress raised %s in campaign %s", type(error).__name__, report.campaign)
