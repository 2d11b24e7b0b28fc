"""A fifth vendor needs no change: with its package on the path, the command does all for it that it does for ours.

The sandbox runs in the test's process, the command in one of its own that was never told of the vendor.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from cli_support import Ended, finish, one_line, receiving, run, start, write_people, write_rows
from fifth_vendor.client import FifthClient
from fifth_vendor.emulator import Fifth
from fifth_vendor.info import INFO
from fifth_vendor.models import FifthOptions
from installed import FIFTH, path_with
from shared import until

from mensasdk import BatchSender, Message, OutcomeKind, Route, Router, SmsGateway24Client, SqliteJournal
from mensasdk.errors import AuthError
from mensasdk.journal.keys import instance_of
from mensasdk.sandbox import Fault, Sandbox

KEY: Final = "MENSASDK_FIFTH_KEY"
SEND: Final = ("--vendor", "fifth", "--label", "a b", "--text", "Hola {nombre}", "--max-in-flight", "1")


@pytest.fixture
def vendor() -> Fifth:
    return Fifth()


@pytest.fixture
async def box(vendor: Fifth) -> AsyncIterator[Sandbox]:
    async with Sandbox(fifth=vendor) as sandbox:
        yield sandbox


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def command(*arguments: str | Path, box: Sandbox | None = None, **variables: str) -> Ended:
    """Run the unchanged command where the fifth vendor's package is installed."""
    return await run(*arguments, box=box, PYTHONPATH=path_with(FIFTH), **variables)


def found(ended: Ended) -> Any:
    return json.loads(ended.out)


def sent(box: Sandbox) -> list[tuple[str, str, str]]:
    return sorted((one.vendor, one.number, one.text) for one in box.ledger.messages)


# -------------------------------------------------------------------------------------------------------- sending


@pytest.mark.slow
async def test_it_sends_with_its_option_in_its_own_unit_to_its_own_country(box: Sandbox, tmp_path: Path) -> None:
    people = write_rows(tmp_path / "people.csv", ["912345678,Ana", "+34600000001,Eva", "+34600000099,Bea"])
    ended = await command("send", people, *SEND, "--json", box=box)
    assert ended.code == 1, ended.err
    report = found(ended)
    assert (report["vendor"], report["accepted"], report["rejected"]) == ("fifth", 2, 1)
    assert (report["by_code"], report["credits"], report["balance"]) == ({"barred": 1}, "0.10", "999.90")
    assert sent(box) == [("fifth", "34600000001", "Hola Eva"), ("fifth", "351912345678", "Hola Ana")]
    [request] = box.ledger.requests
    assert (request.function, request.params["label"]) == ("messages", "a b")
    assert instance_of(request.params["batch"])

    ended = await command("send", people, "--vendor", "fifth", "--text", "Hola", box=box)
    assert "cost 0.1 EUR" in one_line(ended.out)
    assert "balance 999.8 EUR" in one_line(ended.out)
    assert "credits" not in ended.out
    assert "label" not in box.ledger.requests[-1].params


@pytest.mark.slow
@pytest.mark.parametrize(
    ("vendor_name", "arguments", "words"),
    [
        ("fifth", ("--sender", "Clinica"), f"fifth has no --sender: {INFO.refuses['sender']}"),
        ("fifth", ("--schedule", "2030-01-31T09:00Z"), f"fifth has no --schedule: {INFO.refuses['schedule']}"),
        ("fifth", ("--report",), "fifth has no --report: only mensatek has it; leave it out"),
        ("fifth", ("--unicode",), "fifth has no --unicode: only envia_sms and mensatek have it; leave it out"),
        ("fifth", ("--template", "1"), "fifth has no --template: it sends texts; give --text"),
        ("mensatek", ("--label", "x"), "mensatek has no --label: only fifth has it; leave it out"),
    ],
)
async def test_an_option_that_a_vendor_has_not_is_refused_with_words(
    box: Sandbox, tmp_path: Path, vendor_name: str, arguments: tuple[str, ...], words: str
) -> None:
    people = write_people(tmp_path / "people.csv", 1)
    ended = await command("send", people, "--vendor", vendor_name, "--text", "Hola", *arguments, box=box)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert box.ledger.request_count() == 0


@pytest.mark.slow
async def test_its_credentials_come_from_its_variables_or_its_table_and_are_never_shown(
    box: Sandbox, vendor: Fifth, tmp_path: Path
) -> None:
    people, file = write_people(tmp_path / "people.csv", 1), tmp_path / "credentials.toml"
    send = ("send", people, "--vendor", "fifth", "--text", "Hola")
    ended = await command(*send)
    assert ended.code == 2
    assert f"no credentials for fifth; set {KEY}, or name a TOML file" in ended.err

    file.write_text(f'[fifth]\nkey = "{vendor.key}"\nbase_url = "{box.base_url("fifth")}"\n')
    file.chmod(0o600)
    right = await command(*send, "--credentials", file)
    assert (right.code, len(box.ledger)) == (0, 1), right.err

    refused = await command(*send, box=box, **{KEY: "wrong-canary"})
    assert (refused.code, len(box.ledger)) == (4, 1)
    assert "messages was refused: bad_key" in one_line(refused.out + refused.err)
    for ended in (right, refused):
        assert not [one for one in (vendor.key, "wrong-canary") if one in ended.out + ended.err]


