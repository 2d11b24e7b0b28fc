"""``mensasdk send --route``: several vendors in one campaign, each with its countries, its options and its limits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_support import invoke, one_line, run, write_rows

from mensasdk.campaign import Router
from mensasdk.cli.input.routes import Way, connect, parse_rates, parse_routes
from mensasdk.cli.vendors import Settings, Wishes
from mensasdk.cli.work.campaign import Limits
from mensasdk.errors import ConfigurationError
from mensasdk.limits import RateLimit
from mensasdk.sandbox import Sandbox

ROUTES = (
    "--route", "ES=mensatek", "--route", "MX=envia_sms", "--route", "VE=enviatusms", "--route", "*=smsgateway24",
)  # fmt: skip
NEEDS = ("--template", "02", "--text-variable", "mensaje", "--device-id", "260")
SPAIN, MEXICO, VENEZUELA, PORTUGAL = "+34600000001", "+525512345678", "+584121234567", "+351912345678"
PEOPLE = [f"{number},{name}" for number, name in zip((SPAIN, MEXICO, VENEZUELA, PORTUGAL), "ABCD", strict=True)]


def by_vendor(box: Sandbox) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in box.ledger.messages:
        found.setdefault(one.vendor, []).append(f"+{one.number}")
    return found


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "people.csv", PEOPLE)


@pytest.mark.slow
async def test_each_country_goes_through_its_vendor_and_nobody_twice(box: Sandbox, people: Path) -> None:
    ended = await run("send", people, *ROUTES, *NEEDS, "--text", "Hola {nombre}", "--sender", "Clinica", box=box)
    assert ended.code == 0, ended.err
    assert by_vendor(box) == {
        "mensatek": [SPAIN],
        "envia_sms": [MEXICO],
        "enviatusms": [VENEZUELA],
        "smsgateway24": [PORTUGAL],
    }
    # The sender is for the one vendor that has senders; the texts are for all.
    assert Counter(one.sender for one in box.ledger.messages if one.vendor != "smsgateway24") == {"Clinica": 1, "": 2}
    assert sorted(one.text for one in box.ledger.messages) == ["Hola A", "Hola B", "Hola C", "Hola D"]
    rows = [line.split() for line in ended.out.splitlines()]
    assert ["mensatek", "1", "0", "0", "0", "1", "credits"] in rows
    assert ["envia_sms", "1", "0", "0", "0", "not", "told"] in rows
    assert ["smsgateway24", "1", "0", "0", "0", "none"] in rows
    assert "credits used" not in ended.out  # of four units there is no sum
    assert "ES through mensatek at http://127.0.0.1" in ended.err
    assert "others through smsgateway24" in ended.err


@pytest.mark.slow
async def test_the_json_tells_each_vendors_part_and_no_sum_of_units(box: Sandbox, people: Path) -> None:
    write_rows(people, PEOPLE, extra=[",Nobody", "+34600000001,A"])
    ended = await run("send", people, *ROUTES, *NEEDS, "--text", "Hola {nombre}", "--json", "--quiet", box=box)
    assert (ended.code, ended.err) == (1, "")
    found: dict[str, Any] = json.loads(ended.out)
    assert (found["vendor"], found["credits"], found["balance"], found["total"]) == ("router", None, None, 6)
    assert [*found["vendors"]] == ["mensatek", "envia_sms", "enviatusms", "smsgateway24"]
    one = {"accepted": 1, "rejected": 0, "not_sent": 0, "unknown": 0, "credits": None, "balance": None}
    assert found["vendors"]["enviatusms"] == found["vendors"]["smsgateway24"] == one
    assert found["vendors"]["mensatek"] == {**one, "not_sent": 1, "credits": "1", "balance": "99999"}
    # The row without a number is nobody's.
    assert sum(share["not_sent"] for share in found["vendors"].values()) == found["not_sent"] - 1 == 1


@pytest.mark.slow
async def test_what_one_vendor_cannot_pay_for_goes_through_the_next_one(box: Sandbox, people: Path) -> None:
    box.envia_sms.account.credits = Decimal(0)
    ended = await run("send", people, *ROUTES, *NEEDS, "--text", "Hola {nombre}", "--json", box=box)
    assert ended.code == 0, ended.err
    assert sorted(by_vendor(box)["smsgateway24"]) == sorted([PORTUGAL, MEXICO])
    assert json.loads(ended.out)["vendors"]["smsgateway24"]["accepted"] == 2


@pytest.mark.slow
async def test_a_vendor_that_is_shut_out_does_not_end_the_campaign_of_the_others(box: Sandbox, tmp_path: Path) -> None:
    """Its recipients are not sent to anybody else's, where no other route is for them."""
    spain = [f"+34600000{index:03},A" for index in range(100)]
    mexico = [f"+5255123456{index:02},B" for index in range(60)]
    mixed = [row for pair in zip(spain, mexico, strict=False) for row in pair] + spain[60:]
    people = write_rows(tmp_path / "people.csv", mixed)
    ended = await run(
        "send", people, "--route", "MX=envia_sms", "--route", "ES=mensatek", "--template", "02", "--text-variable",
        "mensaje", "--text", "Hola", "--max-in-flight", "1", "--max-recipients", "10", "--json", box=box,
        MENSASDK_ENVIA_SMS_TOKEN="wrong-token",
    )  # fmt: skip
    found = json.loads(ended.out)
    assert (ended.code, found["stopped"]) == (1, None)
    assert found["vendors"]["mensatek"]["accepted"] == 100
    assert found["vendors"]["envia_sms"]["accepted"] == 0
    assert box.ledger.request_count("send") == 1  # vendors block addresses that keep failing
    assert "the campaign ended before" not in ended.err
    assert "wrong-token" not in ended.out + ended.err


