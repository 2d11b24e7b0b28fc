"""What is unknown in a campaign: read from the journal, shown, written to a file, and what a person can do about it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import click
from attrs import field, frozen
from click.core import ParameterSource
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mensasdk.cli.commands.recorded import recorded_campaign
from mensasdk.cli.input.rows import masked
from mensasdk.cli.show.output import Output
from mensasdk.cli.show.tables import MEANING, text_table
from mensasdk.journal import Record, SqliteJournal, State
from mensasdk.journal.protocol import outcome_of
from mensasdk.phone import mask

__all__ = [
    "LIST_COLUMNS",
    "Listed",
    "again",
    "in_doubt",
    "list_doubts",
    "print_list",
    "print_steps",
    "to_decide",
    "vendor_of",
]

LIST_COLUMNS: Final = ("campaign", "number", "reference", "vendor", "request", "sent_at", "code", "detail")
_SHOWN: Final = 50
_AT_ONCE: Final = 1000
_DOUBTFUL: Final = frozenset({State.UNKNOWN})


async def in_doubt(journal: SqliteJournal, campaign: str) -> AsyncGenerator[Record, None]:
    """Give what is UNKNOWN in a campaign, and with it what a dead process left under way.

    Raises:
        ConfigurationError: there is no such campaign, or somebody is sending it.
        JournalError: the journal cannot be read.
    """
    await recorded_campaign(journal, campaign)
    # Only the owner of a campaign can tell that nobody is at it any more.
    await journal.open(campaign, create=False)
    await journal.close(campaign)
    after = -1
    while records := await journal.read(campaign, after=after, limit=_AT_ONCE, states=_DOUBTFUL):
        after = records[-1].seq
        for record in records:
            yield record


def vendor_of(record: Record) -> str:
    """Whom its request was for; empty where nobody said."""
    return outcome_of(record, "").vendor


@frozen
class Listed:
    """What is unknown in a campaign, as a terminal may show it.

    Attributes:
        campaign: its id.
        total: how many messages.
        vendors: how many of which vendor.
        codes: how many under which code.
        words: what the codes mean.
        shown: one row each, by `LIST_COLUMNS`; numbers masked unless wanted otherwise.
    """

    campaign: str
    total: int
    vendors: Counter[str]
    codes: Counter[str]
    words: dict[str, str]
    shown: Sequence[dict[str, Any]] = field(repr=False)

    @property
    def exit_code(self) -> int:
        return 3 if self.total else 0

    def as_json(self) -> dict[str, Any]:
        """The list as one object."""
        return {
            "campaign": self.campaign,
            "unknown": self.total,
            "vendors": dict(self.vendors),
            "by_code": dict(self.codes),
            "messages": list(self.shown),
            "exit_code": self.exit_code,
        }


async def list_doubts(
    journal: SqliteJournal, campaign: str, output: Output | None, *, whole: bool, show_numbers: bool
) -> Listed:
    """Read what is unknown, and write it to a file.

    Args:
        journal: where it stands.
        campaign: its id.
        output: a file with `LIST_COLUMNS`, which gets the numbers in full; None for none.
        whole: keep every row for the terminal, and not the first ones only.
        show_numbers: do not mask the numbers that are kept.

    Raises:
        ConfigurationError: as `in_doubt`.
        JournalError: as `in_doubt`.
        OSError: the file cannot be written.
    """
    vendors: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    words: dict[str, str] = {}
    shown: list[dict[str, Any]] = []
    async with aclosing(in_doubt(journal, campaign)) as records:
        async for record in records:
            row = _row(campaign, record)
            if output is not None:
                output.write(*row.values())
            vendors[row["vendor"]] += 1
            codes[row["code"]] += 1
            words.setdefault(row["code"], masked(row["detail"]))
            if whole or len(shown) < _SHOWN:
                if not show_numbers:
                    row |= {"number": mask(row["number"]), "detail": masked(row["detail"])}
                shown.append(row)
    return Listed(campaign, vendors.total(), vendors, codes, words, shown)


def _row(campaign: str, record: Record) -> dict[str, Any]:
    outcome = outcome_of(record, "")
    moment = None if record.claimed_at is None else record.claimed_at.astimezone(UTC).isoformat(timespec="seconds")
    cells = (
        campaign,
        record.number,
        record.message.reference,
        outcome.vendor,
        record.request,
        moment,
        outcome.code or "",
        outcome.detail,
    )
    return dict(zip(LIST_COLUMNS, cells, strict=True))


def print_list(console: Console, listed: Listed) -> None:
    """The first of what is unknown, and what its codes mean."""
    console.print()
    console.print(_table(listed.shown))
    if listed.total > len(listed.shown):
        rest = listed.total - len(listed.shown)
        console.print(Text(f"  … and {rest:,} more; --output lists them all", style="dim"))
    legend = text_table("code", "messages", "meaning", space=1)
    legend.columns[1].justify = "right"
    for code, count in sorted(listed.codes.items(), key=lambda pair: (-pair[1], pair[0])):
        legend.add_row(Text(code[:30]), f"{count:,}", Text(MEANING.get(code, listed.words[code])[:200]))
    console.print()
    console.print(legend)


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    with_reference = any(row["reference"] for row in rows)
    names = ("number", *(("reference",) if with_reference else ()), "vendor", "request", "went out (UTC)", "code")
    table = text_table(*names, space=1)
    for row in rows:
        moment = (row["sent_at"] or "").replace("T", " ").removesuffix("+00:00")
        middle = (masked(row["reference"] or "")[:20],) if with_reference else ()
        table.add_row(
            *(Text(cell) for cell in (row["number"], *middle, row["vendor"], masked(row["request"] or "")[:30])),
            Text(moment, style="dim"),
            Text(row["code"][:30], style="magenta"),
        )
    return table


# ------------------------------------------------------------------------------------------------------ what to do


def again(*extra: str, without: Sequence[str] = ()) -> str:
    """The command that is running, with the arguments that it was given, to be typed once more.

    Args:
        extra: further arguments.
        without: names of parameters to leave out.
    """
    context = click.get_current_context()
    words: list[str] = []
    arguments: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in without or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = context.params[name]
        if isinstance(parameter, click.Argument):
            arguments.append(str(value))
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            for one in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[0], str(one)]
    return shlex.join(["mensasdk", context.info_name or "", *arguments, *words, *extra])


def print_steps(console: Console, steps: Sequence[tuple[str, str]]) -> None:
    """What a person can do next: a few words, and the command for it, whole so that it can be copied."""
    for line in _lines(steps):
        console.print(line, soft_wrap=True)


def _lines(steps: Sequence[tuple[str, str]]) -> Iterator[Text]:
    for words, command in steps:
        yield Text(f"  {words}", style="dim")
        yield Text(f"    {command}")


def to_decide(campaign: str, journal: Path, listed: Path | None) -> Sequence[tuple[str, str]]:
    """How a person decides: see who it is, and say what became of them.

    Args:
        campaign: its id.
        journal: the file.
        listed: the list, if it has been written already.
    """
    about = [campaign, "--journal", str(journal)]
    name = listed or Path("unknown.csv")
    wanted = [] if listed else [
        ("See who it is:", shlex.join(["mensasdk", "reconcile", *about, "--list", "--output", str(name)])),
    ]  # fmt: skip
    return [
        *wanted,
        (
            "Decide, for whoever is left in that file: accepted, rejected, or not-sent, and resume sends to them:",
            shlex.join(["mensasdk", "mark", "accepted", *about, "--from", str(name)]),
        ),
    ]