@pytest.mark.slow
async def test_a_check_needs_no_account_and_tells_the_price_in_its_unit(tmp_path: Path) -> None:
    people = write_rows(tmp_path / "people.csv", ["912345678,Ana", "+34600000001,Eva", "12,Bea"])
    prices = tmp_path / "prices.csv"
    prices.write_text("country,price\nPT,0.05\nES,0.07\n")
    ended = await command("check", people, *SEND, "--prices", f"fifth={prices}", "--json", "--quiet")
    assert ended.code == 1, ended.err
    [(name, part)] = found(ended)["vendors"].items()
    assert (name, part["messages"], part["requests"], part["cost"], part["unit"]) == ("fifth", 2, 1, "0.12", "EUR")
    ended = await command("check", people, *SEND, "--prices", f"fifth={prices}")
    assert "0.12 EUR" in one_line(ended.out)


@pytest.mark.slow
async def test_segments_and_credits(box: Sandbox, vendor: Fifth) -> None:
    ended = await command("segments", "Añoranza " * 40, "--vendor", "fifth")
    assert ended.code == 1
    assert "Fifth takes 300; shorten it" in one_line(ended.out)
    ended = await command("segments", "Hola", "--vendor", "fifth", "--json")
    assert found(ended)["vendor"]["name"] == "fifth"

    vendor.left = Decimal("1234.5")
    assert await command("credits", "--vendor", "fifth", box=box) == Ended(0, "1,234.5 EUR\n", "")
    ended = await command("credits", "--vendor", "fifth", "--json", box=box)
    assert found(ended) == {"vendor": "fifth", "balance": "1234.5", "currency": "EUR"}
    ended = await command("credits", "--vendor", "fifth", box=box, **{KEY: "wrong"})
    assert (ended.code, ended.out) == (4, "")


# ---------------------------------------------------------------------------------------------- beside one of ours

ROUTED: Final = ("--device-id", "260", "--label", "x", "--text", "Hola", "--max-recipients", "5", "--json")


@pytest.mark.slow
async def test_routed_beside_one_of_ours_each_gets_its_countries_and_its_options(box: Sandbox, tmp_path: Path) -> None:
    people = write_rows(tmp_path / "people.csv", ["+34600000001,Ana", "+351912345678,Eva"])
    routes = ("--route", "ES=fifth", "--route", "*=smsgateway24")
    ended = await command("send", people, *routes, *ROUTED, box=box)
    assert ended.code == 0, ended.err
    assert sent(box) == [("fifth", "34600000001", "Hola"), ("smsgateway24", "351912345678", "Hola")]
    assert [one.params["label"] for one in box.ledger.requests if one.vendor == "fifth"] == ["x"]
    assert {name: part["credits"] for name, part in found(ended)["vendors"].items()} == {
        "fifth": "0.05",
        "smsgateway24": None,
    }


@pytest.mark.slow
async def test_the_other_takes_over_when_its_account_is_empty(box: Sandbox, vendor: Fifth, tmp_path: Path) -> None:
    vendor.left = Decimal("0.50")
    people = write_people(tmp_path / "people.csv", 20)
    routes = ("--route", "ES=fifth", "--route", "*=smsgateway24")
    ended = await command("send", people, *routes, *ROUTED, "--max-in-flight", "1", box=box)
    assert ended.code == 0, ended.err
    assert Counter(one.vendor for one in box.ledger.messages) == {"fifth": 10, "smsgateway24": 10}
    assert set(box.ledger.numbers().values()) == {1}


@pytest.mark.slow
async def test_it_takes_over_when_the_other_refuses_its_credentials(box: Sandbox, tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 20)
    routes = ("--route", "ES=smsgateway24", "--route", "*=fifth")
    ended = await command("send", people, *routes, *ROUTED, box=box, MENSASDK_SMSGATEWAY24_PASSWORD="wrong")
    assert ended.code == 0, ended.err
    assert Counter(one.vendor for one in box.ledger.messages) == {"fifth": 20}
    assert set(box.ledger.numbers().values()) == {1}
    assert {one.params["label"] for one in box.ledger.requests if one.vendor == "fifth"} == {"x"}


# ------------------------------------------------------------------------------------------------ what it reports


