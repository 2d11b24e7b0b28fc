"""Load the names of a package when they are used, so that importing the package costs nearly nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["lazy"]


def lazy(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package whose names are defined in other modules.

    Use it in the ``else`` of an ``if TYPE_CHECKING:`` that has the plain imports for type checkers.
    ``tests/test_house.py`` checks that both have the same names.

    Args:
        package: ``__name__`` of the package.
        homes: names by the module that they are loaded from; the names of a module are separated by blanks.

    Returns:
        The two functions.
    """
    home = {name: module for module, names in homes.items() for name in names.split()}

    def load(name: str) -> object:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(home[name]), name)
        setattr(sys.modules[package], name, value)  # from now on it is found in the package itself
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home})

    return load, names
