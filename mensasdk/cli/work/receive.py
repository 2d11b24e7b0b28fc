"""A receiver of delivery reports as a command: what the vendor is given, and how many have come."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from os import PathLike
from typing import Any, Final, Self

import click
from attrs import define, field, frozen
from rich.console import Console
from rich.live import Live
from rich.text import Text

from mensasdk.cli.work.signals import interrupts
from mensasdk.delivery import DeliveryLog, DeliveryReceiver
from mensasdk.journal import SqliteJournal
from mensasdk.messages import Delivery, DeliveryState
from mensasdk.registry import CallbackInfo, VendorInfo, load

__all__ = ["Count", "Guard", "TogetherJournal", "keep_reports"]

_USER: Final = "mensasdk"
_EVERY: Final = 5.0


@frozen
class Guard:
    """What a caller proves itself with.

    Attributes:
        user, password: Basic credentials; None where the vendor has none.
        path_secret: the end of the path; None where it is not needed.
        made_up: nobody knows it yet, so that it has to be shown.
    """

    user: str | None
    password: str | None = field(repr=False)
    path_secret: str | None = field(repr=False)
    made_up: bool

    @classmethod
    def find(cls, callbacks: CallbackInfo, found: Mapping[str, str], *, prompt: bool) -> Self:
        """Take what was set, ask for it, or make it up.

        Args:
            callbacks: how the vendor calls.
            found: settings, by name.
            prompt: ask for it on the terminal.
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
        """What to set in the vendor's panel: names and values. What is known already is not shown."""
        if self.path_secret is not None:
            return [("address", url + (self.path_secret if self.made_up else "(your secret)"))]
        assert self.user is not None
        password = (self.password or "") if self.made_up else "(yours)"
        return [("address", url), ("user", self.user or "(none)"), ("password", password)]


class TogetherJournal(SqliteJournal):
    """A journal in which delivery reports that come at the same time go to the disk at the same time.

    Each goes there in a change of its own otherwise, and vendors report on thousands of messages at once.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        super().__init__(path)
        self._waiting: list[tuple[Sequence[Delivery], asyncio.Future[int]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """See `Journal.deliver`; counts what was new in all that was written together."""
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
            except Exception as error:  # noqa: BLE001 - raised by each of those who wait
                failure = error
            for _, written in some:
                if written.done():  # nobody waits for it any more
                    continue
                if failure is None:
                    written.set_result(new)
                else:
                    written.set_exception(failure)
        self._writer = None


@define
class Count:
    """How many reports have come, by state, and how many other calls."""

    states: Counter[DeliveryState] = field(factory=Counter)
    others: int = 0

    def handler(self, log: DeliveryLog) -> Callable[[Any], Awaitable[None]]:
        """Keep what comes, and count it when it is kept."""

        async def handle(value: Any) -> None:
            await log.handle(value)
            if hasattr(value, "to_delivery"):
                self.states[value.to_delivery().state] += 1
            else:
                self.others += 1

        return handle

    @property
    def line(self) -> Text:
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
    journal: SqliteJournal,
    guard: Guard,
    *,
    host: str,
    port: int,
    allow_from: Sequence[str] | None,
    trusted_proxies: Sequence[str],
    console: Console,
    quiet: bool,
) -> None:
    """Keep the reports of a vendor until somebody interrupts it.

    Raises:
        ConfigurationError: a value cannot work, or the journal cannot be used.
        OSError: the address cannot be bound.
    """
    assert info.callbacks is not None  # nobody is to be waited for who does not call
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
    new = not journal.path.exists()
    await journal.deliver([])  # what is wrong with the file shall be said before anybody calls
    ended = asyncio.Event()
    async with receiver.serve(host, port) as url:
        with interrupts(ended.set):
            console.print(
                Text(f"Reports of {info.name} go into {journal.path}{' (new)' if new else ''}."), soft_wrap=True
            )
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
    """Show how many have come: in place on a terminal, and as lines elsewhere."""
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
