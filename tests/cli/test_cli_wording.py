"""What the library refuses is said in terms of the command: its options, and no Python parameter."""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from cli_support import invoke, unknown_campaign, write_rows

from mensasdk import ConfigurationError, ValidationError
from mensasdk.cli import wording
from mensasdk.cli.app import COMMANDS, cli
from mensasdk.cli.masking import masked
from mensasdk.cli.options import CALLBACK_FIELDS
from mensasdk.cli.wording import of_option, say

MENSATEK = ("--vendor", "mensatek", "--text", "Hola")
PHONES = ("--vendor", "smsgateway24", "--text", "Hola", "--device-id")
TEMPLATES = ("--vendor", "envia_sms", "--template")
HOURS = (*MENSATEK, "--hours", "9-20")
BASE_URL = (*MENSATEK, "--base-url")
OPT_OUTS = (*MENSATEK, "--opt-outs")
PRICED = (*MENSATEK, "--prices", "france.csv")
AT = (*MENSATEK, "--schedule")
LATER = ("--hours", "10-11", "--time-zone-of", "ES=UTC", "--not-after")

# Keyword arguments, and names of parameters that are no words of their own.
_PYTHON = re.compile(
    r"\w=[\"{\[(]|\b(\w+=(?=\s|$|,)|lenient|choices|default_country|not_after|schedule_at|device_id|base_url"
    r"|max_messages|allow_from|trusted_proxies|permits|request_rate|list_devices|DAYS|time\(|Decimal|Budget|None)"
)


