"""The tables of the document: which rows stand in which, and those that are no cells of the matrix."""

from __future__ import annotations

from collections.abc import Sequence

from .findings import FINDINGS, Table
from .rows import BEFORE, BOX_ROWS, BROKEN, EDITED_ROWS, REFUSED, SPECIAL, SPOILED, WIRE_ROWS

__all__ = ["CAMPAIGNS", "CLOCKS", "MEMORY"]

CAMPAIGNS: Sequence[str] = (
    "the first answer is lost (RST after the vendor acted)",
    "a silent vendor, at the first request",
    "credentials refused",
    "our address is blocked",
    "the credit runs out at the second request",
    "a redirect",
    "certificate of an unknown authority",
    "the journal cannot be written",
    "the journal's file has become read-only",
    "the journal's file stays locked",
    "cancelled with the second request under way",
    "the vendor drops one of a request, and says only how many",
    "the vendor ignores one of a request, and spells it in its own way",
)

CLOCKS: Sequence[str] = (
    "a read is repeated, and the clock is set",
    "a send is told to come back later, and the clock is set",
    "a send waits for its answer to the deadline, and the clock is set",
    "a campaign waits for its limiter, and the clock is set",
    "a schedule that the caller's clock leaves out",
    "a schedule in the hour that the caller's clock has twice, either one",
    "a schedule in the hour that the vendor's clock has twice, either one",
)

MEMORY: Sequence[str] = (
    "gzip of 64 MiB",
    "gzip of 256 MiB of valid JSON",
    "16 MiB of valid JSON",
    "no end, and no Content-Length",
    "header of 20 kB",
    "a body without end, byte by byte",
    "a body without end, in pieces of 64 kB",
    "200,000 nested lists",
    "number of 5,000 digits",
    "XML with a DOCTYPE and entities that multiply",
)

_TITLES = list(SPECIAL)
FINDINGS.tables["Campaigns"] = Table(
    "The same through `BatchSender`, one message in a request and one request at a time, with three messages.\nEach "
    "vendor's cell counts the outcomes, the requests that arrived, and the messages that the vendor accepted.\nWhere "
    "the campaign was cancelled the outcomes are those in its journal, which knows nothing of what was not read\nby "
    "then. The last two rows have all three messages in one request.",
    CAMPAIGNS,
)
FINDINGS.tables["Clocks"] = Table(
    "The clock of the machine is set an hour on, and an hour back, while a request is under way and while the next\n"
    "one waits, and what is found is the same as without. A schedule is a moment; where a vendor's clock cannot name\n"
    "it, it is refused. smsgateway24's clock is UTC, which names every moment, and so does envia-sms's by the\n"
    "document (UTC-5): its cell is for an account on a clock that changes, `EnviaSmsClient(time_zone=...)`.\n"
    "EnvíaTuSMS sends at once only.",
    CLOCKS,
)
FINDINGS.tables["Memory"] = Table(
    "What Python holds during one answer to a send stays below 40 MB (the cap on an answer is 8 MiB), and after\n"
    "twelve more answers of the kind, three by each vendor, no more is held than before them. The vendors are another\n"
    "process here.",
    [f"{row}: memory" for row in MEMORY],
)
FINDINGS.sections.update(
    {
        "Nothing has left yet": [row.title for row in BEFORE] + _TITLES[:4],
        "The connection, or HTTP itself, breaks": [row.title for row in BROKEN] + _TITLES[4:],
        "An answer comes, and something is wrong with it": [row.title for row in (*SPOILED, *EDITED_ROWS)],
        "The vendor refuses": [row.title for row in REFUSED],
    }
)
FINDINGS.notes.update(
    {row.title: row.note for row in (*WIRE_ROWS, *BOX_ROWS, *EDITED_ROWS, *SPECIAL.values()) if row.note}
)
