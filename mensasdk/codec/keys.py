"""Look up the keys of a vendor's objects in any case. Each combination of keys is folded once and remembered."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["folded", "folded_fields", "is_ordinary"]

_MOST_KEYS: Final = 128
_MOST_CHARACTERS: Final = 4096
_MOST_COMBINATIONS: Final = 256


def is_ordinary(keys: tuple[Any, ...]) -> bool:
    """Return whether a combination of keys may be remembered: only short ones, so that nobody can fill our memory."""
    return len(keys) <= _MOST_KEYS and sum(map(len, keys)) <= _MOST_CHARACTERS


def folded(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys in folded case, for comparisons that ignore case."""
    found = _known.get(keys)
    if found is None:
        found = tuple([key.casefold() for key in keys])
        if is_ordinary(keys):
            if len(_known) >= _MOST_COMBINATIONS:
                _known.clear()
            _known[keys] = found
    return found


def folded_fields(tree: Any) -> dict[str, Any]:
    """Return the fields of an object by their keys in folded case; an empty dict if ``tree`` is not an object."""
    return dict(zip(folded(tuple(tree)), tree.values(), strict=True)) if isinstance(tree, dict) else {}


_known: dict[tuple[str, ...], tuple[str, ...]] = {}
