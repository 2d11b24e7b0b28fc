"""Which call goes wrong, and how: the faults and the rules that place them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from attrs import define, field

__all__ = ["Fault", "FaultBook", "FaultRule", "When"]

When = Literal["before", "after"]


class Fault(StrEnum):
    """Everything that a box can do wrong on purpose."""

    # The connection.
    RESET = "reset"
    """TCP RST instead of an answer."""
    CLOSE = "close"
    """FIN instead of an answer."""
    HANG = "hang"
    """No answer until the client gives up or the box closes."""
    DRIP = "drip"
    """The answer one byte at a time, ``interval`` seconds apart."""
    DELAY = "delay"
    """The right answer after ``delay`` seconds; the request is carried out even if the client has gone."""
    # Cut and broken HTTP. The three cuts take ``cut_at``, a number of body bytes; the default is half of them.
    CUT_BODY = "cut_body"
    """A body shorter than its Content-Length."""
    CUT_CHUNKED = "cut_chunked"
    """A chunked body that ends inside a chunk."""
    CUT_CLOSE_DELIMITED = "cut_close_delimited"
    """A body that only the end of the connection delimits, ended too early."""
    GARBAGE = "garbage"
    """Bytes that are not HTTP."""
    DUPLICATE_LENGTH = "duplicate_length"
    """Two Content-Length headers that disagree."""
    HUGE_HEADER = "huge_header"
    """A header of 20 kB."""
    # HTTP that is well formed and not an answer.
    EMPTY = "empty"
    """200 without a body."""
    NO_CONTENT = "no_content"
    """204."""
    HTML_PAGE = "html_page"
    """200 with a login page."""
    STATUS = "status"
    """The HTTP ``status`` given, with optional ``headers`` and ``body``."""
    RATE_LIMIT = "rate_limit"
    """429, with ``retry_after`` as the Retry-After header unless it is None."""
    REDIRECT = "redirect"
    """A redirect of ``status`` (302) to ``location``, by default a path on the same box."""
    # Bodies that bite. Those that spoil one field take ``field``; the default is the one that says success.
    BAD_JSON = "bad_json"
    """JSON that is cut although its length is right."""
    NAN = "nan"
    """JSON with NaN in ``field`` and Infinity beside it."""
    DUPLICATE_KEYS = "duplicate_keys"
    """JSON that names ``field`` twice with different values."""
    DEEP_JSON = "deep_json"
    """200,000 nested lists."""
    HUGE_INT = "huge_int"
    """JSON with an integer of 5,000 digits in ``field``."""
    DOCTYPE_XML = "doctype_xml"
    """XML with a DOCTYPE and entities that multiply."""
    GZIP_CORRUPT = "gzip_corrupt"
    """Content-Encoding gzip around bytes that do not inflate."""
    GZIP_BOMB = "gzip_bomb"
    """A quarter of a megabyte that inflates to 256 MiB of valid JSON."""
    TOO_LARGE = "too_large"
    """16 MiB of valid JSON, not compressed."""
    LATIN1 = "latin1"
    """The answer with an accented letter in Latin-1 under a header that says UTF-8."""
    WRONG_TYPE = "wrong_type"
    """The right answer under text/html."""
    # The vendor itself.
    RES = "res"
    """The vendor's own result code ``res``, with the body that the vendor documents for it; where a vendor tells its
    refusals apart by their text, ``res`` may be the text."""


# The keywords that each fault understands; a keyword that would be ignored is refused instead.
_USES: Mapping[Fault, frozenset[str]] = {
    Fault.DRIP: frozenset({"interval"}),
    Fault.DELAY: frozenset({"delay"}),
    Fault.CUT_BODY: frozenset({"cut_at"}),
    Fault.CUT_CHUNKED: frozenset({"cut_at"}),
    Fault.CUT_CLOSE_DELIMITED: frozenset({"cut_at"}),
    Fault.STATUS: frozenset({"status", "headers", "body"}),
    Fault.RATE_LIMIT: frozenset({"retry_after", "headers", "body"}),
    Fault.REDIRECT: frozenset({"status", "location"}),
    Fault.HTML_PAGE: frozenset({"body"}),
    Fault.NAN: frozenset({"field"}),
    Fault.DUPLICATE_KEYS: frozenset({"field"}),
    Fault.HUGE_INT: frozenset({"field"}),
    Fault.RES: frozenset({"res"}),
}
_NEEDS: Mapping[Fault, str] = {Fault.STATUS: "status", Fault.DELAY: "delay", Fault.RES: "res"}


@define(eq=False)
class FaultRule:
    """One rule: which calls, which fault, and how often it still fires.

    Attributes:
        seen: matching calls so far.
        fired: calls that this rule has spoiled so far.
    """

    vendor: str
    function: str | None
    fault: Fault
    when: When
    nth: int
    times: int | None
    options: Mapping[str, Any] = field(factory=dict)
    seen: int = 0
    fired: int = 0

    def __attrs_post_init__(self) -> None:
        if self.when not in ("before", "after"):
            raise ValueError(f'when is "before" or "after", not {self.when!r}')
        if self.nth < 1 or (self.times is not None and self.times < 1):
            raise ValueError("nth and times count from 1; times=None means forever")
        given = {name for name, value in self.options.items() if value is not None}
        if unused := given - _USES.get(self.fault, frozenset()):
            raise ValueError(f"{self.fault} takes no {', '.join(sorted(unused))}")
        needed = _NEEDS.get(self.fault)
        if needed is not None and needed not in given:
            raise ValueError(f"{self.fault} needs {needed}=")

    @property
    def due(self) -> bool:
        """The rule fires on the present call, unless an earlier rule does."""
        return self.seen >= self.nth and (self.times is None or self.fired < self.times)


class FaultBook:
    """The rules of a box, in the order in which they were made.

    Every rule counts every call that matches it. The first rule that is due takes the call, so two rules
    made one after the other spoil two calls one after the other.
    """

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> FaultRule:
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        self._rules.clear()

    def take(self, vendor: str, function: str) -> FaultRule | None:
        """Count this call; give the rule that spoils it, if any."""
        taken: FaultRule | None = None
        for rule in self._rules:
            if rule.vendor != vendor or rule.function not in (None, function):
                continue
            rule.seen += 1
            if taken is None and rule.due:
                rule.fired += 1
                taken = rule
        return taken
