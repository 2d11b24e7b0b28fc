"""``mensasdk segments``: the count, the carets, and what a vendor makes of a text."""

from __future__ import annotations

import json

import pytest
from cli_support import invoke, one_line
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from mensasdk import MensatekClient
from mensasdk.cli.show.segments import print_text
from mensasdk.cli.work.segments import look
from mensasdk.registry import vendors
from mensasdk.text import Encoding, segments, to_gsm


def shown(text: str, *options: str, **variables: str) -> str:
    return invoke("segments", text, *options, **{"COLUMNS": "80", **variables}).stdout


def printed(text: str, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        print_text(console, look(text))
    return capture.get()


def test_a_plain_text_is_told_in_one_line() -> None:
    assert shown("Hola") == "  GSM-7 · 1 SMS part · 4 septets of 7 bits, 156 left in the last part\n"


def test_carets_stand_under_what_forces_unicode() -> None:
    lines = shown("Señor García, está aquí").splitlines()
    text = lines.index("  Señor García, está aquí")
    assert lines[text + 1] == "            ^      ^    ^"


def test_carets_are_as_wide_as_the_characters_over_them() -> None:
    lines = shown("漢字 😀 así").splitlines()
    text = lines.index("  漢字 😀 así")
    assert lines[text + 1] == "  ^^^^ ^^   ^"


def test_what_cannot_be_seen_has_a_place_and_a_name() -> None:
    found = shown("a\u200db\tc e\u0301")
    lines = found.splitlines()
    text = lines.index("  a□b□c e\N{DOTTED CIRCLE}\u0301")
    assert lines[text + 1] == "   ^ ^   ^"
    for name in ("U+200D ZERO WIDTH JOINER", "U+0009 control character", "U+0301 COMBINING ACUTE ACCENT"):
        assert name in found


def test_of_a_long_text_the_lines_with_carets_are_shown() -> None:
    lines = printed("a" * 200 + "\n" + "b" * 30 + "á" + "c" * 60, width=40).splitlines()
    assert "  " + "b" * 30 + "á" + "c" * 7 in lines
    assert not any("a" * 20 in line for line in lines[1 : lines.index("  Brought into GSM-7, it saves 3 of 5 parts:")])


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200), st.integers(24, 120))
def test_every_character_that_forces_unicode_has_carets_under_it_within_the_width(text: str, width: int) -> None:
    lines = printed(text, width).splitlines()
    found = segments(text)
    carets = [line for line in lines if line.strip() and set(line) <= {" ", "^"}]
    if not found.forced_by:
        assert not carets
        return
    assert sum(line.count("^") for line in carets) >= len(found.forced_by)
    for line in carets:
        above = lines[lines.index(line) - 1]
        assert cell_len(line) <= max(cell_len(above), width)
    assert all(line.isprintable() for line in lines)


def test_what_gsm_would_change_and_save() -> None:
    found = one_line(shown("á" * 75))
    assert "UCS-2 · 2 SMS parts · 75 units of 16 bits, 59 left in the last part" in found
    assert "Brought into GSM-7, it saves 1 of 2 parts:" in found
    assert "á → a" in found
    assert "GSM-7 · 1 SMS part · 75 septets of 7 bits, 85 left in the last part" in found
    assert "saves no part" in shown("á")
    assert "takes 1 more, since it is longer" in shown("…" * 70)


@pytest.mark.parametrize(
    ("vendor", "words"),
    [
        ("mensatek", 'Through Mensatek the handset shows: Senora "Maria"'),
        ("enviatusms", "Through EnvíaTuSMS the handset shows: Senora “Maria”"),
        ("smsgateway24", "SmsGateWay24 sends it as it is."),
        ("envia_sms", "envia-sms.com sends it as it is."),
    ],
)
def test_each_vendor_shows_what_it_makes_of_a_text(vendor: str, words: str) -> None:
    text = "Sen\u0303ora “María”" if vendor == "enviatusms" else "Senora “María”"
    assert words in one_line(shown(text, "--vendor", vendor))


def test_every_vendor_of_the_command_has_a_rule() -> None:
    for vendor in vendors():
        assert json.loads(shown("hola", "--vendor", vendor, "--json"))["vendor"]["name"] == vendor


def test_what_a_vendor_does_not_take_is_1_with_its_reason() -> None:
    result = invoke("segments", "a" * 161, "--vendor", "enviatusms")
    assert result.exit_code == 1
    assert "EnvíaTuSMS does not take it: text has 161 characters" in one_line(result.stdout)
    told = invoke("segments", "a" * 161, "--vendor", "enviatusms", "--json")
    assert told.exit_code == 1
    assert "161 characters" in json.loads(told.stdout)["vendor"]["refused"]


def test_unicode_that_is_asked_for_is_counted_as_such() -> None:
    found = json.loads(shown("a" * 71, "--unicode", "--vendor", "mensatek", "--json"))
    assert (found["encoding"], found["parts"], found["forced_by"]) == ("UCS-2", 2, [])
    assert (found["gsm"]["parts"], found["vendor"]["parts"]) == (1, 2)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_program_reads_the_same_figures(text: str) -> None:
    told, found, plain = look(text, MensatekClient.text_rule).as_json(), segments(text), to_gsm(text)
    assert (told["encoding"], told["parts"], told["units"], told["remaining"]) == (
        found.encoding.value, found.parts, found.units, found.remaining,
    )  # fmt: skip
    assert tuple((one["position"], one["character"]) for one in told["forced_by"]) == found.forced_by
    assert (told["gsm"]["text"], told["gsm"]["encoding"]) == (plain.text, Encoding.GSM.value)
    if not text.isspace():
        assert told["vendor"]["text"] == plain.text
    json.dumps(told)


@pytest.mark.parametrize(
    ("given", "text"), [(b"hola\n", "hola"), ("\ufeffestá\r\n".encode(), "está"), (b"", ""), (b"a\n\n", "a\n")]
)
def test_a_hyphen_reads_standard_input_without_its_last_line_end(given: bytes, text: str) -> None:
    result = invoke("segments", "-", "--json", keyboard=given.decode())
    assert json.loads(result.stdout)["units"] == segments(text).units
    assert json.loads(result.stdout)["gsm"]["text"] == to_gsm(text).text


def test_what_is_no_text_is_refused_in_a_sentence() -> None:
    from click.testing import CliRunner

    from mensasdk.cli.app import cli

    result = CliRunner().invoke(cli, ["segments", "-"], input=b"\xff\xfe")
    assert (result.exit_code, "not UTF-8" in result.stderr) == (2, True)
    result = CliRunner().invoke(cli, ["segments", "-"], input=b"a" * ((1 << 20) + 1))
    assert (result.exit_code, "larger than a megabyte" in result.stderr) == (2, True)
    result = CliRunner().invoke(cli, ["segments", "\ud83d"])
    assert (result.exit_code, "surrogate" in result.stderr) == (2, True)


def test_nothing_that_a_terminal_obeys_is_shown_to_it() -> None:
    for options in ((), ("--vendor", "mensatek"), ("--vendor", "smsgateway24")):
        found = shown("\x1b[31má\x07\u202e", *options)
        assert found
        assert not set("\x1b\x07\u202e") & set(found)
