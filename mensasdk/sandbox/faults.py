"""Faults that a sandbox can produce, and the rules that say which requests they spoil."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from attrs import define, field

__all__ = ["Fault", "FaultBook", "FaultRule", "When"]

When = Literal["before", "after"]


class Fault(StrEnum):
    """Faults that a sandbox can produce on purpose."""

    # The connection.
    RESET = "reset"
    """TCP reset (RST) instead of an answer."""
    CLOSE = "close"
    """Orderly close (FIN) instead of an answer."""
    HANG = "hang"
    """No answer until the client gives up or the sandbox closes."""
    DRIP = "drip"
    """The answer one byte at a time, ``interval`` seconds apart (0.05 by default)."""
    DELAY = "delay"
    """The right answer after ``delay`` seconds; the request takes effect even if the client has gone."""
    # Cut and broken HTTP. The three cuts take ``cut_at``, the count of body bytes to send; the default is half of them.
    CUT_BODY = "cut_body"
    """A body shorter than its Content-Length."""
    CUT_CHUNKED = "cut_chunked"
    """A chunked body that ends inside a chunk."""
    CUT_CLOSE_DELIMITED = "cut_close_delimited"
    """A body without a length, ended by closing the connection too early."""
    GARBAGE = "garbage"
    """Bytes that are not HTTP."""
    DUPLICATE_LENGTH = "duplicate_length"
    """Two Content-Length headers that disagree."""
    HUGE_HEADER = "huge_header"
    """A header of 20 kB."""
    # Well-formed HTTP that is not an answer of the vendor.
    EMPTY = "empty"
    """HTTP 200 without a body."""
    NO_CONTENT = "no_content"
    """HTTP 204, which has no body."""
    HTML_PAGE = "html_page"
    """HTTP 200 with an HTML login page, or with ``body``."""
    STATUS = "status"
    """The HTTP ``status`` given, with optional ``headers`` and ``body``."""
    RATE_LIMIT = "rate_limit"
    """HTTP 429, with optional ``retry_after`` (the Retry-After header), ``headers`` and ``body``."""
    REDIRECT = "redirect"
    """A redirect with ``status`` (default 302) to ``location`` (default: a path on the same sandbox)."""
    # Hostile bodies. The faults that spoil one field take ``field``; the default is the field that says success.
    BAD_JSON = "bad_json"
    """JSON without its last bytes, under a Content-Length that is right for what is sent."""
    NAN = "nan"
    """JSON with NaN in ``field`` and Infinity beside it."""
    DUPLICATE_KEYS = "duplicate_keys"
    """JSON that names ``field`` twice with different values."""
    DEEP_JSON = "deep_json"
    """200,000 nested lists."""
    HUGE_INT = "huge_int"
    """JSON with an integer of 5,000 digits in ``field``."""
    DOCTYPE_XML = "doctype_xml"
    """XML with a DOCTYPE and nested entities that expand to a huge text (an entity bomb)."""
    GZIP_CORRUPT = "gzip_corrupt"
    """Content-Encoding gzip with bytes that cannot be decompressed."""
    GZIP_BOMB = "gzip_bomb"
    """A quarter of a megabyte of gzip that decompresses to 256 MiB of valid JSON."""
    TOO_LARGE = "too_large"
    """16 MiB of valid JSON, uncompressed."""
    LATIN1 = "latin1"
    """The answer with an accented letter in Latin-1, under a header that says UTF-8."""
    WRONG_TYPE = "wrong_type"
    """The right answer with Content-Type text/html."""
    # Refusals by the vendor.
    RES = "res"
    """A refusal with the vendor's result code ``res`` and the body that the vendor documents for it. For a vendor whose
    refusals differ by their text only, ``res`` may be the text."""


# The options of each fault. An option that would be ignored is refused.
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
    """Rule that a fault spoils some requests to a vendor.

    Attributes:
        vendor: the vendor's short name.
        function: the vendor's function; None for every function.
        fault: the fault.
        when: ``"before"`` or ``"after"`` the vendor acts on the request, as in `Sandbox.fail`.
        nth: position of the first matching request to spoil, from 1.
        times: count of requests to spoil; None for no limit.
        options: the options of the fault by name.
        seen: count of matching requests so far.
        fired: count of requests that this rule has spoiled so far.
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
            raise ValueError(f'when must be "before" or "after", not {self.when!r}')
        if self.nth < 1 or (self.times is not None and self.times < 1):
            raise ValueError("nth and times must be at least 1; times=None spoils every request from the nth on")
        given = {name for name, value in self.options.items() if value is not None}
        if unused := given - _USES.get(self.fault, frozenset()):
            raise ValueError(f"the fault {self.fault} takes no {', '.join(sorted(unused))}; leave it out")
        needed = _NEEDS.get(self.fault)
        if needed is not None and needed not in given:
            raise ValueError(f"the fault {self.fault} needs {needed}=")

    @property
    def due(self) -> bool:
        """Tell whether the rule may fire on the request that it counted last."""
        return self.seen >= self.nth and (self.times is None or self.fired < self.times)


class FaultBook:
    """Fault rules of a sandbox, in the order in which they were added.

    Every rule counts every request that matches it. Of the rules that are due, only the first one spoils the request.
    So two rules added in a row spoil two requests in a row.
    """

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> FaultRule:
        """Add a rule, and return it."""
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Remove all rules."""
        self._rules.clear()

    def take(self, vendor: str, function: str) -> FaultRule | None:
        """Count a request, and return the rule that spoils the request, or None."""
        taken: FaultRule | None = None
        for rule in self._rules:
            if rule.vendor != vendor or rule.function not in (None, function):
                continue
            rule.seen += 1
            if taken is None and rule.due:
                rule.fired += 1
                taken = rule
        return taken
