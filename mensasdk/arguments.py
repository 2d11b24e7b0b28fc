"""What an argument has to be, and what is said where something else is given: its name, its kind, and the remedy."""

from __future__ import annotations

import math

from mensasdk.errors import ConfigurationError

__all__ = ["check_count", "check_flag", "check_kind", "check_seconds", "not_this"]


def not_this(name: str, what: str, value: object) -> str:
    """Say that an argument is of a wrong kind. What it is itself is not shown: it may be a secret in a wrong place.

    Args:
        name: of the argument, with its position where it is one of several: ``"hooks[1]"``.
        what: it must be, with an example.
        value: as it was given.
    """
    return f"{name} must be {what}, not {'None' if value is None else type(value).__name__}"


def check_kind(name: str, value: object, kind: type | tuple[type, ...], what: str) -> None:
    """Refuse what is not of a kind.

    Raises:
        ConfigurationError: with the words of `not_this`.
    """
    if not isinstance(value, kind):
        raise ConfigurationError(not_this(name, what, value))


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False: ``"no"`` would count as yes.

    Raises:
        ConfigurationError: it is neither.
    """
    check_kind(name, value, bool, "True or False")


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Refuse what is no whole number, or less than ``least``. True is none.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigurationError(not_this(name, f"a whole number, {least} or more", value))
    if value < least:
        raise ConfigurationError(f"{name} must be {least} or more, not {value}")


def check_seconds(name: str, value: object, *, zero: bool = False, what: str = "number of seconds") -> None:
    """Refuse what is no finite number above 0. True is none.

    Args:
        name: of the argument.
        value: as it was given.
        zero: 0 is taken as well.
        what: it is, where it is no time.

    Raises:
        ConfigurationError: it is none.
    """
    what = f"{'zero or a' if zero else 'a'} positive {what}"
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ConfigurationError(not_this(name, what, value))
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise ConfigurationError(f"{name} must be {what}, not {value}")
