"""Run the screens: functions that see each message before it is planned, and may change or refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from mensasdk.arguments import not_this
from mensasdk.errors import ConfigurationError
from mensasdk.messages import Message

__all__ = ["Screen", "Screens"]

Screen = Callable[[Message, str], Message]
"""Function that gets a message and its number in E.164, and returns the message to send or raises `ValidationError`."""


@runtime_checkable
class _Counting(Protocol):
    """A screen that counts the messages it has seen, such as `Spread`, and starts again with each campaign."""

    def __call__(self, message: Message, number: str, /) -> Message: ...

    def restart(self) -> None: ...


class Screens:
    """Screens of a sender, in their order. False if there are none.

    Args:
        screens: as in `BatchSender`.

    Raises:
        ConfigurationError: ``screens`` is no list of functions.
    """

    def __init__(self, screens: object) -> None:
        if isinstance(screens, str) or not isinstance(screens, Iterable):
            raise ConfigurationError(not_this("screens", "a list of functions, as in screens=[OptOuts(...)]", screens))
        every: list[Screen] = []
        for index, screen in enumerate(screens):
            if not callable(screen):
                what = "a function that takes a message and its number"
                raise ConfigurationError(not_this(f"screens[{index}]", what, screen))
            every.append(screen)
        self._every = tuple(every)

    def __bool__(self) -> bool:
        return bool(self._every)

    def __call__(self, message: Message, number: str) -> Message:
        """Return a message as all screens leave it.

        Raises:
            ValidationError: a screen refuses the message.
            Exception: a screen failed.
        """
        for screen in self._every:
            message = screen(message, number)
        return message

    def restart(self) -> None:
        """Restart the screens that count messages, for a new campaign."""
        for screen in self._every:
            if isinstance(screen, _Counting):
                screen.restart()
