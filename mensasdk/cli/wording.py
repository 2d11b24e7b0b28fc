"""Say what the library refuses in terms of the command: its options in place of Python parameters.

An error of the library names the parameter at fault (``field``) and keeps its problem and its remedy apart. The tables
below have the option of each parameter, and the command's own remedy where the library's names a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from mensasdk.codes import Code
from mensasdk.errors import ConfigurationError, MensaError
from mensasdk.registry import vendors

__all__ = ["of_option", "say"]

_OPTIONS: Final[Mapping[str, str]] = {
    "allow_from": "--allow-from",
    "base_url": "--base-url",
    "campaign": "--campaign",
    "choices": "--time-zone-of",
    "column": "--opt-out-column",
    "days": "--days",
    "default_country": "--default-country",
    "end": "--hours",
    "limit": "--max-credits",
    "max_messages": "--max-messages",
    "not_after": "--not-after",
    "password": "callback_password",
    "path": "--prices",
    "path_secret": "callback_secret",
    "prices": "--prices",
    "schedule_at": "--schedule",
    "sender": "--sender",
    "source": "--opt-outs",
    "trusted_proxies": "--trusted-proxy",
    "user": "callback_user",
}
"""Option, or setting of a vendor, by the parameter that it becomes. A vendor's own options are not among them."""

_HEADER: Final = "if it is a header, say which column holds the numbers with --opt-out-column"
_REMEDIES: Final[Mapping[tuple[str | None, str | None], str]] = {
    ("choices", Code.ZONE): "say which to go by with --time-zone-of CC=ZONE, or widen --hours",
    ("days", Code.CLOSED): "look at --days",
    ("device_id", None): "the vendor's panel shows the ids",
    ("end", None): "for the whole day leave --hours out",
    ("not_after", Code.EXPIRED): "give a later --not-after",
    ("password", None): "give the one that is set in the vendor's panel",
    ("permits", "extreme"): "give a less extreme rate",
    ("source", "bad_number"): f"correct it, or take the line out; {_HEADER}",
    ("source", "bad_row"): "correct it, or take the line out",
    ("source", "no_country"): (
        "write it in international form (+, country code, number), give --default-country for national numbers, or "
        f"take the line out; {_HEADER}"
    ),
    ("source", "several_columns"): "say which one with --opt-out-column",
    ("to", "default_country"): (
        "write it in international form (+, country code, number), or give --default-country if it is a national number"
    ),
    ("to", Code.NO_PRICE): "add a row for it to the file of --prices, or a row * for all other countries",
    ("messages", Code.CHANGED): "send this one as well with --again",
    ("to", Code.ZONE): "choose one with --time-zone-of CC=ZONE, where CC may be a calling code such as +1",
}
"""Remedy by parameter, and by code or missing parameter, where the library's own remedy names a parameter."""


def say(error: MensaError, option: str | None = None) -> str:
    """Return what an error says, in terms of the command.

    Args:
        error: an error of the library, or of the command itself.
        option: the option that the value came from; None to find it by the error's ``field``.
    """
    option = option or _option_of(error.field)
    if error.subject is None:
        sentence = error.problem if option is None else f"{option}: {error.problem}"
    else:
        # The sentence about a row begins with its number, which stays.
        is_parameter = option is not None and error.subject.startswith(error.field or "")
        sentence = f"{option if is_parameter else error.subject} {error.problem}"
    remedy = _REMEDIES.get((error.field, error.code or error.missing), error.remedy)
    return sentence if remedy is None else f"{sentence}; {remedy}"


@contextmanager
def of_option(option: str | None = None) -> Iterator[None]:
    """Turn what the library refuses inside the block into a refusal that names the option.

    Args:
        option: as for `say`.

    Raises:
        ConfigurationError: with the words of `say`.
    """
    try:
        yield
        return
    except MensaError as error:
        words = say(error, option)
    raise ConfigurationError(words)


def _option_of(field: str | None) -> str | None:
    if field is None:
        return None
    if field in _OPTIONS:
        return _OPTIONS[field]
    return next((one.flag for info in vendors().values() if (one := info.option(field)) is not None), None)