def in_one_line(text: str) -> str:
    """A text without the breaks of a table."""
    return " ".join(text.split())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a list and what may be wrong beside it."""
    monkeypatch.chdir(tmp_path)
    write_rows(Path("people.csv"), ["34600000001,Ana"])
    write_rows(Path("national.csv"), ["600000002,Eva"])
    write_rows(Path("satellite.csv"), ["+800 1234 5678,Eva"])
    write_rows(Path("canada.csv"), ["+1 600 555 0123,Eva"])
    files = {
        "national.txt": "+34600000001\n600000002\n",
        "letters.txt": "+34600000001\nnobody\n",
        "two.csv": "phone;movil\n+34600000001;+34600000002\n",
        "long.csv": "phone;name\n+34600000001;Ana;Ruiz\n",
        "other.csv": "baja;name\n+34600000001;Ana\n",
        "twice.csv": "baja;Baja\n+34600000001;+34600000002\n",
        "broken.csv": 'phone;name\n+34600000001;"Ana\n',
        "cheap.csv": "country,price\nES,cheap\n",
        "nowhere.csv": "country,price\nXX,1\n",
        "double.csv": "country,price\nES,1\nES,2\n",
        "comma.csv": "country,price\nES,1,5\n",
        "columns.csv": "pais,precio\nES,1\n",
        "france.csv": "country,price\nFR,1\n",
    }
    for name, content in files.items():
        Path(name).write_text(content, encoding="utf-8")
    Path("utf16.txt").write_bytes("+34600000001\n".encode("utf-16"))
    return tmp_path


# -------------------------------------------------------------------------------------- values that options have

SET_UP: Sequence[tuple[tuple[str, ...], str]] = [
    ((*MENSATEK, "--default-country", "XX"), "--default-country 'XX' is not a country; give its two letters"),
    ((*MENSATEK, "--default-country", "XX", "--opt-outs", "national.txt"), "--default-country 'XX' is not a country"),
    ((*BASE_URL, "example"), "--base-url must be an absolute https:// URL"),
    ((*BASE_URL, "https://u:p@example.com"), "--base-url must hold no user, password, query or fragment; give"),
    ((*BASE_URL, "http://example.com"), "--base-url is plain http to another machine"),
    ((*MENSATEK, "--requests-per-second", "nan"), "--requests-per-second must be a finite number above 0, not nan"),
    ((*MENSATEK, "--requests-per-second", "1e-320"), "--requests-per-second: this rate limit is too extreme"),
    ((*MENSATEK, "--rate", "1e-320"), "--rate: this rate limit is too extreme"),
    ((*MENSATEK, "--schedule", "2030-01-31T09:00", "--zone", "Madrid"), "--zone: there is no time zone 'Madrid'; give"),
    ((*MENSATEK, "--not-after", "2030-01-31T09:00", "--zone", "Madrid"), "--zone: there is no time zone 'Madrid'"),
    (("--vendor", "mensatek", "--text", "Hola {"), "--text has a lone '{'; write '{{' for a brace"),
    ((*HOURS, "--time-zone-of", "XX=Europe/Madrid"), "--time-zone-of has 'XX', which is no country; give"),
    ((*HOURS, "--time-zone-of", "ES=Madrid"), "--time-zone-of: there is no time zone 'Madrid'; give an IANA name"),
    ((*MENSATEK, "--hours", "9-9"), "--hours: the hours begin and end at 09:00; for the whole day leave --hours out"),
    ((*OPT_OUTS, "none.txt"), "--opt-outs: none.txt cannot be read"),
    ((*OPT_OUTS, "."), "--opt-outs: . is not a regular file; save the list to disk first"),
    ((*OPT_OUTS, "utf16.txt"), "--opt-outs: utf16.txt is not a text file in UTF-8; save it as UTF-8"),
    ((*OPT_OUTS, "broken.csv"), "--opt-outs: broken.csv, line 2: "),
    ((*OPT_OUTS, "letters.txt"), "line 2: number (***) holds a letter; correct it, or take the line out"),
    ((*OPT_OUTS, "letters.txt"), "holds the numbers with --opt-out-column"),
    ((*OPT_OUTS, "national.txt"), "give --default-country for national numbers, or take the line out"),
    ((*OPT_OUTS, "long.csv"), "line 2: has 3 cells, and the header 2; correct it, or take the line out"),
    ((*OPT_OUTS, "two.csv"), "2 columns could hold the number; say which one with --opt-out-column"),
    ((*OPT_OUTS, "other.csv", "--opt-out-column", "alta"), "--opt-out-column: other.csv, line 1: "),
    ((*OPT_OUTS, "twice.csv", "--opt-out-column", "baja"), "could hold the number; rename one"),
    ((*MENSATEK, "--prices", "none.csv"), "--prices: the file of prices (none.csv) cannot be read"),
    ((*MENSATEK, "--prices", "cheap.csv"), "--prices: the price in line 2 of the file of prices ('cheap')"),
    ((*MENSATEK, "--prices", "nowhere.csv"), "--prices: line 2 of the file of prices has 'XX', which is neither"),
    ((*MENSATEK, "--prices", "double.csv"), "--prices: line 3 of the file of prices has ES a second time; keep one"),
    ((*MENSATEK, "--prices", "comma.csv"), "--prices: line 2 of the file of prices has more cells than the first"),
    ((*MENSATEK, "--prices", "columns.csv"), "--prices: the file of prices needs a first line that names the columns"),
    ((*PRICED, "--max-credits", "many"), "--max-credits ('many') is no amount; write digits"),
    ((*PRICED, "--max-credits", "-1"), "--max-credits is negative (-1); give 0 or more"),
    ((*PRICED, "--max-credits", "1e20"), "--max-credits has more than 12 digits before"),
]  # fmt: skip


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("arguments", "part"), SET_UP)
def test_what_is_wrong_with_an_option_is_said_of_the_option(arguments: tuple[str, ...], part: str) -> None:
    result = invoke("check", "people.csv", *arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    said = in_one_line(result.stderr)
    assert part in said
    assert not _PYTHON.search(said), said


# ----------------------------------------------------------------------------------------------- rows of the list

ROWS: Sequence[tuple[tuple[str, ...], str]] = [
    (("national.csv", *MENSATEK), "or give --default-country if it is a national number"),
    (("satellite.csv", *HOURS), "known for +800; choose one with --time-zone-of CC=ZONE"),
    (("canada.csv", *MENSATEK, "--hours", "9-10"), "say which to go by with --time-zone-of CC=ZONE, or widen --hours"),
    (("people.csv", *PRICED, "--max-credits", "5"), "for ES; add a row for it to the file of --prices"),
    (("people.csv", *AT, "2030-01-31T09:00Z", *LATER, "2030-01-31T09:30Z"), "late for it; give a later --not-after"),
    (("people.csv", *AT, "2030-10-27T00:30Z"), "--schedule is 02:30 on"),
    (("people.csv", *AT, "9999-12-31T23:59Z"), "--schedule is outside the years that can be scheduled"),
    (("people.csv", *MENSATEK, "--sender", "!!!"), "--sender must be a number of at most 15 digits"),
    (("people.csv", *PHONES, "-"), "--device-id must be one id, or the name of a Sender ID; the vendor's panel"),
    (("people.csv", *TEMPLATES, " "), "--template is empty; give the id of a template"),
    (("people.csv", *TEMPLATES, " 01"), "--template must be the id alone"),
]  # fmt: skip


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("arguments", "part"), ROWS)
def test_what_is_wrong_with_a_row_is_said_in_terms_of_options(arguments: tuple[str, ...], part: str) -> None:
    result = invoke("check", *arguments, "--json", "--output", "refused.csv", COLUMNS="1000")
    assert result.exit_code == 1, result.output
    said = in_one_line(result.stdout), in_one_line(Path("refused.csv").read_text(encoding="utf-8"))
    assert part in said[0]
    assert part in said[1]
    assert not _PYTHON.search(result.stderr), result.stderr


@pytest.mark.usefixtures("folder")
def test_what_the_result_file_says_of_a_row_is_what_send_would_say() -> None:
    """Both have the words of the command: they come from one place."""
    account = {"MENSASDK_MENSATEK_API_USER": "u", "MENSASDK_MENSATEK_API_TOKEN": "t"}
    invoke("check", "national.csv", *MENSATEK, "--output", "check.csv")
    invoke("send", "national.csv", *MENSATEK, "--output", "send.csv", **account)
    texts = [Path(name).read_text(encoding="utf-8") for name in ("check.csv", "send.csv")]
    assert all("--default-country" in text for text in texts)


# ----------------------------------------------------------------------------------------------- other commands


@pytest.mark.usefixtures("folder")
async def test_a_number_to_mark_names_the_option_of_its_country() -> None:
    await unknown_campaign(Path("journal.sqlite"), ["34600000002"])
    mark = ("mark", "accepted", "julio", "--journal", "journal.sqlite", "--yes")
    for given, part in (
        (("--number", "600000002"), "--number (***002) lacks its area code"),
        (("--from", "national.csv"), "line 2 (***002) lacks its area code"),
    ):
        result = invoke(*mark, *given)
        assert (result.exit_code, result.stdout) == (2, "")
        assert part in result.stderr
        assert "give --default-country for a national number; nothing was marked" in result.stderr
        assert not _PYTHON.search(result.stderr)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "variables", "part"),
    [
        (("--vendor", "mensatek", "--allow-from", "1.2.3"), {}, "--allow-from has a wrong address: '1.2.3'"),
        (("--vendor", "mensatek", "--trusted-proxy", "x"), {}, "--trusted-proxy has a wrong address: 'x'"),
        (("--vendor", "mensatek"), {"MENSASDK_MENSATEK_CALLBACK_USER": "a:b"}, "callback_user contains a colon"),
        (("--vendor", "smsgateway24"), {"MENSASDK_SMSGATEWAY24_CALLBACK_SECRET": "a b"}, "callback_secret must be"),
    ],
)
def test_what_a_receiver_refuses_names_the_option_or_the_setting(
    arguments: tuple[str, ...], variables: dict[str, str], part: str
) -> None:
    result = invoke("receive", *arguments, "--journal", "journal.sqlite", "--quiet", **variables)
    assert result.exit_code == 2
    assert part in result.stderr
    assert not _PYTHON.search(result.stderr)


@pytest.mark.usefixtures("folder")
def test_a_campaign_that_has_no_name_names_the_option() -> None:
    account = {"MENSASDK_MENSATEK_API_USER": "u", "MENSASDK_MENSATEK_API_TOKEN": "t"}
    result = invoke("send", "people.csv", *MENSATEK, "--campaign", " ", "--quiet", **account)
    assert result.exit_code == 2
    assert "--campaign must be a name of printable characters" in result.stderr


# ---------------------------------------------------------------------------------------------------- the tables


def test_the_tables_name_options_that_there_are() -> None:
    known = {"callback_user", "callback_password", "callback_secret"}
    assert known == {name for names in CALLBACK_FIELDS.values() for name in names}
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        known |= {flag for one in command.params for flag in one.opts}
    assert set(wording._OPTIONS.values()) <= known
    for words in wording._REMEDIES.values():
        assert set(re.findall(r"--[a-z-]+", words)) <= known
        assert not _PYTHON.search(words)


def test_say_without_an_option_is_the_sentence_of_the_library() -> None:
    error = ConfigurationError("the borrowed session is closed")
    assert say(error) == error.message
    unmapped = ValidationError("is no number", subject="permits", remedy="give one", field="permits")
    assert say(unmapped) == unmapped.message == "permits is no number; give one"
    assert say(unmapped, "--rate") == "--rate is no number; give one"
    assert say(pickle.loads(pickle.dumps(unmapped)), "--rate") == say(unmapped, "--rate")  # noqa: S301 - our own


def test_a_row_keeps_its_number_in_front() -> None:
    error = ValidationError("could go too late", subject="to (***001)", field="not_after", code="expired")
    assert say(error) == "to (***001) could go too late; give a later --not-after"


def test_an_error_in_a_block_names_the_option() -> None:
    with pytest.raises(ConfigurationError, match=r"^--rate: it is none; give one$"), of_option("--rate"):
        raise ConfigurationError("it is none", remedy="give one")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("give 2030-01-31T09:00+01:00", "give 2030-01-31T09:00+01:00"),
        ("at 2030-01-31 09:00 in Europe/Madrid", "at 2030-01-31 09:00 in Europe/Madrid"),
        ("2030-01-31", "***131"),
        ("call 600 000 001, or +34600000002 at 9:00", "call ***001, or ***002 at 9:00"),
        ("342030-01-31T09:00", "***131T09:00"),
        ("+2030-01-31T09:00", "***131T09:00"),
    ],
)
def test_a_time_is_no_phone_number(text: str, shown: str) -> None:
    assert masked(text) == shown
