"""``mensasdk send`` and ``mensasdk credits`` with each of the four vendors, and what each of them does not have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from cli_support import Ended, invoke, run, write_rows

from mensasdk.cli.vendors import why_not
from mensasdk.registry import vendor_info, vendors
from mensasdk.sandbox import Sandbox

# What each vendor needs beside a text.
NEEDS: dict[str, Sequence[str]] = {
    "mensatek": (),
    "envia_sms": ("--template", "02", "--text-variable", "mensaje"),
    "enviatusms": (),
    "smsgateway24": ("--device-id", "260"),
}
# A number that each vendor serves, and what it answers to credentials that it does not know.
SERVES = {"mensatek": "+34600000001", "envia_sms": "+525512345678", "enviatusms": "+584121234567",
          "smsgateway24": "+34600000001"}  # fmt: skip
REFUSES_CREDENTIALS = {"mensatek": "-1", "envia_sms": "03", "enviatusms": "error", "smsgateway24": "1"}
# Each option with a value that is in order.
OPTIONS: dict[str, Sequence[str]] = {
    "sender": ("--sender", "Clinica"),
    "schedule": ("--schedule", "2030-01-31T09:00Z"),
    "report": ("--report",),
    "unicode": ("--unicode",),
    "allow_duplicates": ("--allow-duplicates",),
    "template": ("--template", "02"),
    "text_variable": ("--text-variable", "mensaje"),
    "device_id": ("--device-id", "260"),
    "sim": ("--sim", "0"),
    "group_sends": ("--group-sends",),
}
HAS = {vendor: [name for name in OPTIONS if info.has(name)] for vendor, info in vendors().items()}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "people.csv", ["+584121234567,Ana", "+584141234567,Eva"])


def test_every_vendor_has_some_of_these_options_and_not_others() -> None:
    """So that the two tests below have something to show."""
    assert HAS["mensatek"] == ["sender", "schedule", "report", "unicode", "group_sends"]
    assert HAS["envia_sms"] == ["schedule", "unicode", "allow_duplicates", "template", "text_variable"]
    assert HAS["enviatusms"] == ["allow_duplicates"]
    assert HAS["smsgateway24"] == ["schedule", "device_id", "sim"]


@pytest.mark.parametrize("vendor", vendors())
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_the_vendor_does_not_have_is_refused_and_never_ignored(
    people: Path, vendor: str, option: str
) -> None:
    result = invoke("send", people, "--vendor", vendor, *NEEDS[vendor], "--text", "Hola", *OPTIONS[option], "--dry-run")
    if option in HAS[vendor]:
        assert result.exit_code == 0, result.stderr
    else:
        assert result.exit_code == 2
        assert f"{vendor} has no {OPTIONS[option][0]}: {why_not(vendor_info(vendor), option)}" in result.stderr
        assert result.stdout == ""


@pytest.mark.parametrize(
    ("vendor", "arguments", "part"),
    [
        ("envia_sms", ("--text", "Hola"), "--template ID --text-variable NAME"),
        ("envia_sms", ("--text", "Hola", "--text-variable", "mensaje"), "give --template ID"),
        ("envia_sms", ("--text", "Hola", "--template", "02"), "--text needs --text-variable NAME"),
        ("smsgateway24", ("--text", "Hola"), "needs --device-id"),
        ("smsgateway24", ("--text", "Hola", "--device-id", "260", "--sim", "6"), "--sim"),
    ],
)
def test_what_a_vendor_needs_is_asked_for_before_anything_is_sent(
    people: Path, vendor: str, arguments: Sequence[str], part: str
) -> None:
    result = invoke("send", people, "--vendor", vendor, *arguments)
    assert result.exit_code == 2
    assert part in result.stderr


def test_without_a_vendor_the_command_says_which_there_are(people: Path) -> None:
    for arguments in (("send", people, "--text", "Hola"), ("credits",)):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "envia_sms, enviatusms, mensatek, smsgateway24" in result.stderr


def test_the_vendor_may_come_from_the_environment(people: Path) -> None:
    assert invoke("send", people, "--text", "Hola", "--dry-run", MENSASDK_VENDOR="enviatusms").exit_code == 0


async def test_a_text_goes_into_the_one_variable_of_a_template(box: Sandbox, people: Path) -> None:
    rows = write_rows(people, ["+525512345678,Ana", "+525512345679,Eva"])
    ended = await run(
        "send", rows, "--vendor", "envia_sms", *NEEDS["envia_sms"], "--text", "Hola {nombre}", "--allow-duplicates",
        "--unicode", "--json", box=box,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["accepted"] == 2
    assert {(one.number, one.text) for one in box.ledger.messages} == {
        ("525512345678", "Hola Ana"),
        ("525512345679", "Hola Eva"),
    }
    assert {(one.params["plantilla"], one.params["duplicado"], one.params["ucs2"]) for one in box.ledger.requests} == {
        ("02", "1", "1")
    }


async def test_the_columns_are_the_variables_of_a_template_without_a_text(box: Sandbox, tmp_path: Path) -> None:
    """Number and reference stay here, and so does a column whose name no variable can have.

    A blank cell is no value: the vendor then refuses the message, which is better than a message with a gap in it.
    """
    people = tmp_path / "people.csv"
    people.write_text(
        "telefono,id,codigo_verificacion,empresa,fecha de alta\n"
        "+525512345678,k1,4711,Clinica,ayer\n+525512345679,k2,,Clinica,ayer\n",
        encoding="utf-8",
    )
    ended = await run("send", people, "--vendor", "envia_sms", "--template", "01", "--json", box=box)
    assert ended.code == 1, ended.err
    assert "template 01 with codigo_verificacion, empresa\n" in ended.err
    found = json.loads(ended.out)
    assert (found["accepted"], found["rejected"], found["by_code"]) == (1, 1, {"136": 1})
    (message,) = box.ledger.messages
    assert message.text == "4711 es tu codigo de verificacion de Clinica."
    sent = {name for one in box.ledger.requests for name in one.params if name.startswith("var_")}
    assert sent == {"var_codigo_verificacion", "var_empresa"}


def test_two_columns_of_one_name_are_no_variable(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("telefono,codigo,codigo\n+525512345678,1,2\n", encoding="utf-8")
    result = invoke("send", people, "--vendor", "envia_sms", "--template", "01", "--dry-run")
    assert result.exit_code == 2
    assert "two columns are named 'codigo'" in result.stderr


def test_a_dry_run_of_a_template_counts_what_its_variables_hold(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("telefono,ciudad\n+525512345678,León\n+525512345679,Oaxaca\n", encoding="utf-8")
    result = invoke("send", people, "--vendor", "envia_sms", "--template", "01", "--dry-run", "--json", "--quiet")
    found = json.loads(result.stdout)
    assert (found["messages"], found["outside_gsm"], found["by_vendor"]) == (2, 1, {"envia_sms": 2})


async def test_the_phone_and_its_sim_are_chosen(box: Sandbox, people: Path) -> None:
    ended = await run(
        "send", people, "--vendor", "smsgateway24", "--device-id", "261", "--sim", "1", "--text", "Hola {nombre}",
        box=box,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    sent = [one.params for one in box.ledger.requests if one.function == "addsms"]
    assert {(one["device_id"], one["sim"]) for one in sent} == {("261", "1")}
    assert {(one.number, one.text) for one in box.ledger.messages} == {
        ("584121234567", "Hola Ana"),
        ("584141234567", "Hola Eva"),
    }


async def test_a_token_will_do_for_the_phone_gateway(box: Sandbox, people: Path) -> None:
    variables = {
        "MENSASDK_SMSGATEWAY24_TOKEN": box.smsgateway24.token,
        "MENSASDK_SMSGATEWAY24_BASE_URL": box.base_url("smsgateway24"),
    }
    arguments = ("--vendor", "smsgateway24", *NEEDS["smsgateway24"], "--text", "Hola")
    ended = await run("send", people, *arguments, box=None, **variables)
    assert ended.code == 0, ended.err
    assert box.ledger.request_count("gettoken") == 0
    assert variables["MENSASDK_SMSGATEWAY24_TOKEN"] not in ended.out + ended.err


async def test_venezuelan_numbers_may_be_national_ones(box: Sandbox, people: Path) -> None:
    rows = write_rows(people, ["0412-1234567,Ana", "+34600000001,Eva"])
    ended = await run("send", rows, "--vendor", "enviatusms", "--text", "Hola", "--allow-duplicates", "--json", box=box)
    assert ended.code == 1, ended.err
    assert json.loads(ended.out)["by_code"] == {"invalid_to": 1}
    assert [one.number for one in box.ledger.messages] == ["584121234567"]
    assert [one.params["permitir_duplicados"] for one in box.ledger.requests] == [True]


@pytest.mark.slow
async def test_credits_are_told_in_the_vendors_own_unit(box: Sandbox) -> None:
    box.envia_sms.account.credits = Decimal("1234.5")
    box.enviatusms.account.balance = Decimal("4.50")
    for vendor, plain, fields in (
        ("envia_sms", "1,234.5\n", {"credits": "1234.5"}),
        ("enviatusms", "4.5 USD\n", {"balance": "4.5", "currency": "USD"}),
    ):
        assert await run("credits", "--vendor", vendor, box=box) == Ended(0, plain, "")
        ended = await run("credits", "--vendor", vendor, "--json", box=box)
        assert json.loads(ended.out) == {"vendor": vendor, **fields}


async def test_a_gateway_of_ones_own_has_no_credits(box: Sandbox) -> None:
    ended = await run("credits", "--vendor", "smsgateway24", box=box)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "Error: smsgateway24 has no credits: your own phones send, and their SIM cards pay\n"
    assert box.ledger.request_count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("vendor", vendors())
async def test_no_vendors_secret_is_shown(box: Sandbox, tmp_path: Path, vendor: str) -> None:
    """Also when the vendor refuses it. The ledger shows that both have reached the vendor: it took one of them only."""
    people = write_rows(tmp_path / "people.csv", [f"{SERVES[vendor]},Ana"])
    send: tuple[str | Path, ...] = ("send", people, "--vendor", vendor, *NEEDS[vendor], "--text", "Hola")
    secrets = [str(value) for value in box.credentials(vendor).values()]
    if vendor == "smsgateway24":
        secrets.append(box.smsgateway24.token)  # which the vendor gives for them
    wrong = {f"MENSASDK_{vendor}_{name}".upper(): f"wrong{name}" for name in box.credentials(vendor)}

    right = await run(*send, box=box)
    assert (right.code, len(box.ledger)) == (0, 1), right.err
    assert {one.vendor for one in box.ledger.requests} == {vendor}

    box.ledger.clear()
    refused = await run(*send, box=box, **wrong)
    assert (refused.code, len(box.ledger)) == (4, 0), refused.err
    assert {(one.vendor, one.outcome) for one in box.ledger.requests} == {(vendor, REFUSES_CREDENTIALS[vendor])}

    for ended in (right, refused):
        assert not [one for one in (*secrets, *wrong.values()) if one in ended.out + ended.err]
