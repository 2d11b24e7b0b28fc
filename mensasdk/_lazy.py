"""Names of a package that are loaded when they are used, so that importing the package costs next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["lazy"]


def lazy(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package whose names live elsewhere.

    Use it in the ``else`` of an ``if TYPE_CHECKING:`` that holds the plain imports: type checkers read those, and
    ``tests/test_house.py`` holds the two together.

    Args:
        package: its ``__name__``.
        homes: by module, the names that are loaded from it, with blanks between them.
    """
    home = {name: module for module, names in homes.items() for name in names.split()}

    def load(name: str) -> object:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(home[name]), name)
        setattr(sys.modules[package], name, value)  # found there from now on, without asking here
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home})

    return load, names
