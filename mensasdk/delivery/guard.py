"""Decide whether a callback is let in, from all that comes before its body; independent of any web server.

Vendors do not sign their callbacks, so none can be proved genuine. These rules therefore let in as little as possible,
before a byte of the body is read. A refusal is a value, which the web server turns into an answer.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from attrs import field, frozen

from mensasdk.errors import ConfigurationError

__all__ = ["TOO_LARGE", "Guard", "Refusal", "is_loopback"]

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_MEDIA_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded", "multipart/form-data"})
# Characters that need no escaping in a path, so that the called path has the secret exactly as it was given.
_PATH_SECRET = re.compile(r"[A-Za-z0-9._~-]+")


@frozen
class Refusal:
    """Answer to a callback that is not let in.

    The server has to close the connection after it, because a body that is never read may be on its way.

    Attributes:
        status: the status of HTTP.
        text: the body of the answer, plain text.
        headers: headers beside those of every answer.
    """

    status: int
    text: str
    headers: Mapping[str, str] = field(factory=dict)


TOO_LARGE = Refusal(413, "body too large")


class Guard:
    """Rules that decide whether a callback is let in.

    Args:
        user, password, path_secret, insecure, allow_from, trusted_proxies: see `DeliveryReceiver`.
        max_body: largest body in bytes.

    Attributes:
        max_body: largest body in bytes; the server has to check bodies without a declared length itself.
        loopback_only: there is neither a password nor a path secret, so that only callers on the loopback interface
            are let in.

    Raises:
        ConfigurationError: there is neither a password nor a path secret, and not ``insecure``; or a value is invalid.
    """

    def __init__(
        self,
        *,
        user: str | None = None,
        password: str | None = None,
        path_secret: str | None = None,
        insecure: bool = False,
        max_body: int = 65536,
        allow_from: Sequence[str] | None = None,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        if password is not None and not password.strip():
            remedy = "give the one that is set in the vendor's panel, or None"
            raise ConfigurationError("is empty", subject="password", remedy=remedy, field="password")
        if user is not None and password is None:
            remedy = "give a password too, or leave user out"
            raise ConfigurationError("is given without a password", subject="user", remedy=remedy, field="user")
        if user is not None and ":" in user:
            problem = "contains a colon, which Basic authentication cannot carry"
            raise ConfigurationError(problem, subject="user", remedy="leave it out", field="user")
        if path_secret is not None and not _PATH_SECRET.fullmatch(path_secret):
            problem = "must be one or more of letters, digits and -._~, such as secrets.token_urlsafe(32)"
            raise ConfigurationError(problem, subject="path_secret", field="path_secret")
        if password is None and path_secret is None and not insecure:
            raise ConfigurationError(
                "a receiver needs a password or a path_secret; insecure=True does without them, on loopback only"
            )
        if max_body < 1:
            raise ConfigurationError("max_body must be at least 1 byte")
        self.max_body = max_body
        self.loopback_only = password is None and path_secret is None
        self._credentials = _encodings(user or "", password) if password is not None else ()
        self._path_secret = path_secret.encode() if path_secret is not None else None
        self._allow_from = _networks("allow_from", allow_from) if allow_from is not None else None
        self._trusted_proxies = _networks("trusted_proxies", trusted_proxies)

    def __str__(self) -> str:
        guards = [
            name for name, present in (("password", self._credentials), ("path_secret", self._path_secret)) if present
        ]
        return " and ".join(guards) or "loopback only"

    def refusal(
        self, *, method: str, path: str, headers: Iterable[tuple[str, str]], peer: str | None, length: int | None
    ) -> Refusal | None:
        """Return the refusal of a request, before its body is read; None lets it in.

        Args:
            method: the method, in capital letters.
            path: the path without the query, decoded.
            headers: name and value of each header, repeated ones too.
            peer: the address at the other end of the connection; None if there is none, as on a Unix socket.
            length: declared bytes of the body; None if they are not declared.
        """
        given: dict[str, list[str]] = {}
        for name, value in headers:
            given.setdefault(name.lower(), []).append(value)
        if not self._address_allowed(peer, given.get("x-forwarded-for", [])):
            return Refusal(403, "address not allowed")
        if self._credentials and not self._authorised(given.get("authorization", [])):
            return Refusal(
                401, "credentials required", {"WWW-Authenticate": 'Basic realm="callbacks", charset="UTF-8"'}
            )
        if self._path_secret is not None:
            last = path.rstrip("/").rpartition("/")[2]
            if not hmac.compare_digest(last.encode(errors="surrogatepass"), self._path_secret):
                return Refusal(404, "not found")
        if method != "POST":
            return Refusal(405, "only POST", {"Allow": "POST"})
        if _first(given, "content-encoding").strip().lower() not in ("identity", ""):
            return Refusal(415, "compressed bodies are not accepted")
        declared = _first(given, "content-type").partition(";")[0].strip().lower()
        if declared and declared not in _MEDIA_TYPES:
            return Refusal(415, "only JSON and forms")
        if length is not None and length > self.max_body:
            return TOO_LARGE
        return None

    def _authorised(self, headers: Sequence[str]) -> bool:
        if len(headers) != 1:
            return False
        scheme, _, encoded = headers[0].partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            pair = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
        except ValueError:  # not ASCII, or not Base64
            return False
        user, _, password = pair.partition(b":")
        # Bytes, because compare_digest refuses text beyond ASCII. All comparisons are always made, so that the time
        # taken does not tell a wrong user from a wrong password.
        granted = False
        for right_user, right_password in self._credentials:
            same_user = hmac.compare_digest(user, right_user)
            same_password = hmac.compare_digest(password, right_password)
            granted |= same_user & same_password
        return granted

    def _address_allowed(self, name: str | None, forwarded: Iterable[str]) -> bool:
        if self._allow_from is None and not self.loopback_only:
            return True
        peer = None if name is None else _parse_address(name)
        if self.loopback_only and not (peer is not None and peer.is_loopback):
            return False
        if self._allow_from is None:
            return True
        caller = self._caller(peer, forwarded)
        return caller is not None and _within(caller, self._allow_from)

    def _caller(self, peer: _Address | None, forwarded: Iterable[str]) -> _Address | None:
        """Return the real caller: the nearest address in the chain of proxies that is not a trusted proxy."""
        caller = peer
        hops = [hop for header in forwarded for hop in header.split(",")]
        while caller is not None and hops and _within(caller, self._trusted_proxies):
            caller = _parse_address(hops.pop())
        return caller


def is_loopback(host: str) -> bool:
    """Return whether a server that binds to a host can be reached from this machine only."""
    address = _parse_address(host)
    return host == "localhost" if address is None else address.is_loopback


def _first(headers: Mapping[str, Sequence[str]], name: str) -> str:
    return headers[name][0] if name in headers else ""


def _encodings(user: str, password: str) -> tuple[tuple[bytes, bytes], ...]:
    """Return the credentials as bytes, in each encoding that callers use."""
    pairs = [(user.encode(), password.encode())]
    with suppress(UnicodeEncodeError):  # Latin-1 does not have these characters
        pairs.append((user.encode("latin-1"), password.encode("latin-1")))
    return tuple(dict.fromkeys(pairs))


def _networks(name: str, texts: Sequence[str]) -> tuple[_Network, ...]:
    if isinstance(texts, str):
        raise ConfigurationError("must be a sequence of networks, not one string", subject=name, field=name)
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        problem = str(error)
    raise ConfigurationError(f"has a wrong address: {problem}", subject=name, field=name)


def _within(address: _Address, networks: Iterable[_Network]) -> bool:
    return any(address in network for network in networks)


def _parse_address(text: str) -> _Address | None:
    """Read an address as proxies write it: bare, in brackets, or with a port; return None for any other text."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
