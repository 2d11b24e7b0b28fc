"""The errors, and the tree of them that the module's docstring draws."""

from __future__ import annotations

import inspect
import re

import mensasdk
from mensasdk import errors
from mensasdk.errors import ConfigurationError, JournalError, MensaError

_LINE = re.compile(r"^ {4}(?P<indent>[ │]*)[├└]── (?P<name>\w+) .*?(?P<outcome>NOT_SENT|REJECTED|UNKNOWN|)$")


def drawn() -> dict[str, tuple[str, str]]:
    """Each error of the drawing, with what it stands under and its outcome."""
    above = ["MensaError"]
    found = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := _LINE.match(line):
            depth = len(match["indent"]) // 4 + 1
            del above[depth:]
            found[match["name"]] = above[-1], match["outcome"]
            above.append(match["name"])
    return found


def test_the_tree_is_drawn_as_it_is() -> None:
    kinds = {
        name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, MensaError)
    }
    del kinds["MensaError"]
    tree = drawn()
    assert {name: kind.__base__.__name__ if kind.__base__ else "" for name, kind in kinds.items()} | {
        # It is a ValueError as well.
        "ValidationError": "MensaError"
    } == {name: parent for name, (parent, _) in tree.items()}
    for name, kind in kinds.items():
        outcome = tree[name][1]
        if outcome:
            assert kind.default_outcome.name == outcome, name
    assert sum(outcome != "" for _, outcome in tree.values()) > len(tree) - 6
    assert set(kinds) | {"MensaError", "OutcomeKind"} == set(errors.__all__) <= set(mensasdk.__all__)


def test_a_journal_that_fails_is_no_wrong_configuration() -> None:
    """Who catches what was set up wrongly must not swallow a disk that is full."""
    assert JournalError.__bases__ == (MensaError,)
    assert not issubclass(JournalError, ConfigurationError)
