"""The account that the command keeps, when the client, the disk or the list does not play along."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from tiers import examples

from mensasdk.cli.input.rows import BadRow, GoodRow
from mensasdk.cli.show.check import print_check
from mensasdk.cli.show.output import Output, open_output
from mensasdk.cli.show.tables import display, print_summary
from mensasdk.cli.work.campaign import Campaign, Limits, Summary
from mensasdk.cli.work.check import check_rows
from mensasdk.errors import ConfigurationError, ConnectionLost, InvalidRequest, MensaError, ValidationError
from mensasdk.limits import CircuitBreaker
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.transport import Gate
from mensasdk.vendors.batching import BatchResult, Doubt, Prepared

QUIET = Console(file=io.StringIO())


class FakeClient:
    """Takes everything, save texts that say what shall become of them."""

    vendor = "fake"
    max_recipients = 3
    default_country = None
    text_rule = None

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.hold: asyncio.Event | None = None

    def prepare(self, message: Message) -> Prepared:
        if message.text == "invalid":
            raise ValidationError(f"to (***{message.to[-3:]}) is wrong", field="to")
        return Prepared(message, message.to, message.text, None, 2)

    def group_key(self, item: Prepared) -> None:
        return None

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        return [None for _ in doubts]

    async def send_batch(
        self, batch: Sequence[Prepared], *, reference: str, gate: Gate, group: str | None = None
    ) -> BatchResult:
        await gate.enter()
        if self.hold is not None:
            await self.hold.wait()
        self.sent += [item.number for item in batch]
        fate = batch[0].message.text
        error: MensaError | None = None
        if fate == "rejected":
            error = InvalidRequest("no", code="-3")
        elif fate == "unknown":
            error = ConnectionLost("lost")
        if error is not None:
            raise error
        return BatchResult([Outcome(OutcomeKind.ACCEPTED, item.message, vendor="fake", parts=2) for item in batch])


def good(line: int, text: str = "accepted") -> GoodRow:
    return GoodRow(line, Message(str(34600000000 + line), text, place=line))


async def send(
    rows: Sequence[GoodRow | BadRow], *, client: FakeClient | None = None, output: Output | None = None, total: int = -1
) -> Summary:
    campaign = Campaign(
        client or FakeClient(), iter(rows), total=len(rows) if total < 0 else total, limits=Limits(), output=output
    )
    with display(QUIET, quiet=True) as progress:
        summary = await campaign.run(progress)
    assert summary.accepted + summary.rejected + summary.not_sent + summary.unknown == summary.done
    return summary


fates = st.sampled_from(["accepted", "rejected", "unknown", "invalid", "bad"])


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(fates, max_size=30))
def test_every_row_is_counted_once_and_written_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("campaign")
    source = folder / "people.csv"
    source.touch()
    rows: list[GoodRow | BadRow] = [
        BadRow(line, "1", "columns", "has 1 of 2 columns") if fate == "bad" else good(line, fate)
        for line, fate in enumerate(wanted, 2)
    ]
    output = open_output(folder / "results.csv", in_use=[source])
    summary = asyncio.run(send(rows, output=output))
    output.close()
    counts = Counter(wanted)
    assert (summary.accepted, summary.rejected, summary.unknown) == (
        counts["accepted"],
        counts["rejected"],
        counts["unknown"],
    )
    assert summary.bad_rows == summary.not_sent == counts["bad"] + counts["invalid"]
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    names = {"bad": "not_sent", "invalid": "not_sent"}
    assert {(line["line"], line["outcome"]) for line in lines} == {
        (str(line), names.get(fate, fate)) for line, fate in enumerate(wanted, 2)
    }
    assert len(lines) == len(wanted)
    expected = 3 if counts["unknown"] else 0 if counts["accepted"] == len(wanted) else 1
    assert summary.exit_code == expected


class FullDisk(io.StringIO):
    """Takes the header and two rows."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 3

    def write(self, text: str) -> int:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


async def test_a_full_disk_stops_the_campaign_and_the_report_still_adds_up() -> None:
    """Going on without a record of who got what would be worse than stopping."""
    client = FakeClient()
    output = Output(FullDisk(), as_csv=True)
    summary = await send([good(line) for line in range(2, 502)], client=client, output=output)
    assert summary.exit_code == 4
    assert summary.stopped == "the output file cannot be written: No space left on device"
    assert summary.done == 500
    assert summary.accepted == len(client.sent) < 500


async def test_a_list_that_breaks_off_is_reported_and_the_rest_counts_as_not_sent() -> None:
    def rows() -> Iterator[GoodRow]:
        yield good(2)
        yield good(3)
        raise ConfigurationError("the file changed")

    campaign = Campaign(FakeClient(), rows(), total=10, limits=Limits())
    with display(QUIET, quiet=True) as progress:
        summary = await campaign.run(progress)
    assert (summary.done, summary.accepted + summary.not_sent, summary.by_code["not_read"]) == (10, 10, 8)
    assert (summary.stopped, summary.exit_code) == ("the file changed", 4)


