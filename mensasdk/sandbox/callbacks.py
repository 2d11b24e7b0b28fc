"""Callbacks that emulated vendors post to the customer's server, and the pool of workers that posts them."""

from __future__ import annotations

import asyncio
import base64
import heapq
import ipaddress
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit

from attrs import field, frozen

from mensasdk.sandbox.ledger import Ledger

if TYPE_CHECKING:
    import aiohttp

__all__ = ["CallbackFormat", "CallbackPool", "CallbackSettings", "CallbackSource", "Step"]

CallbackFormat = Literal["json", "form", "multipart"]

_WORKERS = 32


def _loopback(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@frozen
class CallbackSettings:
    """Address and format of a vendor's callbacks; only loopback addresses are allowed.

    Raises:
        ValueError: the URL is not ``http`` or ``https`` to a loopback address, carries a user name, or the format
            is not known.
    """

    url: str
    auth: tuple[str, str] | None = field(default=None, repr=False)
    format: CallbackFormat = "json"

    def __attrs_post_init__(self) -> None:
        if not _loopback(self.url):
            raise ValueError("callbacks are posted to loopback addresses only, such as http://127.0.0.1:8000/reports")
        if self.format not in ("json", "form", "multipart"):
            raise ValueError(f"callback format must be json, form or multipart, not {self.format!r}")


@frozen
class Step:
    """Callback of a message at one point of its life, and the wait until the next point.

    Attributes:
        fields: the callback to post now, or None to post nothing.
        then: real seconds until the next step, or None if this step is the last.
        far: whether the next step waits for a schedule; `CallbackPool.drain` does not wait for such a step.
    """

    fields: Mapping[str, Any] | None
    then: float | None = None
    far: bool = False


class CallbackSource(Protocol):
    """Messages that give the steps of their callbacks."""

    def callback(self, index: int, step: int) -> Step:
        """Return the step at position ``step`` for the message at position ``index``."""


# due (loop time), sequence, vendor, source, index, step, far; the sequence keeps the order of jobs due at one time
_Job = tuple[float, int, str, CallbackSource, int, int, bool]


class CallbackPool:
    """Pool of workers that posts callbacks when they are due, at most 32 at a time, and in order for each message.

    Args:
        ledger: the ledger that counts the callbacks.
        attempts: largest count of attempts for a callback.
        backoff: seconds before the second attempt; the wait doubles before each further one.
    """

    def __init__(self, ledger: Ledger, *, attempts: int = 5, backoff: float = 0.05) -> None:
        self._ledger = ledger
        self._attempts = attempts
        self._backoff = backoff
        self._settings: dict[str, CallbackSettings] = {}
        self._later: list[_Job] = []
        self._ready: asyncio.Queue[_Job] = asyncio.Queue()
        self._sequence = count()
        self._near = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._timer: asyncio.TimerHandle | None = None
        self._workers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    def configure(self, vendor: str, settings: CallbackSettings | None) -> None:
        """Set or remove (None) the callback settings of a vendor."""
        if settings is None:
            self._settings.pop(vendor, None)
        else:
            self._settings[vendor] = settings

    def wanted(self, vendor: str) -> bool:
        """Return whether an address is set for the vendor's callbacks and the pool is open."""
        return vendor in self._settings and not self._closed

    def submit(self, vendor: str, source: CallbackSource, indices: range, step: int) -> None:
        """Run the steps of messages from ``step`` on, beginning now; do nothing if no callbacks are wanted.

        Args:
            vendor: the vendor's short name.
            source: the messages.
            indices: positions of the messages in the source.
            step: position of the first step to run.
        """
        if not self.wanted(vendor):
            return
        now = asyncio.get_running_loop().time()
        for index in indices:
            self._put((now, next(self._sequence), vendor, source, index, step, False))

    async def post(self, vendor: str, fields: Mapping[str, Any]) -> bool:
        """Post a callback at once, with the usual attempts, and return whether the receiver answered with 2xx.

        Raises:
            RuntimeError: no address is set for the vendor.
        """
        settings = self._settings.get(vendor)
        if settings is None:
            raise RuntimeError(f"no callback address is set for {vendor}; see Sandbox.callbacks()")
        return await self._deliver(settings, fields)

    async def drain(self) -> None:
        """Wait until every callback is delivered or given up, except those that wait for a schedule."""
        while not self._idle.is_set():
            await self._idle.wait()

    async def aclose(self) -> None:
        """Drop the callbacks that are left, and stop the workers."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers.clear()
        self._later.clear()
        self._idle.set()
        if self._session is not None:
            await self._session.close()

    def _put(self, job: _Job) -> None:
        if not self._workers:
            self._workers = [asyncio.create_task(self._work()) for _ in range(_WORKERS)]
        if not job[6]:
            self._near += 1
            self._idle.clear()
        if job[0] <= asyncio.get_running_loop().time():
            self._ready.put_nowait(job)
        else:
            heapq.heappush(self._later, job)
            if self._later[0] is job:
                self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._later[0][0], self._wake) if self._later else None

    def _wake(self) -> None:
        now = asyncio.get_running_loop().time()
        # The loop may call a timer one clock tick early.
        while self._later and self._later[0][0] <= now + 0.001:
            job = heapq.heappop(self._later)
            if job[6]:
                job = (*job[:6], False)
                self._near += 1
                self._idle.clear()
            self._ready.put_nowait(job)
        self._arm()

    async def _work(self) -> None:
        while True:
            _, _, vendor, source, index, number, _ = await self._ready.get()
            try:
                step = source.callback(index, number)
                settings = self._settings.get(vendor)
                if step.fields is not None and settings is not None:
                    await self._deliver(settings, step.fields)
                if step.then is not None:
                    due = asyncio.get_running_loop().time() + step.then
                    far = step.far and step.then > 0
                    self._put((due, next(self._sequence), vendor, source, index, number + 1, far))
            finally:
                self._near -= 1
                if self._near == 0:
                    self._idle.set()

    async def _deliver(self, settings: CallbackSettings, fields: Mapping[str, Any]) -> bool:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_WORKERS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=10),
                headers={"User-Agent": "mensasdk-sandbox"},
            )
        headers = {} if settings.auth is None else {"Authorization": _basic(*settings.auth)}
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(self._backoff * 2 ** (attempt - 1))
            self._ledger.callback_attempts += 1
            # Built for each attempt, because a multipart body can be written only once.
            json = dict(fields) if settings.format == "json" else None
            data = None if json is not None else aiohttp.FormData(default_to_multipart=settings.format == "multipart")
            if data is not None:
                for name, value in fields.items():
                    data.add_field(name, str(value))
            try:
                # A redirect could lead to an address that is not on the loopback.
                async with self._session.post(
                    settings.url, json=json, data=data, headers=headers, allow_redirects=False
                ) as response:
                    await response.read()
                    if 200 <= response.status < 300:
                        self._ledger.callbacks_delivered += 1
                        return True
            except (aiohttp.ClientError, OSError, TimeoutError):
                continue
        self._ledger.callbacks_failed += 1
        return False
