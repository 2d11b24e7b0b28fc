"""Write the list of the demo, as a Spanish spreadsheet would, with the faults that such lists have."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Final

from attrs import frozen

from mensasdk.phone import digits

__all__ = ["HOME", "People", "make_people", "number_of"]

HOME: Final = "ES"
NAMES: Final = (
    "Begoña", "Íñigo", "José", "María", "Núria", "Raúl", "Sofía", "Ángel", "Iñaki", "Lucía", "Martín", "Chloë",
    "Óscar", "Ainhoa", "Joaquín", "Mónica", "Andrés", "Zoe", "Víctor", "Yolanda",
)  # fmt: skip
DAYS: Final = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado")
# Cells that are no phone number.
BAD_CELLS: Final = ("", "60012", "no tiene", "+34 6", "12345678901234567", "600-12-34", "699 999 99")

# Percent of the people; the rest is in Spain. Few where each message takes a request of its own.
_VENEZUELA, _MEXICO, _ELSEWHERE = 18, 4, 6
_MOBILES_VE: Final = ("412", "414", "416", "424", "426")
# Calling code, and the range of national numbers.
_OTHERS: Final = (
    ("351", 910_000_000, 969_999_999),
    ("39", 3_200_000_000, 3_499_999_999),
    ("33", 600_000_000, 699_999_999),
)


@frozen
class People:
    """The list of the demo.

    Attributes:
        path: the CSV file.
        unwilling: Spanish numbers on the vendor's blacklist, digits only.
        spain, venezuela, mexico, elsewhere: count of the different numbers of each.
    """

    path: Path
    unwilling: frozenset[str]
    spain: int
    venezuela: int
    mexico: int
    elsewhere: int


def make_people(path: Path, rows: int, seed: int) -> People:
    """Write a list as a Spanish spreadsheet would: semicolons, a byte order mark, numbers in every spelling.

    About one row in a hundred has no number, as many repeat another row, and some people do not want messages.

    Args:
        path: the file to write.
        rows: count of the rows.
        seed: the same seed makes the same list.
    """
    pick = random.Random(seed)
    bad = max(3, rows // 100)
    doubled = max(2, rows // 100)
    good = rows - bad - doubled
    venezuela, mexico, elsewhere = (good * share // 100 for share in (_VENEZUELA, _MEXICO, _ELSEWHERE))
    spain = good - venezuela - mexico - elsewhere
    numbers = [
        *(("34", number) for number in _spanish(pick, spain)),
        *(("58", number) for number in _venezuelan(pick, venezuela)),
        *(("52", number) for number in _mexican(pick, mexico)),
        *_elsewhere(pick, elsewhere),
    ]
    unwilling = frozenset(f"34{number}" for _, number in pick.sample(numbers[:spain], max(2, rows // 200)))
    table = [_person(pick, _spelled(pick, *number)) for number in numbers]
    # A duplicate has the same number in another spelling.
    table += [[_spelled(pick, *numbers[place]), *table[place][1:]] for place in pick.sample(range(good), doubled)]
    table += [_person(pick, pick.choice(BAD_CELLS)) for _ in range(bad)]
    pick.shuffle(table)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Teléfono", "Nombre", "Cita", "Código"])
        writer.writerows(table)
    return People(path, unwilling, spain, venezuela, mexico, elsewhere)


def number_of(cell: str) -> str:
    """Return the number of a cell as a ledger writes it, digits only; a cell that is no number is returned as it is."""
    try:
        return digits(cell, default_country=HOME)
    except ValueError:
        return cell


def _spanish(pick: random.Random, count: int) -> list[str]:
    """Make mobile numbers, and a few landlines."""
    mobiles = pick.sample(range(600_000_000, 690_000_000), count - count // 50)
    return [str(number) for number in (*mobiles, *pick.sample(range(910_000_000, 919_999_999), count // 50))]


def _venezuelan(pick: random.Random, count: int) -> list[str]:
    """Make mobile numbers, and a few landlines, which the vendor ignores."""
    lines = -(-count // 100)
    ends = pick.sample(range(2_000_000, 9_999_999), count)
    return [f"{pick.choice(_MOBILES_VE) if index >= lines else '212'}{end}" for index, end in enumerate(ends)]


def _mexican(pick: random.Random, count: int) -> list[str]:
    """Make numbers that do not end in 99: the emulated vendor knows no status of such numbers."""
    return [f"{start}{pick.randrange(99):02}" for start in pick.sample(range(55_100_000, 55_899_999), count)]


def _elsewhere(pick: random.Random, count: int) -> list[tuple[str, str]]:
    found = []
    for index, (code, first, last) in enumerate(_OTHERS):
        some = (count + index) // len(_OTHERS)
        found += [(code, str(number)) for number in pick.sample(range(first, last), some)]
    return found


def _person(pick: random.Random, number: str) -> list[str]:
    time = f"{pick.choice(DAYS)} {pick.randint(1, 30)} a las {pick.randint(9, 19)}:{pick.choice(('00', '30'))}"
    return [number, pick.choice(NAMES), time, f"{pick.randrange(36**4):04d}"]


def _spelled(pick: random.Random, code: str, number: str) -> str:
    """Spell a number in one of the common ways: with its calling code, or a Spanish one also without."""
    spaced = f"{number[:3]} {number[3:5]} {number[5:7]} {number[7:]}"
    abroad = (f"+{code}{number}", f"+{code} {spaced}", f"00{code}{number}", f"+{code}-{spaced.replace(' ', '-')}")
    return pick.choice((*abroad, number, spaced, spaced.replace(" ", "-")) if code == "34" else abroad)
