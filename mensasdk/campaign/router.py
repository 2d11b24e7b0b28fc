"""Use several clients as one, for a campaign or for a single message."""

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
    """Several clients in use as one; `BatchSender` takes a router in place of a client.

    Each message goes to the first route that is for its country and whose client takes it. If that route is unable to
    send (no connection, rate limit, refused credentials, no credits), the message goes to the next route that takes it,
    but only while it is certain that nothing was sent: never after UNKNOWN. A route is closed for the rest of the
    campaign once its credentials, address or account are refused, or its credits are used up. A message that the budget
    of a route does not allow goes to the next route.

    Args:
        routes: `Route` values or clients, in the order of preference.

    Raises:
        ConfigurationError: ``routes`` is no list of routes and clients, or is empty.
    """

    def __init__(self, routes: Sequence[Route | BatchClient]) -> None:
        check_kind("routes", routes, (list, tuple), "a list of Route values or clients")
        if not routes:
            raise ConfigurationError("routes is empty; give at least one Route or client")
        self.routes = tuple(route if isinstance(route, Route) else Route(route) for route in routes)
        self._single: Dispatcher | None = None

    def __repr__(self) -> str:
        return f"<Router {', '.join(self.vendors)}>"

    @property
    def vendors(self) -> tuple[str, ...]:
        """Short names of the vendors, in the order of the routes."""
        return tuple(route.client.vendor for route in self.routes)

    async def send(self, message: Message, *, timeout: float | NotGiven = NOT_GIVEN) -> Outcome:
        """Send one message, without a campaign, and return its outcome.

        The message goes through the routes as in a campaign. The countries, limits, budgets and breakers of the routes
        hold over all single sends of this router. If a route is unable to send, the next one is tried, while it is
        certain that nothing was sent.

        Args:
            message: the message.
            timeout: seconds for the whole send; each client's own `Timeouts` hold as well.

        Returns:
            The outcome, whatever goes wrong: see `VendorClient.send`.

        Raises:
            ConfigurationError: ``message`` is no `Message`, ``timeout`` is no time, or the last client that was tried
                is closed or belongs to another event loop. NOT_SENT.
            asyncio.CancelledError: the task was cancelled; see `outcome_of`.
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
            return refusal(message, dispatcher.vendor, error, error.message)
        journal, report = MemoryJournal(keep_outcomes=False), BatchReport(token_hex(8), dispatcher.vendor)
        run = Run(journal, dispatcher, report)
        run.carrier.nonce = (await journal.open(report.campaign)).nonce
        try:
            async with asyncio.timeout(seconds):
                [outcome] = await run.bring(Request(lane, [item]))
        except TimeoutError:
            [ended] = report.outcomes()
            return evolve(ended, message=message, code=Code.DEADLINE_EXCEEDED, detail="the time allowed ran out")
        if outcome.kind is OutcomeKind.NOT_SENT and outcome.code == Code.CONFIGURATION_ERROR:
            raise ConfigurationError(outcome.detail, vendor=outcome.vendor)
        return outcome
