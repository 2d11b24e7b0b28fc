"""Count a text as it is, in GSM-7, and as a vendor sends it."""

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
    """A text and its counts.

    Attributes:
        text: the text as it was given.
        found: its count as it is.
        plain: the text in GSM-7, by `to_gsm`.
        changes: changes from the text to ``plain``.
        plain_found: count of ``plain``.
        rule: text rule of the vendor; None where no vendor was given.
        sent: text and count that the vendor sends; None where it refuses the text.
        refused: reason why the vendor refuses the text; None where it does not.
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
        """1 where the vendor does not take the text, else 0."""
        return 0 if self.refused is None else 1

    def as_json(self) -> dict[str, Any]:
        """Return the counts as one JSON object. Positions count code points, from 0."""
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
    """Count a text as it is, in GSM-7, and as a vendor sends it.

    Args:
        text: the text.
        rule: the vendor's text rule; None for no vendor.
        unicode: count the text as Unicode, and tell the vendor to send it so.

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
