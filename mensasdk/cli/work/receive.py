"""Receive delivery reports, show what to set in the vendor's panel, and count what comes."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from os import PathLike
from typing import Any, Final, Self

import click
from attrs import define, field, frozen
from rich.console import Console
from rich.live import Live
from rich.text import Text

from mensasdk.cli.work.signals import interrupts
from mensasdk.delivery import DeliveryLog, DeliveryReceiver
from mensasdk.journal import Journal, PostgresJournal, SqliteJournal
from mensasdk.messages import Delivery, DeliveryState
from mensasdk.registry import CallbackInfo, VendorInfo, load

__all__ = ["Count", "Guard", "TogetherJournal", "keep_reports"]

_USER: Final = "mensasdk"
_EVERY: Final = 5.0


@frozen
class Guard:
    """Secret that proves that the vendor calls.

    Attributes:
        user, password: Basic credentials; None where the vendor has none.
        path_secret: secret word at the end of the path; None where the vendor needs none.
        made_up: whether the secret is new, so that it has to be shown.
    """

    user: str | None
    password: str | None = field(repr=False)
    path_secret: str | None = field(repr=False)
    made_up: bool

    @classmethod
    def find(cls, callbacks: CallbackInfo, found: Mapping[str, str], *, prompt: bool) -> Self:
        """Take the secret that was set, ask for it, or make a new one.

        Args:
            callbacks: the vendor's kind of callbacks.
            found: the settings that were found, by name.
            prompt: whether to ask on the terminal.
        """
        with_password = callbacks.proof == "password"
        word = found.get("callback_password" if with_password else "callback_secret")
        if prompt:
            what = "Password of the callbacks" if with_password else "Secret end of the address"
            word = str(click.prompt(what, hide_input=True, err=True))
        made_up = word is None
        if word is None:
            word = secrets.token_urlsafe(24)
        if with_password:
            return cls(found.get("callback_user", _USER), word, None, made_up)
        return cls(None, None, word, made_up)

    def told(self, url: str) -> Sequence[tuple[str, str]]:
        """Return what to set in the vendor's panel, as names and values. A secret that was set is not shown."""
        if self.path_secret is not None:
            return [("address", url + (self.path_secret if self.made_up else "(your secret)"))]
        assert self.user is not None
        password = (self.password or "") if self.made_up else "(yours)"
        return [("address", url), ("user", self.user or "(none)"), ("password", password)]


class TogetherJournal(SqliteJournal):
    """A journal that writes delivery reports to the disk together when they come at the same time.

    Without it, each report is a transaction of its own, and vendors report on thousands of messages at once.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        super().__init__(path)
        self._waiting: list[tuple[Sequence[Delivery], asyncio.Future[int]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """Record deliveries, as `Journal.deliver` does; return the new ones among all that were written together."""
        written: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((deliveries, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await written

    async def _write(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting, []
            failure: Exception | None = None
            new = 0
            try:
                new = await super().deliver([one for deliveries, _ in some for one in deliveries])
            except Exception as error:  # noqa: BLE001 - raised again in each caller that waits
                failure = error
            for _, written in some:
                if written.done():  # its caller has given up
                    continue
                if failure is None:
                    written.set_result(new)
                else:
                    written.set_exception(failure)
        self._writer = None


@define
class Count:
    """Count of the reports that have come, by state, and of the other calls."""

    states: Counter[DeliveryState] = field(factory=Counter)
    others: int = 0

    def handler(self, log: DeliveryLog) -> Callable[[Any], Awaitable[None]]:
        """Return a handler that records each report in ``log``, and then counts it."""

        async def handle(value: Any) -> None:
            await log.handle(value)
            if hasattr(value, "to_delivery"):
                self.states[value.to_delivery().state] += 1
            else:
                self.others += 1

        return handle

    @property
    def line(self) -> Text:
        """The counts as one line."""
        total = self.states.total()
        delivered, failed = self.states[DeliveryState.DELIVERED], self.states[DeliveryState.FAILED]
        expired = self.states[DeliveryState.EXPIRED] + self.states[DeliveryState.CANCELLED]
        text = Text(f"{total:,} {'report' if total == 1 else 'reports'}", style="bold")
        for count, name, style in (
            (delivered, "delivered", "green"),
            (failed, "failed", "red"),
            (expired, "expired or cancelled", "yellow"),
            (total - delivered - failed - expired, "on the way", "cyan"),
        ):
            text.append(" · ", style="dim").append(f"{count:,} {name}", style=style if count else "dim")
        if self.others:
            text.append(" · ", style="dim").append(f"{self.others:,} received messages passed by", style="yellow")
        return text


async def keep_reports(
    info: VendorInfo,
    journal: Journal,
    guard: Guard,
    *,
    where: str,
    host: str,
    port: int,
    allow_from: Sequence[str] | None,
    trusted_proxies: Sequence[str],
    console: Console,
    quiet: bool,
) -> None:
    """Receive the reports of a vendor until a signal ends it.

    Args:
        info: the vendor; it has to call back.
        journal: journal that keeps the reports.
        guard: secret that proves that the vendor calls.
        where: the place of the journal, for people.
        host: address to listen on.
        port: port to listen on; 0 for any free one.
        allow_from: networks that may call; None for all.
        trusted_proxies: networks of the caller's own proxies.
        console: console for the count.
        quiet: do not show the count.

    Raises:
        ConfigurationError: a value is wrong.
        JournalError: the journal cannot be used.
        OSError: the address cannot be bound.
    """
    assert info.callbacks is not None  # the command refuses a vendor that does not call back
    count = Count()
    receiver = DeliveryReceiver(
        load(info.callbacks.parser),
        count.handler(DeliveryLog(journal)),
        user=guard.user,
        password=guard.password,
        path_secret=guard.path_secret,
        allow_from=allow_from,
        trusted_proxies=trusted_proxies,
    )
    await journal.deliver([])  # a journal that fails has to fail now, and not at the first call
    ended = asyncio.Event()
    connected = journal if isinstance(journal, PostgresJournal) else nullcontext()
    async with connected, receiver.serve(host, port) as url:
        with interrupts(ended.set):
            console.print(Text(f"Reports of {info.name} go into {where}."), soft_wrap=True)
            for name, value in guard.told(url):
                console.print(Text.assemble((f"  {name:9}", "dim"), value), soft_wrap=True)
            if guard.made_up:
                console.print(Text("  It is not shown again, and another one is made next time.", style="dim"))
            console.print(Text("Ctrl-C ends it.", style="dim"))
            sys.stderr.flush()
            await _watch(count, console, ended, quiet=quiet)
    if not quiet:
        console.print(count.line, soft_wrap=True)


async def _watch(count: Count, console: Console, ended: asyncio.Event, *, quiet: bool) -> None:
    """Show the count until the end: in one place on a terminal, and as lines elsewhere."""
    if quiet:
        await ended.wait()
        return
    with ExitStack() as stack:
        live: Live | None = None
        if console.is_terminal:
            live = stack.enter_context(Live(console=console, auto_refresh=False, transient=True))
        shown, at = "", time.monotonic()
        while not ended.is_set():
            line = count.line
            if live is not None:
                live.update(line, refresh=True)
            elif line.plain != shown and (time.monotonic() >= at + _EVERY or not shown):
                console.print(line, soft_wrap=True)
                shown, at = line.plain, time.monotonic()
            try:
                async with asyncio.timeout(0.25):
                    await ended.wait()
            except TimeoutError:
                continue