@pytest.mark.slow
async def test_its_reports_are_received_from_whoever_has_the_right_proof(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    people, output = write_rows(tmp_path / "people.csv", ["+34600000001,A", "+34600000098,B"]), tmp_path / "out.csv"
    send = ("send", people, *SEND, "--campaign", "julio", "--journal", journal)
    async with receiving("fifth", journal, PYTHONPATH=path_with(FIFTH)) as receiver:
        told = await receiver.ready()
        assert told["Reports"].startswith("of fifth go into")
        box.callbacks(told["address"], vendor="fifth", auth=(told["user"], "guess"))
        assert not await box.post_callback("fifth", {"id": "f-1", "to": "34600000001", "state": "failed"})
        box.callbacks(told["address"], vendor="fifth", auth=(told["user"], told["password"]))
        ended = await command(*send, box=box)
        assert ended.code == 0, ended.err
        await box.drain()
        ended = await receiver.stop()
    assert ended.code == 0, ended.err
    assert "2 reports · 1 delivered · 1 failed" in ended.err

    ended = await command("deliveries", "julio", "--journal", journal, "--output", output)
    assert ended.code == 0, ended.err
    assert "fifth" in ended.out
    assert "calls nobody back" not in ended.out
    with output.open(encoding="utf-8", newline="") as file:
        rows = [(row["number"], row["vendor"], row["vendor_id"], row["delivery"]) for row in csv.DictReader(file)]
    assert rows == [("'+34600000001", "fifth", "f-1", "delivered"), ("'+34600000098", "fifth", "f-2", "failed")]


async def test_who_asks_one_that_calls_nobody_back_is_told_of_it() -> None:
    ended = await command("receive", "--vendor", "enviatusms", "--journal", "journal.sqlite")
    assert ended.code == 2
    assert "(fifth and mensatek and smsgateway24 do call)" in ended.err


# -------------------------------------------------------------------------------------------------- after a crash


async def killed(box: Sandbox, people: Path, journal: Path) -> None:
    """Kill the command while its third request of ten is under way."""
    campaign = ("--campaign", "julio", "--journal", journal, "--max-recipients", "10")
    process = await start("send", people, *SEND, *campaign, "--quiet", box=box, PYTHONPATH=path_with(FIFTH))
    await until(lambda: box.ledger.request_count("messages") == 3)
    process.kill()
    await finish(process)


@pytest.mark.slow
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
async def test_killed_taken_up_and_reconciled(box: Sandbox, tmp_path: Path, journal: Path, taken: bool) -> None:
    """By processes that find its options in the journal.

    What it lists was taken; that it does not list the others proves nothing, and a person marks them.
    """
    people, output = write_people(tmp_path / "people.csv", 50), tmp_path / "unknown.csv"
    box.fail("fifth", function="messages", fault=Fault.HANG, when="after" if taken else "before", nth=3)
    await killed(box, people, journal)
    [info] = found(await command("campaigns", "--journal", journal, "--json"))
    assert (info["accepted"], info["in_flight"], info["complete"]) == (20, 10, False)

    ended = await command("reconcile", "julio", "--journal", journal, "--list", "--output", output)
    assert ended.code == 3, ended.err
    assert "10 unknown: fifth 10" in one_line(ended.out)
    ended = await run("reconcile", "julio", "--journal", journal, "--list")
    assert ended.code == 2
    assert "FifthOptions, a class that neither a vendor nor this program has" in one_line(ended.err)

    ended = await command("resume", "julio", people, *SEND, "--journal", journal, "--json", box=box)
    assert (ended.code, found(ended)["accepted"], found(ended)["unknown"]) == (3, 40, 10), ended.err
    assert set(box.ledger.numbers().values()) == {1}
    assert len(box.ledger) == (50 if taken else 40)

    ended = await command("reconcile", "julio", "--journal", journal, "--vendor", "fifth", box=box)
    words = one_line(ended.out)
    if taken:
        assert ended.code == 0, ended.err
        assert "listed accepted 10 the list of its request has it" in words
        assert "Nothing is unknown any more" in words
    else:
        assert ended.code == 3
        assert "fifth: 10 still unknown" in words
        assert INFO.undecided in words
        assert "--repeat" not in words
        mark = ("mark", "not-sent", "julio", "--journal", journal, "--from", output, "--yes")
        ended = await command(*mark)
        assert (ended.code, ended.out.splitlines()[0]) == (0, "Marked as not-sent: 10. Still unknown: 0."), ended.err
        ended = await command("resume", "julio", "--journal", journal, "--vendor", "fifth", box=box)
        assert ended.code == 0, ended.err
    assert box.ledger.numbers() == {str(34600000000 + index): 1 for index in range(50)}
    labels = {one.params["label"] for one in box.ledger.requests if one.function == "messages"}
    assert labels == {"a b"}  # also where it came from the journal alone


@pytest.mark.slow
async def test_stopped_for_want_of_money_it_goes_on_without_the_list(
    box: Sandbox, vendor: Fifth, tmp_path: Path, journal: Path
) -> None:
    vendor.left = Decimal(1)
    people = write_people(tmp_path / "people.csv", 60)
    ended = await command("send", people, *SEND, "--campaign", "julio", "--journal", journal, box=box)
    assert ended.code == 4, ended.err
    vendor.left = Decimal(100)
    ended = await command("resume", "julio", "--journal", journal, "--vendor", "fifth", "--json", box=box)
    assert (ended.code, found(ended)["accepted"]) == (0, 60), ended.err
    assert box.ledger.numbers() == {str(34600000000 + index): 1 for index in range(60)}
    assert {one.params["label"] for one in box.ledger.requests} == {"a b"}


# ----------------------------------------------------------------------------------------------------------- help


@pytest.mark.slow
async def test_helps_name_it_and_its_variables() -> None:
    ended = await command("send", "--help")
    words = one_line(ended.out)
    assert "--vendor [envia_sms|enviatusms|fifth|mensatek|smsgateway24]" in words
    assert "--label WORDS fifth: Under which label its pages file the message." in words
    assert KEY in words
    words = one_line((await command("reconcile", "--help")).out)
    assert "fifth: its list of what came in a request." in words
    assert KEY in words
    assert "MENSASDK_FIFTH_CALLBACK_USER, MENSASDK_FIFTH_CALLBACK_PASSWORD (Basic" in one_line(
        (await command("receive", "--help")).out
    )
    assert "fifth" not in (await run("send", "--help")).out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["--help"], []),
        (["send", "--help"], ["fifth_vendor", "fifth_vendor.info"]),
        (["receive", "--help"], ["fifth_vendor", "fifth_vendor.info"]),
        (["check", "people.csv", "--vendor", "mensatek", "--text", "Hola"], ["fifth_vendor", "fifth_vendor.info"]),
    ],
)
def test_it_is_not_loaded_before_it_is_asked_for(tmp_path: Path, arguments: list[str], loaded: list[str]) -> None:
    write_people(tmp_path / "people.csv", 1)
    code = (
        f"import sys; sys.argv[1:] = {arguments!r}\n"
        "from mensasdk.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(sorted(name for name in sys.modules if name.startswith('fifth')), file=sys.stderr)"
    )
    environment = {"PYTHONPATH": path_with(FIFTH)}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, cwd=tmp_path
    )
    assert ended.stderr.splitlines()[-1] == str(loaded)


