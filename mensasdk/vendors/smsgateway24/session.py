"""The token of a client: given or fetched when it is first needed, and fetched again when the vendor refuses it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable

from mensasdk.errors import ConfigurationError, MensaError, OutcomeKind
from mensasdk.transport import Secret
from mensasdk.transport.base import mark_cancelled
from mensasdk.vendors.smsgateway24.rules import VENDOR

__all__ = ["Session"]


class Session:
    """Holds the token, and sees to it that many calls in need of one make a single login.

    Args:
        token: a token to begin with, or None.
        login: asks the vendor for a token; None where there are no credentials to do so.
    """

    def __init__(self, token: Secret | None, login: Callable[[], Awaitable[Secret]] | None) -> None:
        self._token = token
        self._ask = login
        self._lock = asyncio.Lock()
        self._failures = 0
        self._failure: MensaError | None = None

    @property
    def can_log_in(self) -> bool:
        return self._ask is not None

    async def token(self) -> Secret:
        """The token, fetched if there is none yet.

        Raises:
            MensaError: what the login ended with; NOT_SENT, since the call that needs the token was never made.
        """
        return self._token if self._token is not None else await self._other_than(None)

    async def renew(self, refused: Secret) -> Secret:
        """A token in place of one that was refused.

        Calls whose tokens were refused together get the one that the first of them fetches. A login may give the same
        text again; it is a new token all the same, so tokens are told apart as objects.

        Raises:
            MensaError: as `token`.
        """
        return await self._other_than(refused)

    async def login(self) -> Secret:
        """Fetch a token whatever there is already, and hold it from now on.

        Raises:
            MensaError: what the login ended with.
        """
        async with self._lock:
            return await self._fetch()

    async def _other_than(self, refused: Secret | None) -> Secret:
        seen = self._failures
        try:
            async with self._lock:
                if self._token is not refused and self._token is not None:
                    return self._token  # somebody fetched one while we waited
                if self._failures != seen and self._failure is not None:
                    # Somebody tried while we waited, and vendors block those who keep failing.
                    raise copy.copy(self._failure)
                return await self._fetch()
        except MensaError as error:
            error.outcome = OutcomeKind.NOT_SENT
            raise
        except asyncio.CancelledError as cancelled:
            mark_cancelled(cancelled, OutcomeKind.NOT_SENT)  # the login may have left, the call has not
            raise

    async def _fetch(self) -> Secret:
        if self._ask is None:
            raise ConfigurationError("logging in needs email and password; give both to the client", vendor=VENDOR)
        try:
            self._token = await self._ask()
        except MensaError as error:
            self._failures += 1
            self._failure = copy.copy(error)
            raise
        return self._token
