"""A text, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from mensasdk.cli.wording import say
from mensasdk.errors import ValidationError
from mensasdk.preflight.check import character_name
from mensasdk.text import Change, SentText, TextRule, to_gsm
from mensasdk.text import Segments as Count
from mensasdk.text import segments as count

__all__ = ["Looked", "look"]


@frozen
class Looked:
    """A text, and what there is to say of it.

    Attributes:
        text: as it was given.
        found: how it travels as it is.
        plain: what `to_gsm` makes of it, and what it changes.
        plain_found: how that travels.
        rule: of the vendor that was asked for; None for none.
        sent: what that vendor makes of it; None where it refuses it.
        refused: why.
    """

    text: str
    found: Count
    plain: str
    changes: Sequence[Change]
    plain_found: Count
    rule: TextRule | None = None
    sent: SentText | None = None
    refused: str | None = None

    @property
    def exit_code(self) -> int:
        """1 when the vendor does not take it, else 0."""
        return 0 if self.refused is None else 1

    def as_json(self) -> dict[str, Any]:
        """All of it as one object. Positions count code points, from 0."""
        told = {
            **_as_json(self.found),
            "forced_by": [
                {"position": position, "character": character, "name": character_name(character)}
                for position, character in self.found.forced_by
            ],
            "gsm": {"text": self.plain, **_as_json(self.plain_found), "changes": _changes(self.changes)},
        }
        if self.rule is not None:
            told["vendor"] = {"name": self.rule.vendor, "refused": self.refused}
            if self.sent is not None:
                told["vendor"] |= {
                    "text": self.sent.text,
                    **_as_json(self.sent.segments),
                    "changes": _changes(self.sent.changes),
                }
        return told


def look(text: str, rule: TextRule | None = None, *, unicode: bool = False) -> Looked:
    """Count a text, as it is, brought into GSM-7, and as a vendor sends it.

    Args:
        text: the text.
        rule: the vendor's; None for no vendor.
        unicode: the vendor, or the one who counts, is told to send Unicode.

    Raises:
        ValidationError: the text holds half of a surrogate pair.
    """
    plain = to_gsm(text)
    found, plain_found = count(text, unicode=unicode), count(plain.text)
    sent, refused = None, None
    if rule is not None:
        try:
            sent = rule.apply(text, unicode=unicode)
        except ValidationError as error:
            refused = say(error)
    return Looked(text, found, plain.text, plain.changes, plain_found, rule, sent, refused)


def _as_json(found: Count) -> dict[str, Any]:
    return {
        "encoding": found.encoding.value,
        "parts": found.parts,
        "units": found.units,
        "remaining": found.remaining,
    }


def _changes(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [{"position": change.position, "from": change.before, "to": change.after} for change in changes]
