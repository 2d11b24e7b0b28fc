"""The examples of ``docs/hours.md`` print what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from phonenumbers import PhoneNumberFormat, PhoneNumberType, example_number_for_type, format_number

from mensasdk.preflight.zones import time_zones

PAGE = Path(__file__).parents[2] / "docs" / "hours.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_examples_are_true() -> None:
    blocks = re.findall(r"^```python\n(>>>.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) >= 25
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not failed, "".join(said)


def test_the_countries_of_the_table_are_those_whose_mobiles_do_not_tell_their_zone() -> None:
    for country in re.findall(r"`([A-Z]{2})`", TEXT[TEXT.index("| country |") : TEXT.index("Russia spans")]):
        mobile = example_number_for_type(country, PhoneNumberType.MOBILE)
        assert mobile is not None
        assert len(time_zones(format_number(mobile, PhoneNumberFormat.E164))) > 1, country
