"""Check arguments, and refuse a wrong one with its name and with what it must be."""

from __future__ import annotations

import math

from mensasdk.errors import ConfigurationError

__all__ = ["check_count", "check_flag", "check_kind", "check_seconds", "not_this"]


def not_this(name: str, what: str, value: object) -> str:
    """Return the text of an error: an argument is of a wrong kind. Its value is not shown, since it may be a secret.

    Args:
        name: name of the argument, with its position if it is an item of a list: ``"hooks[1]"``.
        what: the right kind, after "must be", with an example.
        value: the argument as it was given.
    """
    return f"{name} {_must_be(what, value)}"


def _must_be(what: str, value: object) -> str:
    return f"must be {what}, not {'None' if value is None else type(value).__name__}"


def _wrong(name: str, problem: str) -> ConfigurationError:
    # Of "hooks[1]" and "pause of a circuit breaker", the parameter alone.
    field = name.partition(" ")[0].partition("[")[0]
    return ConfigurationError(problem, subject=name, field=field)


def check_kind(name: str, value: object, kind: type | tuple[type, ...], what: str) -> None:
    """Refuse a value that is not of a kind.

    Args:
        name: name of the argument, for the error.
        value: the argument as it was given.
        kind: the right class, or several classes.
        what: the right kind in words, for the error.

    Raises:
        ConfigurationError: the value is of another kind.
    """
    if not isinstance(value, kind):
        raise _wrong(name, _must_be(what, value))


def check_waits(name: str, value: object) -> tuple[float, ...]:
    """Return waits as a tuple, and refuse anything but some numbers of seconds.

    Args:
        name: name of the argument, for the error.
        value: the argument as it was given.

    Raises:
        ConfigurationError: the value is no list or tuple of numbers from 0 up, or is empty.
    """
    if not isinstance(value, list | tuple) or not value:
        raise _wrong(name, _must_be("a list of seconds, such as (0.0, 1.0, 3.0)", value))
    for wait in value:
        check_seconds(name, wait, zero=True)
    return tuple(value)


def check_flag(name: str, value: object) -> None:
    """Refuse a value that is neither True nor False: ``"no"`` would count as true.

    Raises:
        ConfigurationError: the value is neither.
    """
    check_kind(name, value, bool, "True or False")


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Refuse a value that is not a whole number, or is less than ``least``. True does not count as a number.

    Raises:
        ConfigurationError: the value is not such a number.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(name, _must_be(f"a whole number, {least} or more", value))
    if value < least:
        raise _wrong(name, f"must be {least} or more, not {value}")


def check_seconds(name: str, value: object, *, zero: bool = False, what: str = "number of seconds") -> None:
    """Refuse a value that is not a finite number above 0. True does not count as a number.

    Args:
        name: name of the argument, for the error.
        value: the argument as it was given.
        zero: allow 0 as well.
        what: the right kind in words, for the error, after "positive"; for arguments that are no times.

    Raises:
        ConfigurationError: the value is not such a number.
    """
    what = f"{'zero or a' if zero else 'a'} positive {what}"
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(name, _must_be(what, value))
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise _wrong(name, f"must be {what}, not {value}")
