"""Several clients as one, for a campaign or for a single message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from secrets import token_hex

from attrs import evolve

from mensasdk.arguments import check_kind
from mensasdk.campaign.dispatch import Dispatcher
from mensasdk.campaign.plan import refusal
from mensasdk.campaign.report import BatchReport
from mensasdk.campaign.request import Request
from mensasdk.campaign.route import Route
from mensasdk.campaign.run import Run
from mensasdk.codes import Code
from mensasdk.errors import ConfigurationError, MensaError, OutcomeKind
from mensasdk.journal.memory import MemoryJournal
from mensasdk.messages import Message, Outcome
from mensasdk.transport import NOT_GIVEN, NotGiven, check_timeout
from mensasdk.vendors.batching import BatchClient

__all__ = ["Router"]


class Router:
    """Several clients as one: `BatchSender` takes it in place of a client.

    Each message goes to the first route whose countries it belongs to and whose client can take it. When that route
    turns out to be unable (no connection, rate limit, refused credentials, no credits), the message goes to the next
    one that can take it, but only while it is certain that nothing was sent: never after UNKNOWN. A route whose
    credentials, address or account are refused, or whose credits or budget are gone, is closed for the rest of the
    campaign.

    Args:
        routes: `Route` values or clients, in the order of preference.

    Raises:
        ConfigurationError: there is no route.
    """

    def __init__(self, routes: Sequence[Route | BatchClient]) -> None:
        check_kind("routes", routes, (list, tuple), "a list of Route values or clients")
        if not routes:
            raise ConfigurationError("a router needs at least one route")
        self.routes = tuple(route if isinstance(route, Route) else Route(route) for route in routes)
        self._single: Dispatcher | None = None

    def __repr__(self) -> str:
        return f"<Router {', '.join(self.vendors)}>"

    @property
    def vendors(self) -> tuple[str, ...]:
        """The short names of the vendors, in order."""
        return tuple(route.client.vendor for route in self.routes)

    async def send(self, message: Message, *, timeout: float | NotGiven = NOT_GIVEN) -> Outcome:
        """Send one message, without a campaign, and tell what became of it.

        It goes through the routes as in a campaign: their countries, limits, budgets and breakers hold, over all single
        sends of this router, and a route that is unable is followed by the next one while nothing was sent for sure.

        Args:
            message: what to send.
            timeout: seconds for all of it; each client's own `Timeouts` hold besides.

        Returns:
            Its outcome, whatever goes wrong: see `VendorClient.send`.

        Raises:
            ConfigurationError: ``message`` is no `Message`, ``timeout`` no time, or the last client that was asked is
                closed or of another loop. NOT_SENT.
            asyncio.CancelledError: as it came; see `outcome_of`.
        """
        check_kind("message", message, Message, 'a Message, such as Message("+34600000000", "Hola")')
        seconds = None if timeout is NOT_GIVEN else check_timeout(timeout)
        if self._single is None:
            self._single = Dispatcher(self.routes, size=1)
        dispatcher = self._single
        dispatcher.open_lanes()
        try:
            lane, item, _ = dispatcher.prepare(message)
        except ConfigurationError:
            raise
        except MensaError as error:
            return refusal(message, dispatcher.vendor, error)
        journal, report = MemoryJournal(keep_outcomes=False), BatchReport(token_hex(8), dispatcher.vendor)
        await journal.open(report.campaign)
        try:
            async with asyncio.timeout(seconds):
                [outcome] = await Run(journal, dispatcher, report).bring(Request(lane, [item]))
        except TimeoutError:
            [ended] = report.outcomes()
            return evolve(ended, message=message, code=Code.DEADLINE_EXCEEDED, detail="the time allowed ran out")
        if outcome.kind is OutcomeKind.NOT_SENT and outcome.code == Code.CONFIGURATION_ERROR:
            raise ConfigurationError(outcome.detail, vendor=outcome.vendor)
        return outcome