@pytest.mark.slow
async def test_rows_are_read_as_they_are_sent_and_not_ahead() -> None:
    """A list of a million people must not stand in memory."""
    taken = 0

    def rows() -> Iterator[GoodRow]:
        nonlocal taken
        for line in range(2, 20_002):
            taken += 1
            yield good(line)

    client = FakeClient()
    client.hold = asyncio.Event()
    campaign = Campaign(client, rows(), total=20_000, limits=Limits(max_in_flight=4))
    with display(QUIET, quiet=True) as progress:
        running = asyncio.create_task(campaign.run(progress))
        for _ in range(200):
            await asyncio.sleep(0)
        assert taken < 100
        client.hold.set()
        summary = await running
    assert summary.accepted == taken == 20_000


async def test_giving_up_makes_unknown_what_was_under_way_and_nothing_else() -> None:
    client = FakeClient()
    client.hold = asyncio.Event()
    campaign = Campaign(client, iter([good(line) for line in range(2, 102)]), total=100, limits=Limits(max_in_flight=2))
    with display(QUIET, quiet=True) as progress:
        running = asyncio.create_task(campaign.run(progress))
        for _ in range(100):
            await asyncio.sleep(0)
        campaign.interrupt()
        campaign.interrupt()
        summary = await running
    assert (summary.unknown, summary.not_sent, summary.done) == (6, 94, 100)
    assert summary.exit_code == 130


async def test_a_dry_run_plans_what_a_run_would_send() -> None:
    rows: list[GoodRow | BadRow] = [
        *(good(line) for line in range(2, 9)),
        good(2),
        good(10, "invalid"),
        BadRow(11, "", "missing_number", "x"),
    ]
    planned = await check_rows(FakeClient(), iter(rows), Limits())
    assert (planned.rows, planned.messages, planned.duplicates, planned.bad_rows) == (10, 7, 1, 2)
    assert (planned.preflight.parts, planned.preflight.by_parts, planned.preflight.requests) == (14, {2: 7}, 3)
    client = FakeClient()
    summary = await send(rows, client=client)
    assert summary.accepted == planned.messages
    assert planned.exit_code == 1


async def test_the_tables_show_no_number_in_full_and_nothing_that_a_terminal_obeys() -> None:
    rows: list[GoodRow | BadRow] = [
        good(2, "rejected"),
        good(3, "unknown"),
        good(4, "invalid"),
        BadRow(5, "+34 600 123 456", "columns", "has \x1b[31m +34600123456"),
    ]
    summary = await send(rows)
    console = Console(file=io.StringIO(), force_terminal=False, width=100)
    print_summary(console, summary)
    print_check(console, await check_rows(FakeClient(), iter(rows), Limits()))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "***456" in shown
    assert "1 message may or may not have gone out" in shown
    assert "600" not in shown
    assert "\x1b" not in shown


@pytest.mark.slow
async def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere() -> None:
    class Late(FakeClient):
        async def send_batch(
            self, batch: Sequence[Prepared], *, reference: str, gate: Gate, group: str | None = None
        ) -> BatchResult:
            await asyncio.sleep(0.2)
            return await super().send_batch(batch, reference=reference, gate=gate)

    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    campaign = Campaign(Late(), iter([good(line) for line in range(2, 12)]), total=10, limits=Limits(max_in_flight=1))
    with display(console, quiet=False) as progress:
        await campaign.run(progress)
    assert isinstance(console.file, io.StringIO)
    assert "10/10" in console.file.getvalue()
    assert "10 accepted" in console.file.getvalue()


def test_the_output_is_private_from_the_start_and_never_the_list_itself(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("to\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="a file that this command reads"):
        open_output(people, in_use=[people])
    with pytest.raises(ConfigurationError, match=r"\.csv or \.jsonl"):
        open_output(tmp_path / "results.xlsx", in_use=[people])
    with pytest.raises(ConfigurationError, match="cannot be written"):
        open_output(tmp_path / "none" / "results.csv", in_use=[people])
    loose = tmp_path / "results.jsonl"
    loose.touch(0o644)
    open_output(loose, in_use=[people]).close()
    assert loose.stat().st_mode & 0o777 == 0o600
    assert people.read_text(encoding="utf-8") == "to\n"


def test_a_breaker_pauses_unless_it_is_switched_off() -> None:
    assert Limits().route(FakeClient()).breaker == CircuitBreaker()
    assert Limits(breaker=False).route(FakeClient()).breaker is None
