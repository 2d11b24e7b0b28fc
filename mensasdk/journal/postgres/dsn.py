"""Read the address of a PostgreSQL database, and tell it without its secrets."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from mensasdk.errors import ConfigurationError

__all__ = ["has_password", "is_dsn", "shown"]

_SCHEMES = ("postgresql", "postgres")
_SECRET = frozenset({"password", "sslpassword"})


def is_dsn(text: str) -> bool:
    """Return whether a text is meant as the address of a PostgreSQL database, and not as the name of a file."""
    return text.partition("://")[0].lower() in _SCHEMES and "://" in text


def has_password(dsn: str) -> bool:
    """Return whether an address holds a password."""
    parts = urlsplit(dsn)
    return parts.password is not None or any(name.lower() in _SECRET for name, _ in parse_qsl(parts.query))


def shown(dsn: str) -> str:
    """Return an address as it may be shown: without a password.

    Raises:
        ConfigurationError: it is no address of a PostgreSQL database.
    """
    problem: str | None = None
    try:
        parts = urlsplit(dsn)
        if not is_dsn(dsn):
            problem = "is no address of a PostgreSQL database"
        elif "," not in parts.netloc:  # several hosts have no single port
            _ = parts.port
    except ValueError:  # its text may repeat the address
        problem = "has a host or a port that cannot be read"
    if problem is not None:
        raise ConfigurationError(
            problem, subject="the DSN", field="dsn", remedy="write it as postgresql://user@host:5432/database"
        )
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    host = parts.netloc.rpartition("@")[2]
    options = [(name, value) for name, value in parse_qsl(parts.query) if name.lower() not in _SECRET]
    return f"{parts.scheme}://{user}{'@' if user else ''}{host}{parts.path}{'?' if options else ''}" + urlencode(
        options, safe="/"
    )
