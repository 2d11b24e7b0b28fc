"""The batched sender: a recipient list of any length, in requests, under limits, with an outcome for each."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence, Sized
from contextlib import aclosing, asynccontextmanager
from copy import copy
from inspect import isawaitable
from typing import TYPE_CHECKING, Final

from mensasdk.arguments import check_count, check_kind, check_seconds, not_this
from mensasdk.campaign import resume as resuming
from mensasdk.campaign.dispatch import Dispatcher
from mensasdk.campaign.interrupts import finish
from mensasdk.campaign.lane import RouteStatistics
from mensasdk.campaign.plan import Messages, Planner
from mensasdk.campaign.report import BatchReport, Progress
from mensasdk.campaign.request import Planned, reason_of
from mensasdk.campaign.route import Route
from mensasdk.campaign.router import Router
from mensasdk.campaign.run import Run, Sink
from mensasdk.campaign.screens import Screen, Screens
from mensasdk.errors import ConfigurationError, ValidationError
from mensasdk.journal.memory import MemoryJournal
from mensasdk.journal.protocol import Journal, State, recorded_outcome
from mensasdk.limits.breaker import CircuitBreaker
from mensasdk.limits.rate import RateLimit, RateLimiter
from mensasdk.messages import Message, Outcome
from mensasdk.vendors.batching import BatchClient

if TYPE_CHECKING:  # loaded by who uses it
    from mensasdk.limits.budget import Budget
    from mensasdk.preflight.check import Preflight
    from mensasdk.preflight.prices import Prices

__all__ = ["BatchSender"]

logger = logging.getLogger("mensasdk")

OnProgress = Callable[[Progress], object]
"""Told how far a campaign is. What an async one gives back is awaited."""
_BREAKER: Final = CircuitBreaker()


class BatchSender:
    """Sends any number of messages through one client, and accounts for every one of them.

    Args:
        client: a vendor's client, or a `Router` over several; they stay yours to close.
        rate: messages per time; in no sliding window are more sent. A `RateLimiter` that several senders share paces
            them together. None for no limit of ours.
        max_in_flight: requests under way at once, 16 by default. With `BatchClient.max_recipients` it bounds what a
            crash can make UNKNOWN.
        journal: where the campaign is recorded, such as a `SqliteJournal`; by default a `MemoryJournal` of its own
            that tells duplicates and keeps no outcomes. With a journal of yours, a campaign that is stopped early
            still records the rest of its messages, so that `resume` can send them.
        request_rate: requests per time, beside ``rate``.
        max_recipients: most messages in one request; the client's own limit by default, and never more than it.
        linger: seconds after which messages of an async source that has fallen silent go out in a request that is
            not full.
        breaker: when to pause, and to give up, while the vendor fails; None for never.
        budget: a cap on messages, or on what they cost; what does not fit ends NOT_SENT, code ``"budget"``. It
            counts what this sender spends, and can be raised for `resume`, which sends the rest.
        screens: called with each message and its number in E.164, in this order, before anything is planned: they
            give the message back as it shall go out (`SendingHours` may put it off), or raise `ValidationError`, and
            it ends NOT_SENT with that error's code (`OptOuts`: ``"opted_out"``). Any callable will do. They run again
            over what is pending when a campaign is resumed.

    Raises:
        ConfigurationError: a limit makes no sense, or is given beside a router, whose routes have their own.

    One sender runs one campaign at a time. Memory does not grow with the number of messages, save for some eight bytes
    each in the journal that tell duplicates.
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
            raise ConfigurationError("the limits of a router stand on its routes: Route(client, rate=..., ...)")
        self._dispatcher = Dispatcher(client.routes, size=max_recipients)
        self._journal = MemoryJournal(keep_outcomes=False) if journal is None else journal
        self._linger = linger
        self._screens = Screens(screens)
        self._report: BatchReport | None = None
        self._run: Run | None = None

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
        if self._run is not None:
            self._run.interrupts.stop(reason, sends=abandon)

    def statistics(self) -> Sequence[RouteStatistics]:
        """Tell what each route holds at this moment: requests under way, and who waits for its limiters."""
        return [lane.statistics() for lane in self._dispatcher.lanes]

    def plan(self, messages: Messages) -> Planner:
        """What `send` would make of these messages: the requests, and what is refused on the way. Sends nothing.

        Repeated messages are still in it: whether the campaign holds one already is the journal's to say.
        """
        _check_messages(messages)
        self._screens.restart()
        return Planner(
            messages,
            self._prepare if self._screens else self._dispatcher.prepare,
            vendor=self._dispatcher.vendor,
            window=self._dispatcher.window,
            linger=self._linger,
        )

    async def check(
        self,
        messages: Messages,
        *,
        prices: Prices | Mapping[str, Prices] | None = None,
        on_progress: Callable[[Preflight], None] | None = None,
        on_message: Callable[[Message, Outcome | None], None] | None = None,
    ) -> Preflight:
        """What `send` would do with these messages, and what it would come to. Sends nothing, and asks no vendor.

        Rules, screens, budgets and the forming of requests are those of `send`. What is taken for granted is that the
        vendor accepts it all; and a campaign of this list begins with it, so that a journal is not looked at.

        Args:
            messages: as in `send`; read once.
            prices: what a part costs, in the unit of the one vendor, or by vendor; else those of the budgets.
            on_progress: called after each request that would be made, in the event loop, with what stands so far.
            on_message: called once for each message: with its outcome, NOT_SENT, or None if it would go out.

        Raises:
            ConfigurationError: this sender is at a campaign.
            Exception: what ``messages`` itself raised.
        """
        if self._run is not None:
            raise ConfigurationError("this sender runs a campaign; make another sender to check with, or wait")
        from mensasdk.campaign import check as checking

        twin = copy(self)
        twin._dispatcher = checking.trial_of(self._dispatcher)
        return await checking.check(
            twin.plan(messages), twin._dispatcher, prices=prices, on_progress=on_progress, on_message=on_message
        )

    def _prepare(self, message: Message) -> Planned:
        lane, item, _ = self._dispatcher.prepare(message)
        if self._run is not None and self._run.failure is not None:
            return lane, item, None  # it is not sent any more, and only recorded
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
        on_progress: OnProgress | None = None,
    ) -> BatchReport:
        """Send all messages and report on each.

        Args:
            messages: any iterable or async iterable of `Message`, of any length; read as it is sent.
            campaign: the campaign's id in the journal. A message that the same campaign holds already (same
                reference and number, or same number and text) is not sent again: NOT_SENT, code ``"duplicate"``.
                A new id by default.
            on_progress: called after each request, in the event loop, and awaited if it is async. One that raises is
                logged, and changes nothing.

        Returns:
            The report; its four outcomes add up to the messages.

        Raises:
            ConfigurationError: the campaign is being sent by somebody else, or this sender is at another one.
            JournalError: the journal cannot be opened. Nothing was sent, in both cases.
            asyncio.CancelledError: as it came. What was under way is settled first: NOT_SENT where no byte had left,
                UNKNOWN otherwise; `report` holds the truth about all messages read so far.
            Exception: what ``messages`` itself raised, or a screen that raised anything but `ValidationError`, after
                the requests under way have been settled. In the second case the rest is NOT_SENT, and recorded in a
                journal of yours, so that `resume` can send it.
        """
        run = self._begin(campaign)
        report = run.report
        total = len(messages) if isinstance(messages, Sized) else None

        async def sink(_outcomes: Sequence[Outcome]) -> None:
            await _tell(on_progress, report, total)

        await self._send_new(run, messages, sink)
        return report

    async def resume(
        self,
        campaign: str,
        messages: Messages | None = None,
        *,
        on_progress: OnProgress | None = None,
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

        async with self._opened(run, create=False):
            await self._take_up(run, messages, sink)
            pending = resuming.pending(self._journal, campaign, run.carrier.next_seq)
            await run.work(self.plan(pending), sink)
            report.complete = run.complete or await self._is_complete(campaign)
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

        What these are says `VendorInfo.settles`, and ``docs/unknown.md`` at length: reports that came under our
        reference, the vendor's own lists and reports, and with ``repeat`` sending again where the vendor drops the
        second of two. Where a vendor cannot be asked, a person decides: see `mark`.

        Delivery reports count for every vendor, where the application has kept them in the journal: see
        `mensasdk.delivery.DeliveryLog`.

        Args:
            campaign: the campaign's id. Nobody may be sending it.
            repeat: allow to send again where the vendor itself drops the second of two, within what its document
                promises. Who did not get the message the first time gets it now.
            on_progress: as in `send`; its total is what was UNKNOWN at the beginning.

        Returns:
            A report of those messages only: ACCEPTED or REJECTED with the means for a code (``"callback"``,
            ``"report"``, ``"repeated"``, ``"customer_id"``, ...), NOT_SENT where that is certain, and UNKNOWN for
            those of which nothing was found out. What was found out is in the journal.

        Raises:
            ConfigurationError: as in `resume`.
            JournalError: the journal cannot be used, or failed meanwhile. What was found out before is in it, and
                `report` has besides what could not be written down any more.
            asyncio.CancelledError: as it came; what was found out before is in the journal.
            Exception: what a screen raised that is no `ValidationError`; else as with `JournalError`.
        """
        from mensasdk.campaign.reconcile import Reconciler

        self._need_outcomes()
        run = self._begin(campaign)
        report = run.report
        async with self._opened(run, create=False):
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

    async def stream(self, messages: Messages, *, campaign: str | None = None) -> AsyncGenerator[Outcome, None]:
        """Send all messages and yield each outcome as it comes, in no fixed order.

        Reading slowly slows the sending. Leaving the loop early cancels the campaign like a cancellation of `send`;
        put the stream into `contextlib.aclosing` to have that happen at once.

        Args:
            messages: as in `send`.
            campaign: as in `send`.
        """
        run = self._begin(campaign, keep_rows=False)
        queue: asyncio.Queue[Sequence[Outcome] | None] = asyncio.Queue(maxsize=1)

        async def work() -> None:
            failure: Exception | None = None
            try:
                await self._send_new(run, messages, queue.put)
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
            self._run = None  # also when the task had no time to begin

    async def _is_complete(self, campaign: str) -> bool:
        return any(info.complete for info in await self._journal.campaigns() if info.name == campaign)

    def _need_outcomes(self) -> None:
        if not self._journal.keeps_outcomes:
            raise ConfigurationError(
                "the journal keeps no outcomes, so no campaign can be taken up; give the sender a journal, such as "
                'journal=SqliteJournal("campaigns.sqlite")'
            )

    def _begin(self, campaign: str | None, *, keep_rows: bool = True) -> Run:
        if campaign is not None:
            _check_name(campaign)
        if self._run is not None:
            raise ConfigurationError("this sender runs a campaign already; make another sender, or wait")
        self._dispatcher.reopen()
        self._report = BatchReport(campaign or secrets.token_hex(8), self._dispatcher.vendor, keep_rows=keep_rows)
        self._run = Run(self._journal, self._dispatcher, self._report)
        return self._run

    async def _send_new(self, run: Run, messages: Messages, sink: Sink) -> None:
        async with self._opened(run, create=True):
            await run.work(self.plan(messages), sink)
            run.report.complete = True
            run.complete = run.stopped is None or run.records_rest
            if run.failure is not None:
                raise run.failure

    @asynccontextmanager
    async def _opened(self, run: Run, *, create: bool) -> AsyncIterator[None]:
        """Hold the campaign in the journal; say at the end that it is complete, if it is."""
        campaign = run.report.campaign
        try:
            run.carrier.next_seq, cancelled = await finish(self._journal.open(campaign, create=create))
            try:
                if cancelled is not None:
                    raise cancelled
                yield
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

    async def _take_up(self, run: Run, messages: Messages | None, sink: Sink) -> None:
        """Report what has ended, and record what is new."""
        report, vendor = run.report, self._dispatcher.vendor
        async with aclosing(resuming.ended(self._journal, report.campaign)) as portions:
            async for records in portions:
                outcomes = [recorded_outcome(record, vendor) for record in records]
                report.add(outcomes)
                for outcome in outcomes:
                    report.spend(outcome.vendor, outcome.credits, None)
                await sink(outcomes)
        if messages is None:
            return
        added = resuming.add(
            self._journal, report.campaign, messages, self._dispatcher.prepare, vendor, run.carrier.next_seq
        )
        async with aclosing(added) as refusals:
            async for run.carrier.next_seq, refused in refusals:
                report.add(refused)
        run.complete = True


async def _tell(on_progress: OnProgress | None, report: BatchReport, total: int | None) -> None:
    """Tell how far the campaign is; whoever listens does not end it."""
    if on_progress is None:
        return
    try:
        told = on_progress(report.progress(total))
        if isawaitable(told):
            await told
    except Exception as error:  # noqa: BLE001 - somebody else's code
        logger.error("on_progress raised %s in campaign %s", type(error).__name__, report.campaign)


def _check_name(campaign: str) -> None:
    check_kind("campaign", campaign, str, "a string, such as the name of the list and its date")
    if not campaign or campaign.isspace() or not campaign.isprintable():
        raise ConfigurationError("campaign must have a name of printable characters, which is not empty")


def _check_messages(messages: object) -> None:
    if isinstance(messages, Message | str | bytes | Mapping) or not isinstance(messages, Iterable | AsyncIterable):
        raise ConfigurationError(not_this("messages", "a list, or whatever else gives Message values", messages))
