"""The matrix itself: each fault, how it is made, and what a call that meets it has to end in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from attrs import field, frozen

from mensasdk.sandbox import Fault

from .calls import FaultCall, Kind
from .edits import (
    as_texts,
    contradicted,
    dumped,
    other_nesting,
    repeated,
    with_nan,
    with_spoiled_id,
    without_id,
)
from .findings import Ending

__all__ = [
    "BEFORE",
    "BOX_ROWS",
    "BROKEN",
    "EDITED_ROWS",
    "REFUSED",
    "SHORT",
    "SPECIAL",
    "SPOILED",
    "WIRE_ROWS",
    "BoxRow",
    "EditedRow",
    "Row",
    "WireRow",
]

SHORT = 0.6  # seconds; the deadline of faults that only a deadline ends
ALL: tuple[Kind, ...] = ("read", "send", "change")


@frozen(kw_only=True)
class Row:
    """One fault.

    Attributes:
        title: what it is; unique.
        read: what a read has to end in.
        other: what a send or a change has to end in.
        exceptions: what a function, or all functions of a vendor, have to end in instead.
        kinds: the kinds of call that can meet it.
        note: what the reader of the table should know.
    """

    title: str
    read: Ending | None
    other: Ending
    exceptions: Mapping[str, Ending] = field(factory=dict)
    kinds: tuple[Kind, ...] = ALL
    note: str = ""

    def expected(self, call: FaultCall) -> Ending:
        usual = self.read if call.kind == "read" else self.other
        found = self.exceptions.get(call.function) or self.exceptions.get(f"{call.vendor} {call.kind}") or usual
        assert found is not None
        return found

    def meets(self, call: FaultCall) -> bool:
        return call.kind in self.kinds


@frozen(kw_only=True)
class WireRow(Row):
    """A fault of a raw server; ``fault`` is its name there."""

    fault: str


@frozen(kw_only=True)
class BoxRow(Row):
    """A fault of the sandbox.

    Attributes:
        fault: its kind.
        options: its keywords; for some vendors only, or different ones for each, in ``by_vendor``.
        whens: before or after the vendor acted. A refusal comes before, by its nature.
        times: how often it strikes.
        total: seconds, the deadline of the call.
        accepted: messages that a send makes in the end, where it is not just those of ``whens``.
        wait: seconds between one attempt and the next, where the server asks for any.
    """

    fault: Fault
    options: Mapping[str, Any] = field(factory=dict)
    by_vendor: Mapping[str, Mapping[str, Any]] | None = None
    whens: tuple[Literal["before", "after"], ...] = ("before", "after")
    times: int | None = None
    total: float = 20.0
    accepted: int | None = None
    wait: float = 0.0

    def meets(self, call: FaultCall) -> bool:
        if self.by_vendor is not None and call.vendor not in self.by_vendor:
            return False
        return call.kind in self.kinds

    def keywords(self, call: FaultCall) -> Mapping[str, Any]:
        return self.options if self.by_vendor is None else self.by_vendor[call.vendor]


@frozen(kw_only=True)
class EditedRow(Row):
    """A right answer that is changed on its way; ``edit`` gives its bytes."""

    edit: Callable[[FaultCall, Any], bytes]


# Shorthand for the tables below.

ANSWER = Ending("answer", "", 1, 1)
ODD = Ending("answer", "", 1, 1, warned=True)


def unsent(kind: str, attempts: int) -> Ending:
    return Ending(kind, "not_sent", attempts, 0)


def unknown(kind: str, requests: int = 1) -> Ending:
    return Ending(kind, "unknown", requests, requests)


def refused(kind: str, requests: int = 1) -> Ending:
    return Ending(kind, "rejected", requests, requests)


def before_leaving(title: str, fault: str, kind: str, *, attempts: int = 3, note: str = "") -> WireRow:
    """Expect that nothing has left: a send may be repeated as often as a read."""
    ending = unsent(kind, attempts)
    return WireRow(title=title, fault=fault, read=ending, other=ending, note=note)


def broken_off(title: str, fault: str, kind: str, *, repeat: bool = True, arrives: bool = True) -> WireRow:
    """Expect that bytes have left: a read is made again where that may help, and nothing else is."""
    read, other = unknown(kind, 3 if repeat else 1), unknown(kind)
    if not arrives:
        read, other = Ending(kind, "unknown", read.attempts, 0), Ending(kind, "unknown", 1, 0)
    return WireRow(title=title, fault=fault, read=read, other=other)


def spoiled(title: str, fault: Fault, kind: str, *, reads: int = 3, **more: Any) -> BoxRow:
    """Expect an answer that says nothing to rely on; the vendor may have acted or not."""
    return BoxRow(title=title, fault=fault, read=unknown(kind, reads), other=unknown(kind), **more)


def status(code: int, title: str, kind: str, outcome: str, *, reads: int = 1, **more: Any) -> BoxRow:
    """Expect an HTTP status with a page that no vendor documents."""
    options = {"status": code, "body": "<html><body>Sorry</body></html>", **more.pop("options", {})}
    whens: tuple[str, ...] = ("before",) if outcome == "rejected" else ("before", "after")
    return BoxRow(
        title=title,
        fault=Fault.STATUS,
        options=options,
        read=Ending(kind, outcome, reads, reads),
        other=Ending(kind, outcome, 1, 1),
        whens=whens,  # type: ignore[arg-type]  # a tuple of the two literals
        **more,
    )


def _kinds_of(vendor: str) -> list[str]:
    """Return all of a vendor's calls, as a row's exceptions name them."""
    return [f"{vendor} {kind}" for kind in ALL]


# --- nothing has left yet -------------------------------------------------------------------------------------------

BEFORE = (
    before_leaving("unknown host name", "unknown name", "ConnectError"),
    before_leaving("connection refused", "refused", "ConnectError"),
    before_leaving("no answer to the TCP handshake", "connect timeout", "ConnectTimeout"),
    before_leaving("silence in the TLS handshake", "TLS silence", "ConnectTimeout"),
    before_leaving(
        "silence in the TLS handshake, to the deadline", "TLS silence past the deadline", "DeadlineExceeded", attempts=1
    ),
    before_leaving("no TLS at the other end", "TLS to a plain server", "TLSError", attempts=1),
    before_leaving("certificate of an unknown authority", "TLS unknown authority", "TLSError", attempts=1),
    before_leaving("certificate for another host", "TLS wrong host", "TLSError", attempts=1),
    before_leaving("certificate expired", "TLS expired", "TLSError", attempts=1),
    before_leaving("proxy wants credentials (407)", "proxy 407", "ProxyError", attempts=1),
    before_leaving("proxy fails (502)", "proxy 502", "ProxyError"),
    before_leaving("proxy not there", "proxy refused", "ProxyError"),
    before_leaving("proxy hangs up", "proxy hangs up", "ConnectError"),
    before_leaving("proxy silent to the deadline", "proxy silence", "DeadlineExceeded", attempts=1),
    before_leaving("foreign certificate behind a proxy", "proxy, then TLS unknown authority", "TLSError", attempts=1),
    before_leaving("plain http to another machine", "plain http to elsewhere", "ConfigurationError", attempts=0),
    before_leaving("plain http through a proxy", "plain http through a proxy", "ConfigurationError", attempts=1),
)

# --- the connection, or HTTP, breaks --------------------------------------------------------------------------------

BROKEN = (
    broken_off("RST as soon as the connection stands", "rst after accept", "ConnectionLost", arrives=False),
    broken_off("FIN as soon as the connection stands", "fin after accept", "ConnectionLost", arrives=False),
    broken_off("RST instead of an answer", "rst instead of an answer", "ConnectionLost"),
    broken_off("FIN instead of an answer", "fin instead of an answer", "ConnectionLost"),
    broken_off("no answer to the deadline", "silence", "DeadlineExceeded", repeat=False),
    broken_off("the head byte by byte, past the deadline", "drip of the head", "DeadlineExceeded", repeat=False),
    broken_off("the body byte by byte, past the deadline", "drip of the body", "DeadlineExceeded", repeat=False),
    broken_off("100 Continue without end", "endless 100 Continue", "DeadlineExceeded", repeat=False),
    broken_off("half a head, then FIN", "half a head, fin", "ConnectionLost"),
    broken_off("half a head, then RST", "half a head, rst", "ConnectionLost"),
    broken_off("body shorter than its Content-Length", "short body", "ProtocolError"),
    broken_off("body shorter than its Content-Length, then RST", "short body, rst", "ProtocolError"),
    broken_off("chunked body cut", "cut chunked body", "ProtocolError"),
    broken_off("chunk with a size that is none", "malformed chunk", "ProtocolError"),
    broken_off("status line that is not HTTP", "garbage status line", "ProtocolError"),
    broken_off("two Content-Lengths that differ", "duplicate Content-Length", "ProtocolError"),
    broken_off("header of 20 kB", "20 kB header", "ProtocolError"),
    broken_off("gzip corrupt", "corrupt gzip", "ProtocolError"),
    broken_off("gzip with a wrong checksum", "corrupt gzip checksum", "ProtocolError"),
    broken_off("gzip cut", "truncated gzip", "ProtocolError"),
    broken_off("gzip with more behind it", "gzip and then more", "ProtocolError"),
    broken_off("gzip with no end behind it", "gzip and then no end", "ProtocolError"),
    broken_off("called gzip, and is not", "not gzip at all", "ProtocolError"),
    broken_off("coding that was not asked for", "unknown coding", "ProtocolError"),
    broken_off("gzip of 64 MiB", "gzip bomb", "ResponseTooLarge", repeat=False),
    broken_off("9 MiB", "too large", "ResponseTooLarge", repeat=False),
    broken_off("no end, and no Content-Length", "too large without a length", "ResponseTooLarge", repeat=False),
)
WIRE_ROWS: Sequence[WireRow] = (*BEFORE, *BROKEN)

# --- an answer comes, and cannot be relied on -------------------------------------------------------------------------

SPOILED: tuple[BoxRow, ...] = (
    spoiled("body without a length, cut", Fault.CUT_CLOSE_DELIMITED, "DecodeError"),
    spoiled("JSON cut, with a right length", Fault.BAD_JSON, "DecodeError"),
    spoiled("200 with a page", Fault.HTML_PAGE, "UnexpectedResponse", reads=2),
    spoiled("200 with an empty body", Fault.EMPTY, "UnexpectedResponse", reads=2),
    spoiled("204", Fault.NO_CONTENT, "UnexpectedResponse", reads=2),
    spoiled("a key twice, with different values", Fault.DUPLICATE_KEYS, "AmbiguousResponse", reads=1),
    spoiled(
        "NaN in the field that says success",
        Fault.NAN,
        "DecodeError",
        exceptions=dict.fromkeys(
            (
                *("GetCreditos", "creditos_disponibles", "send_cancel", "paises"),
                *("getalldevices", "gettoken", "addsms", "savetag"),
            ),
            ODD,
        ),
        note="NaN counts as nothing. Where the answer has more than that field to decide by, such as the id of what "
        "was made, a code beside the flag, or the figure that was asked for, that decides.",
    ),
    spoiled("number of 5,000 digits", Fault.HUGE_INT, "DecodeError"),
    spoiled("200,000 nested lists", Fault.DEEP_JSON, "DecodeError"),
    spoiled("XML with a DOCTYPE and entities that multiply", Fault.DOCTYPE_XML, "DecodeError"),
    spoiled("gzip of 256 MiB of valid JSON", Fault.GZIP_BOMB, "ResponseTooLarge", reads=1),
    spoiled("16 MiB of valid JSON", Fault.TOO_LARGE, "ResponseTooLarge", reads=1),
    *(
        spoiled(f"redirect {code}", Fault.REDIRECT, "UnexpectedRedirect", reads=1, options={"status": code})
        for code in (301, 302, 303, 307, 308)
    ),
    status(408, "408 with a page", "UnexpectedStatus", "unknown", reads=3),
    status(425, "425 with a page", "UnexpectedStatus", "unknown", reads=3),
    status(500, "500 with a page", "UnexpectedStatus", "unknown", reads=3),
    status(502, "502, empty", "UnexpectedStatus", "unknown", reads=3, options={"body": ""}),
    status(
        503, "503 with Retry-After", "UnexpectedStatus", "unknown", reads=3, options={"headers": {"Retry-After": "1"}}
    ),
    status(504, "504 with a page", "UnexpectedStatus", "unknown", reads=3),
    spoiled(
        "right answer, past the deadline", Fault.DELAY, "DeadlineExceeded", reads=1, options={"delay": 1.5}, total=SHORT
    ),
    BoxRow(title="right answer as text/html", fault=Fault.WRONG_TYPE, read=ODD, other=ODD, whens=("after",)),
    BoxRow(title="Latin-1 called UTF-8, in a text", fault=Fault.LATIN1, read=ODD, other=ODD, whens=("after",)),
)

# --- the vendor refuses -----------------------------------------------------------------------------------------------

_SLOW_DOWN = Ending("RateLimited", "not_sent", 3, 3)
_FAR_TOO_SLOW = Ending("RateLimited", "not_sent", 1, 1)


def limited(
    title: str, retry_after: str | int | None, ending: Ending, headers: Mapping[str, str] | None = None, **more: Any
) -> BoxRow:
    return BoxRow(
        title=title,
        fault=Fault.RATE_LIMIT,
        options={"retry_after": retry_after, "headers": headers},
        read=ending,
        other=ending,
        whens=("before",),
        **more,
    )


_SECOND = Ending("answer", "", 2, 2)
_THIRD = Ending("answer", "", 3, 3)
_LOGIN_REFUSED = Ending("AuthError", "not_sent", 1, 1)
_LOGINS: Mapping[str, Ending] = {
    "smsgateway24 send": _LOGIN_REFUSED,
    "smsgateway24 change": _LOGIN_REFUSED,
    "getalldevices": _LOGIN_REFUSED,
}
_LOGIN_AGAIN = (
    "tokens of smsgateway24 expire, so a client that can log in does so once when its token is refused, and repeats "
    "the call with the new one. Here the login is refused as well, so there is no second request, and the error is "
    "that of the login: NOT_SENT."
)
REFUSED: tuple[BoxRow, ...] = (
    limited("429 twice, Retry-After 0", 0, _THIRD, times=2, accepted=1),
    limited("429, Retry-After 1", 1, _SECOND, times=1, accepted=1, wait=1.0),
    limited(
        "429, Retry-After is a date, by a server whose clock is wrong",
        "Wed, 21 Oct 2015 07:28:01 GMT",
        _SECOND,
        headers={"Date": "Wed, 21 Oct 2015 07:28:00 GMT"},
        times=1,
        accepted=1,
        wait=1.0,
    ),
    limited("429, Retry-After is a date that has passed", "Wed, 21 Oct 2015 07:28:00 GMT", _SLOW_DOWN),
    limited("429 without Retry-After", None, _SLOW_DOWN),
    limited("429, Retry-After negative", "-5", _SLOW_DOWN),
    limited("429, Retry-After in words", "soon", _SLOW_DOWN),
    limited("429, Retry-After of 30 years", "1000000000", _SLOW_DOWN),
    limited("429, Retry-After past the deadline", 30, _FAR_TOO_SLOW),
    limited("429, Retry-After over the cap", 120, _FAR_TOO_SLOW, total=300.0),
    status(
        401,
        "401 with a page",
        "AuthError",
        "rejected",
        exceptions=_LOGINS,
        note=_LOGIN_AGAIN,
    ),
    status(403, "403 with a page", "AuthError", "rejected"),
    status(400, "400 with a firewall's page", "UnexpectedStatus", "rejected"),
    status(404, "404 with a page", "UnexpectedStatus", "rejected"),
    status(406, "406 with a firewall's page", "UnexpectedStatus", "rejected"),
    BoxRow(
        title="credentials refused, in the vendor's words",
        fault=Fault.RES,
        by_vendor={
            "mensatek": {"res": -1},
            "envia_sms": {"res": 3},
            "enviatusms": {"res": "El api_key es invalido."},
            "smsgateway24": {"res": 1},
        },
        read=refused("AuthError"),
        other=refused("AuthError"),
        exceptions=_LOGINS,
        whens=("before",),
        note=_LOGIN_AGAIN,
    ),
    BoxRow(
        title="our address is blocked",
        fault=Fault.RES,
        by_vendor={"envia_sms": {"res": 1}},
        read=refused("AddressBlocked"),
        other=refused("AddressBlocked"),
        whens=("before",),
    ),
    BoxRow(
        title="no credit left",
        fault=Fault.RES,
        by_vendor={
            "mensatek": {"res": -2},
            "envia_sms": {"res": 5},
            "enviatusms": {"res": "Balance insuficiente."},
        },
        kinds=("send",),
        read=None,
        other=refused("InsufficientCredits"),
        whens=("before",),
        note="EnvíaTuSMS publishes neither codes nor words for its refusals; under status 200 its words are taken for "
        "what they say of the balance. smsgateway24 has no credits: your phone's card pays.",
    ),
    BoxRow(
        title="a parameter is missing",
        fault=Fault.RES,
        by_vendor={
            "mensatek": {"res": -3},
            "envia_sms": {"res": 103},
            "enviatusms": {"res": 422},
            "smsgateway24": {"res": "Device not found"},
        },
        read=refused("InvalidRequest"),
        other=refused("InvalidRequest"),
        exceptions=dict.fromkeys(["GetCreditos", *_kinds_of("smsgateway24")], refused("VendorError")),
        whens=("before",),
        note="for `GetCreditos` Mensatek documents no such code, and smsgateway24 has no codes at all.",
    ),
    BoxRow(
        title="a code that the vendor does not document",
        fault=Fault.RES,
        by_vendor={
            "mensatek": {"res": -99},
            "envia_sms": {"res": 999},
            "smsgateway24": {"res": "Out of order"},
        },
        read=refused("VendorError"),
        other=refused("VendorError"),
        exceptions=dict.fromkeys(_kinds_of("envia_sms"), unknown("VendorError")),
        whens=("before",),
        note="Mensatek's negative codes are refusals whatever they are. Some of envia-sms's documented codes leave "
        "open whether an SMS went out, so a new one may, too. EnvíaTuSMS has no codes.",
    ),
)
BOX_ROWS: Sequence[BoxRow] = (*SPOILED, *REFUSED)

# --- right answers, changed on their way ------------------------------------------------------------------------------


_FOREIGN: Mapping[str, Ending] = {
    "envia_sms read": unknown("UnexpectedResponse", 2),
    "envia_sms send": unknown("UnexpectedResponse"),
    "envia_sms change": unknown("UnexpectedResponse"),
}
EDITED_ROWS: Sequence[EditedRow] = (
    EditedRow(title="a byte order mark", edit=lambda _, tree: b"\xef\xbb\xbf" + dumped(tree), read=ODD, other=ODD),
    EditedRow(title="NaN and Infinity where they decide nothing", edit=with_nan, read=ODD, other=ODD),
    EditedRow(title="a key twice, with the same value", edit=repeated(), read=ANSWER, other=ANSWER),
    EditedRow(
        title="a key twice, with different values, in 20 kB",
        edit=repeated(value=7, size=20_000),
        read=ANSWER,
        other=unknown("AmbiguousResponse"),
        note="long answers to what only reads go through a faster reader, which takes the last of two values. Answers "
        "to what sends or changes something never do.",
    ),
    EditedRow(
        title="Latin-1 called UTF-8, in an id",
        edit=with_spoiled_id,
        kinds=("send",),
        read=None,
        other=unknown("DecodeError"),
        exceptions={"addalotofsms": ANSWER},
    ),
    EditedRow(title="numbers as texts", edit=lambda _, tree: dumped(as_texts(tree)), read=ANSWER, other=ANSWER),
    EditedRow(title="a list around an object, or none", edit=other_nesting, read=ANSWER, other=ANSWER),
    EditedRow(
        title="null instead of the data",
        edit=lambda *_: b"null",
        read=unknown("DecodeError", 3),
        other=unknown("DecodeError"),
        exceptions=_FOREIGN,
        note="every answer of envia-sms has an envelope; what has none is taken for somebody else's, like a page.",
    ),
    EditedRow(
        title="an empty object",
        edit=lambda *_: b"{}",
        read=unknown("DecodeError", 3),
        other=unknown("DecodeError"),
        exceptions=_FOREIGN,
        note="likewise.",
    ),
    EditedRow(
        title="success without an id",
        edit=without_id,
        kinds=("send",),
        read=None,
        other=unknown("DecodeError"),
        exceptions={"addalotofsms": ANSWER},
        note="`addalotofsms` never answers with ids; its messages are found by the reference that they are given.",
    ),
    EditedRow(
        title="success and failure at once",
        edit=contradicted,
        read=refused("VendorError"),
        other=unknown("AmbiguousResponse"),
        exceptions={
            "creditos_disponibles": ODD,
            "paises": ODD,
            "GetCreditos": unknown("AmbiguousResponse"),
            "addalotofsms": refused("VendorError"),
        },
        note="envia-sms's own sample of `paises` is such an answer, so what only reads or lists is believed there when "
        "it has data. At EnvíaTuSMS and smsgateway24 the flag for errors is the only verdict on a read. "
        "`addalotofsms` has nothing in its answers but that flag, which then speaks alone.",
    ),
)

# --- what takes a script of its own: see test_fault_moments.py --------------------------------------------------------

SPECIAL: Mapping[str, Row] = {
    row.title: row
    for row in (
        Row(
            title="no free connection to the deadline",
            read=unsent("PoolTimeout", 1),
            other=unsent("PoolTimeout", 1),
        ),
        Row(
            title="the rate limiter holds on, past the deadline",
            read=unsent("DeadlineExceeded", 1),
            other=unsent("DeadlineExceeded", 1),
        ),
        Row(
            title="cancelled while connecting",
            read=unsent("CancelledError", 1),
            other=unsent("CancelledError", 1),
        ),
        Row(
            title="cancelled in the rate limiter",
            read=unsent("CancelledError", 1),
            other=unsent("CancelledError", 1),
        ),
        Row(
            title="cancelled with the request under way",
            read=unknown("CancelledError"),
            other=unknown("CancelledError"),
        ),
        Row(
            title="FIN on a connection that was kept open",
            read=unknown("ConnectionLost", 3),
            other=unknown("ConnectionLost"),
        ),
        Row(
            title="body without a length, cut at any byte",
            read=None,
            other=unknown("DecodeError"),
            kinds=("send", "change"),
            note="JSON and XML. Mensatek's TXT has no sign of its end: cut between two lines it is what has come by "
            "then, of which each value is whole, and it accepts nothing before the id has come.",
        ),
    )
}