def test_a_dry_run_tells_what_would_go_where_and_what_nobody_can_take(people: Path) -> None:
    result = invoke(
        "send", people, "--route", "ES,PT=mensatek", "--route", "VE=enviatusms", "--text", "Hola", "--dry-run", "--json"
    )
    found = json.loads(result.stdout)
    assert (result.exit_code, found["by_vendor"]) == (1, {"mensatek": 2, "enviatusms": 1})
    rows = [line.split()[:2] for line in result.stderr.splitlines()]
    assert ["mensatek", "2"] in rows
    assert ["enviatusms", "1"] in rows
    assert "no route is for the country of this number" in one_line(result.stderr)


def test_a_national_number_is_nobodys_without_a_default_country(tmp_path: Path) -> None:
    """A Mexican number without its prefix must not reach a stranger in Venezuela."""
    people = write_rows(tmp_path / "people.csv", ["5512345678,Ana", "4121234567,Eva"])
    arguments = ("--route", "VE=enviatusms", "--route", "*=mensatek", "--text", "Hola", "--dry-run", "--json")
    assert json.loads(invoke("send", people, *arguments).stdout)["bad_rows"] == 2
    found = json.loads(invoke("send", people, *arguments, "--default-country", "VE").stdout)
    assert (found["bad_rows"], found["by_vendor"]) == (0, {"enviatusms": 2})


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--route", "ES"), "names no vendor"),
        (("--route", "ES=nobody"), "vendors are envia_sms, enviatusms, mensatek, smsgateway24"),
        (("--route", "SP=mensatek"), "'SP' is no country"),
        (("--route", "=mensatek"), "is no country"),
        (("--route", "ES=mensatek", "--route", "*=mensatek"), "all countries and some countries"),
        (("--route", "ES=mensatek", "--vendor", "mensatek"), "exclude each other"),
        (("--route", "ES=mensatek", "--base-url", "http://localhost:1"), "belongs to --vendor"),
        (("--route", "ES=mensatek", "--rate", "envia_sms=5"), "goes through mensatek only"),
        (("--route", "ES=mensatek", "--rate", "mensatek=0"), "above 0"),
        (("--route", "ES=mensatek", "--rate", "fast"), "above 0"),
        (("--route", "ES=mensatek", "--rate", "nan"), "above 0"),
        (("--route", "ES=mensatek", "--rate", "5", "--rate", "6"), "given twice"),
        (("--route", "ES=mensatek", "--rate", "mensatek=5", "--rate", "mensatek=6"), "given twice for mensatek"),
        (("--route", "ES=mensatek", "--device-id", "260"), "mensatek has no --device-id"),
        (("--route", "ES=mensatek", "--route", "*=smsgateway24"), "needs --device-id"),
        (("--route", "ES=mensatek", "--route", "MX=envia_sms"), "--template ID"),
        (("--route", "ES=mensatek", "--route", "MX=envia_sms", "--template", "02"), "--text-variable NAME"),
        (("--route", "ES=mensatek", "--route", "VE=enviatusms", "--schedule", "2030-01-31T09:00Z"), "no --schedule"),
    ],
)  # fmt: skip
def test_routes_that_make_no_sense_are_refused_before_anything_is_sent(
    people: Path, arguments: Sequence[str], part: str
) -> None:
    result = invoke("send", people, *arguments, "--text", "Hola")
    assert result.exit_code == 2, result.output
    assert part in result.stderr
    assert result.stdout == ""


