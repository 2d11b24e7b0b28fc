"""Secrets that cannot be printed, and text that a person or a log may see."""

from __future__ import annotations

import base64
import hmac
import html
import re
from collections.abc import Iterable
from typing import Any, NoReturn, Self, final
from urllib.parse import quote, quote_plus

from mensasdk.errors import ConfigurationError

__all__ = ["Secret", "redact_url", "scrub"]

MASK = "***"


@final
class Secret:
    """A token or password that shows itself only where it is asked to.

    It is no string, so it cannot slip into an f-string, a log line or JSON; ``repr`` and ``str`` show ``***``. Two
    secrets compare in constant time. It refuses to be pickled.

    Raises:
        ConfigurationError: it is no string, or holds a line break or another control character, as a secret does that
            was read from a file to its end.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise ConfigurationError(f"a secret must be a string, not {type(value).__name__}")
        if any(character < " " or character == "\x7f" for character in value):
            raise ConfigurationError(
                "a secret holds a line break or control character; strip what was read from a file"
            )
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself. Call it at the edge only, and keep the result in no variable."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # The environment gives bytes that are not UTF-8 as lone surrogates, and those must not raise: the error's
        # text would show the secret.
        ours, theirs = (secret._value.encode(errors="surrogatepass") for secret in (self, other))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self  # so that `dataclasses.asdict` of a configuration works

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled; give the credentials to the other process by its environment")


def redact_url(url: str) -> str:
    """Return ``url`` with its user info dropped and each query value replaced by ``***``.

    Values are all hidden, known or not: a query of these vendors holds tokens, phone numbers and message texts.
    Keys stay, since they help to tell what happened.
    """
    head, _, fragment = url.partition("#")
    path, question, query = head.partition("?")
    scheme, separator, rest = path.partition("://")
    if separator:
        host, slash, tail = rest.partition("/")
        path = f"{scheme}://{host.rpartition('@')[2]}{slash}{tail}"
    if question:
        pairs = [f"{pair.partition('=')[0]}={MASK}" if "=" in pair else MASK for pair in query.split("&") if pair]
        path = f"{path}?{'&'.join(pairs)}"
    return f"{path}#{MASK}" if fragment else path


_escapes = re.compile("%[0-9A-F]{2}").sub


def _spellings(secret: str) -> set[str]:
    """How a server may write a secret that it quotes: as it is, or as it stood in a URL, a page or a header."""
    raw = secret.encode(errors="surrogatepass")
    encoded = {quote(raw), quote(raw, safe=""), quote_plus(raw)}
    return {
        secret,
        *encoded,
        *(_escapes(lambda escape: escape[0].lower(), one) for one in encoded),
        html.escape(secret),
        html.escape(secret, quote=False),
        base64.b64encode(raw).decode(),
    } - {""}


def scrub(words: str, secrets: Iterable[Secret | None]) -> str:
    """Return a server's ``words`` with ``***`` in place of each secret that they quote, in any usual spelling.

    Shorten words after this and not before: half a secret would not be found.
    """
    spellings = {one for secret in secrets if secret is not None for one in _spellings(secret.reveal())}
    for spelling in sorted(spellings, key=len, reverse=True):  # a longer one may hold a shorter one
        words = words.replace(spelling, MASK)
    return words