# ------------------------------------------------------------------------------------------------------ in process


async def test_the_sender_takes_its_client(box: Sandbox, vendor: Fifth, tmp_path: Path) -> None:
    """And so do a router beside one of ours, and a journal: nothing of it needs the package to be installed."""
    options = FifthOptions(label="x")
    messages = [Message(f"+{34600000000 + index}", "Hola", options=options) for index in range(50)]
    async with FifthClient(**box.credentials("fifth"), base_url=box.base_url("fifth")) as client:
        assert client.vendor == INFO.name
        box.fail("fifth", function="messages", fault=Fault.RESET, when="after", nth=2)
        sender = BatchSender(client, max_recipients=10, max_in_flight=1, journal=SqliteJournal(tmp_path / "journal"))
        report = await sender.send(messages, campaign="julio")
        assert (report.accepted, report.unknown, report.credits) == (40, 10, {"fifth": (Decimal(2), "credits")})
        report = await sender.reconcile("julio")
        assert (report.accepted, report.unknown) == (10, 0)
        assert {one.params["label"] for one in box.ledger.requests if one.function == "messages"} == {"x"}
        assert (await client.get_account()).left == vendor.left == Decimal("997.5")

        place = box.base_url("smsgateway24")
        async with SmsGateway24Client(**box.credentials("smsgateway24"), base_url=place, device_id="260") as other:
            router = Router([Route(client, countries={"PT"}, options=options), Route(other)])
            people = [Message(number, "Hola") for number in ("+351912345678", "+34600000001")]
            outcomes = [one async for one in BatchSender(router).stream(people)]
    assert {(one.message.to, one.vendor, one.kind) for one in outcomes} == {
        ("+351912345678", "fifth", OutcomeKind.ACCEPTED),
        ("+34600000001", "smsgateway24", OutcomeKind.ACCEPTED),
    }
    assert len(box.ledger) == 52


async def test_its_refusals_are_errors_of_ours(box: Sandbox) -> None:
    async with FifthClient("wrong", base_url=box.base_url("fifth")) as client:
        with pytest.raises(AuthError) as caught:
            await client.get_account()
    assert (caught.value.vendor, caught.value.code, caught.value.outcome) == ("fifth", "bad_key", OutcomeKind.REJECTED)