def test_without_a_text_several_vendors_cannot_be_served_from_a_template(people: Path) -> None:
    arguments = ("--route", "ES=mensatek", "--route", "MX=envia_sms", "--template", "02")
    result = invoke("send", people, *arguments)
    assert result.exit_code == 2
    assert "--text-variable NAME" in result.stderr


def test_routes_go_before_the_environments_vendor(people: Path) -> None:
    """A usual vendor in the environment does not keep anybody from routing."""
    arguments = ("send", people, "--route", "*=mensatek", "--text", "Hola", "--dry-run", "--json")
    assert json.loads(invoke(*arguments, MENSASDK_VENDOR="enviatusms").stdout)["vendor"] == "mensatek"


def test_routes_keep_their_order_and_gather_the_countries_of_a_vendor() -> None:
    routes = parse_routes(["MX=envia_sms", "es, pt = mensatek", "US=envia_sms", "*=smsgateway24"])
    assert [*routes.items()] == [
        ("envia_sms", frozenset({"MX", "US"})),
        ("mensatek", frozenset({"ES", "PT"})),
        ("smsgateway24", None),
    ]


def test_a_rate_is_for_every_vendor_or_for_one() -> None:
    assert parse_rates(["50", "mensatek=200"], ["mensatek", "envia_sms"]) == (50.0, {"mensatek": 200.0})
    assert parse_rates([], ["mensatek"]) == (None, {})
    with pytest.raises(ConfigurationError, match="mensatek and envia_sms only"):
        parse_rates(["enviatusms=1"], ["mensatek", "envia_sms"])


async def test_each_route_has_its_own_limits(box: Sandbox) -> None:
    ways = [
        Way(vendor, Settings(box.credentials(vendor), box.base_url(vendor)), countries)
        for vendor, countries in (("mensatek", frozenset({"ES"})), ("enviatusms", None))
    ]
    limits = Limits(rate=50, requests_per_second=7, max_in_flight=3, rates={"mensatek": 200})
    async with connect(ways, limits=limits, wishes=Wishes(), default_country=None) as (router, lines):
        assert isinstance(router, Router)
        assert [route.rate for route in router.routes] == [RateLimit(200), RateLimit(50)]
        assert {route.request_rate for route in router.routes} == {RateLimit(7)}
        assert {route.max_in_flight for route in router.routes} == {3}
        assert [line.partition(" at ")[0] for line in lines] == ["ES through mensatek", "others through enviatusms"]


@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["mensatek", "smsgateway24"])
async def test_a_single_route_for_all_countries_is_like_the_vendor_itself(
    box: Sandbox, people: Path, vendor: str
) -> None:
    """Sender, template and options have no router to come from."""
    write_rows(people, ["+34600000001,Ana"])
    own = {"mensatek": ("--sender", "Clinica"), "smsgateway24": ("--device-id", "260")}[vendor]
    ended = await run("send", people, "--route", f"*={vendor}", *own, "--text", "Hola", "--json", box=box)
    assert ended.code == 0, ended.err
    (message,) = box.ledger.messages
    if vendor == "mensatek":
        assert message.sender == "Clinica"
