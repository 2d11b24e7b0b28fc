"""Keep secrets out of what is printed, logged and raised."""

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
    """Token or password that is shown only by `reveal`.

    A secret is not a string, so that it cannot get into an f-string, a log line or JSON by mistake: ``repr`` and
    ``str`` show ``***``. Two secrets are compared in constant time. A secret cannot be pickled.

    Raises:
        ConfigurationError: the value is not a string, or holds a line break or another control character (often the
            line break at the end of a file).
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise ConfigurationError(f"a secret must be a string, not {type(value).__name__}")
        if any(character < " " or character == "\x7f" for character in value):
            raise ConfigurationError(
                "a secret holds a line break or control character; strip a secret that was read from a file"
            )
        self._value = value

    def reveal(self) -> str:
        """Return the secret as a string. Call this only where the request is written, and keep it in no variable."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # In values from the environment, bytes that are not UTF-8 are lone surrogates. To encode them must not raise:
        # the text of the error would show the secret.
        ours, theirs = (secret._value.encode(errors="surrogatepass") for secret in (self, other))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self  # so that `dataclasses.asdict` of a configuration works

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled; give the credentials to the other process in its environment")


def redact_url(url: str) -> str:
    """Return ``url`` without its user info, and with ``***`` in place of each query value.

    All values are hidden, because the queries of these vendors hold tokens, phone numbers and message texts. The keys
    stay, because they help to find out what happened.
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
    """Return the ways in which a server may quote a secret: plain, or as in a URL, a web page or a header."""
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
    """Return a server's ``words`` with ``***`` in place of each secret in them, in any usual spelling.

    Shorten the words only after this: half a secret would not be found.
    """
    spellings = {one for secret in secrets if secret is not None for one in _spellings(secret.reveal())}
    for spelling in sorted(spellings, key=len, reverse=True):  # a longer spelling may contain a shorter one
        words = words.replace(spelling, MASK)
    return words
