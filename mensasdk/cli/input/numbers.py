"""Read the numbers whose messages a person marks: given one by one, or in a file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import frozen

from mensasdk.campaign import unguard_cell
from mensasdk.cli.input.rows import Table, open_table
from mensasdk.cli.masking import masked
from mensasdk.errors import ConfigurationError, ValidationError
from mensasdk.phone import parse
from mensasdk.preflight.optout import NUMBER_NAMES, fold_name

__all__ = ["Named", "read_numbers"]


@frozen
class Named:
    """Numbers whose messages a person marks.

    Attributes:
        numbers: the numbers in E.164, and how often each was given.
        by_message: whether each number stands for one message (a row of a file), and not for all of its messages.
    """

    numbers: Counter[str]
    by_message: bool = False


def read_numbers(given: Sequence[str], file: Path | None, campaign: str, country: str | None) -> Named:
    """Read the numbers that were given, or those of a file.

    Args:
        given: the values of ``--number``.
        file: a file of `reconcile --list --output`, or a number in each line; None to take ``given``.
        campaign: the campaign that the rows of the file have to belong to.
        country: country of national numbers; None to take international numbers only.

    Raises:
        ConfigurationError: the file cannot be read or is of another campaign, or a number cannot be read.
    """
    if file is None:
        return Named(Counter(_parsed(number, "--number", country) for number in given))
    table = open_table(file)
    names = [fold_name(column) for column in table.columns]
    place = next((names.index(name) for name in NUMBER_NAMES if name in names), None)
    if place is None:
        if len(names) > 1:
            shown = ", ".join(masked(column)[:40] for column in table.columns[:30])
            raise ConfigurationError(f"{file} has no column named number (there are: {shown})")
        # One number in each line, without a header.
        return Named(Counter(_parsed(row[0], f"line {line}", country) for line, row in _rows(table)))
    ours = names.index("campaign") if "campaign" in names else None
    numbers: Counter[str] = Counter()
    for line, row in _rows(table):
        if line == 1:
            continue
        if ours is not None and len(row) > ours and unguard_cell(row[ours].strip()) != campaign:
            raise ConfigurationError(f"{file}, line {line}: it belongs to another campaign; nothing was marked")
        if len(row) <= place:
            raise ConfigurationError(f"{file}, line {line}: it has no number; nothing was marked")
        numbers[_parsed(row[place], f"line {line}", country)] += 1
    return Named(numbers, by_message=ours is not None)


def _rows(table: Table) -> Iterable[tuple[int, list[str]]]:
    with table.path.open(encoding=table.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=table.delimiter, strict=True)
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row


def _parsed(number: str, field: str, country: str | None) -> str:
    try:
        return parse(unguard_cell(number.strip()), default_country=country, field=field).e164
    except ValidationError as error:
        refusal = error
    if refusal.missing == "default_country":
        remedy = "correct it, or give --default-country for a national number; nothing was marked"
    else:
        remedy = f"{refusal.remedy}; nothing was marked"
    raise ConfigurationError(refusal.problem, subject=refusal.subject, remedy=remedy, field=refusal.field)
