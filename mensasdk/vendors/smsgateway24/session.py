"""Hold a client's token, and log in when there is none or the vendor refuses it."""

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
    """Token of a client, with one login for all the calls that need a token at the same time.

    Args:
        token: the token to begin with, or None.
        login: a function that asks the vendor for a token; None where the client has no credentials for a login.
    """

    def __init__(self, token: Secret | None, login: Callable[[], Awaitable[Secret]] | None) -> None:
        self._token = token
        self._ask = login
        self._lock = asyncio.Lock()
        self._failures = 0
        self._failure: MensaError | None = None

    @property
    def can_log_in(self) -> bool:
        """Tell whether there are credentials for a login."""
        return self._ask is not None

    async def token(self) -> Secret:
        """Return the token, after a login if there is none yet.

        Raises:
            MensaError: the login failed; NOT_SENT, since the call that needs the token was never made.
        """
        return self._token if self._token is not None else await self._other_than(None)

    async def renew(self, refused: Secret) -> Secret:
        """Return a new token in place of one that the vendor refused.

        Of several calls whose token was refused, the first logs in, and the others get its token too. A login may
        return the same text again, so tokens are compared as objects and not by their text.

        Raises:
            MensaError: the login failed; NOT_SENT.
        """
        return await self._other_than(refused)

    async def login(self) -> Secret:
        """Log in, and use the new token from now on, even if there was one already.

        Raises:
            MensaError: the login failed.
        """
        async with self._lock:
            return await self._fetch()

    async def _other_than(self, refused: Secret | None) -> Secret:
        seen = self._failures
        try:
            async with self._lock:
                if self._token is not refused and self._token is not None:
                    return self._token  # another call logged in while this one waited
                if self._failures != seen and self._failure is not None:
                    # Another call failed to log in while this one waited. Vendors block clients that keep failing.
                    raise copy.copy(self._failure)
                return await self._fetch()
        except MensaError as error:
            error.outcome = OutcomeKind.NOT_SENT
            raise
        except asyncio.CancelledError as cancelled:
            mark_cancelled(cancelled, OutcomeKind.NOT_SENT)  # the login may have been sent, but not the call
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
