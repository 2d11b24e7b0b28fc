"""``{name}`` placeholders in texts: taken apart once, filled in for each person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from attrs import frozen

from mensasdk.errors import ValidationError

__all__ = ["Template", "fill", "template"]

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@frozen
class Template:
    """A text with placeholders, taken apart.

    Attributes:
        names: the names in it, each once, in the order of their first appearance.
        pieces: literal texts and names in turn, beginning and ending with a literal.
    """

    names: tuple[str, ...]
    pieces: tuple[str, ...]

    def fill(self, variables: Mapping[str, str]) -> str:
        """The text with each name replaced by its variable; see `check`."""
        return "".join([variables[piece] if index % 2 else piece for index, piece in enumerate(self.pieces)])

    def check(self, variables: Mapping[str, str]) -> None:
        """See that each name has a variable that is a string.

        Raises:
            ValidationError: names the variable and the remedy.
        """
        for name in self.names:
            if name not in variables:
                raise ValidationError(
                    f"the text has {{{name}}}, and variables has no {name!r}; add it", field="variables"
                )
            if not isinstance(variables[name], str):
                kind = type(variables[name]).__name__
                raise ValidationError(f"variable {name!r} must be a string, not {kind}", field="variables")


@lru_cache(maxsize=256)
def template(text: str) -> Template:
    """Take a text apart. ``{{`` and ``}}`` stand for braces.

    Raises:
        ValidationError: a brace stands alone.
    """
    names: dict[str, None] = {}
    pieces: list[str] = [""]
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        token, name = match[0], match[1]
        pieces[-1] += text[end : match.start()]
        end = match.end()
        if name is not None:
            names[name] = None
            pieces += name, ""
        elif len(token) == 2:
            pieces[-1] += token[0]
        else:
            raise ValidationError(f"text has a lone {token!r}; write {token * 2!r} for a brace", field="text")
    pieces[-1] += text[end:]
    return Template(tuple(names), tuple(pieces))


def fill(text: str, variables: Mapping[str, str]) -> str:
    """A message's text as the person will read it. Without variables the text is taken to the letter.

    Raises:
        ValidationError: a placeholder has no variable, a variable is no string, or a brace stands alone.
    """
    if not variables:
        return text
    parsed = template(text)
    parsed.check(variables)
    return parsed.fill(variables)
