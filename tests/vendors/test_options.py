"""One thing has one name, whichever vendor it is for, in the options, the clients and the command."""

from __future__ import annotations

import inspect

import attrs
import pytest

from mensasdk.registry import VendorInfo, load, vendors


@pytest.mark.parametrize("info", vendors().values(), ids=lambda info: info.name)
def test_an_option_of_the_command_is_an_argument_of_the_same_name(info: VendorInfo) -> None:
    takes = {
        "client": set(inspect.signature(load(info.client)).parameters),
        "options": {field.name for field in attrs.fields(load(info.options_class or ""))},
    }
    assert not [one.name for one in info.options if one.name not in takes[one.passed_to]]


@pytest.mark.parametrize("info", vendors().values(), ids=lambda info: info.name)
def test_no_vendor_has_a_word_of_its_own_for_what_others_have(info: VendorInfo) -> None:
    client = load(info.client)
    names = {field.name for field in attrs.fields(load(info.options_class or ""))}
    for name, method in inspect.getmembers(client, inspect.isfunction):
        if not name.startswith("_"):
            names |= set(inspect.signature(method).parameters)
    assert not names & {"ucs2", "allow_duplicate", "duplicates", "permitir_duplicados", "timetosend"}
