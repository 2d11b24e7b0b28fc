"""The other show: the process that sends is killed in the middle, twice, and still everybody is accounted for."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Final

from attrs import evolve, frozen
from rich.console import Console
from rich.text import Text

from mensasdk.cli.demo.campaign import command_name
from mensasdk.cli.demo.crash_checks import compare
from mensasdk.cli.demo.data import CALLING, ROUTES, SENDING, SHARES, TEXT, WHY, WISHES
from mensasdk.cli.demo.people import HOME, make_people
from mensasdk.cli.input.routes import Way, connect
from mensasdk.cli.show.deliveries import deliveries_table
from mensasdk.cli.show.reconcile import print_reconciled
from mensasdk.cli.show.tables import checks_table, figures_table, meter, output_console, print_note
from mensasdk.cli.vendors import Settings
from mensasdk.cli.work.campaign import Limits
from mensasdk.cli.work.deliveries import count_deliveries
from mensasdk.cli.work.receive import Count, TogetherJournal
from mensasdk.cli.work.reconcile import Reconciled, settle
from mensasdk.delivery import DeliveryLog, DeliveryReceiver
from mensasdk.errors import ConfigurationError
from mensasdk.journal import Record, State
from mensasdk.messages import OutcomeKind
from mensasdk.registry import variable
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.vendors import mensatek, smsgateway24

__all__ = ["run_crash_demo"]

CAMPAIGN: Final = "crash"
# Shares of the list that the vendors have when the process is killed.
DEATHS: Final = (0.4, 0.7)
_WISHES: Final = evolve(WISHES, options={**WISHES.options, "group_sends": True})


def run_crash_demo(*, rows: int, rate: float | None, folder: Path | None, seed: int) -> int:
    """Run the demo of crashes and print it.

    Args:
        rows: count of the people in the list.
        rate: most messages a second, of all vendors together; None for a fifth of the rows.
        folder: folder for the files; None for a new temporary one.
        seed: seed of the list.

    Returns:
        The exit code: 0 when the ledger and the journal agree in everything, else 1.

    Raises:
        ConfigurationError: the folder has a journal already.
    """
    folder = Path(tempfile.mkdtemp(prefix="mensasdk-demo-")) if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / "journal.sqlite"
    if journal.exists():
        raise ConfigurationError(f"{journal} is there already; choose another folder with --output")
    return asyncio.run(CrashDemo(output_console(), rows, rate or rows / 5, folder, journal, seed).run())


@frozen
class Moment:
    """Counts of the vendors and of the journal at one moment."""

    name: str
    taken: int
    counts: Mapping[State, int]
    left: int

    @property
    def row(self) -> Sequence[str]:
        """Cells of the table: taken, accepted, rejected, unknown, to be sent."""
        unknown = self.counts[State.IN_FLIGHT] + self.counts[State.UNKNOWN]
        known = (self.counts[State.ACCEPTED], self.counts[State.REJECTED], unknown, self.left)
        return [f"{self.taken:,}", *(f"{one:,}" for one in known)]


class CrashDemo:
    """One run of the demo of crashes.

    Args:
        console: where to print.
        rows: count of the people in the list.
        rate: most messages a second, of all vendors together.
        folder: folder for the files; it exists.
        journal: file of the journal; it does not exist yet.
        seed: seed of the list.
    """

    def __init__(self, console: Console, rows: int, rate: float, folder: Path, journal: Path, seed: int) -> None:
        self.console = console
        self.rows = rows
        self.people = make_people(folder / "people.csv", rows, seed)
        self.journal = TogetherJournal(journal)
        self.count = Count()
        people = self.people
        self.everybody = people.spain + people.venezuela + people.mexico + people.elsewhere
        rates = {vendor: round(max(1.0, rate * share), 1) for vendor, share in SHARES.items()}
        self.limits = Limits(rates=rates, max_recipients=max(5, min(40, rows // 50)), max_in_flight=4)
        self.moments: list[Moment] = []
        self.killed = 0

    async def run(self) -> int:
        """Run the demo; return its exit code."""
        async with AsyncExitStack() as stack:
            box = await stack.enter_async_context(Sandbox(delivery_delay=2.0, time_scale=0.5))
            self.box = box
            box.mensatek.account.blacklist = set(self.people.unwilling)
            box.mensatek.account.credits = box.envia_sms.account.credits = Decimal(10 * self.rows)
            box.enviatusms.account.balance = Decimal(self.rows)
            self.say("1", f"A list of {self.rows:,} people in six countries", str(self.people.path))
            self.say("2", "Four vendors on this machine", f"on port {box.port}, emulated; nothing is ever sent")
            await self.receivers(stack)
            for number, share in enumerate(DEATHS):
                await self.send_and_kill(number, share)
            await self.send_to_the_end()
            await self.wait_for_reports()
            unknown = await self.records(State.UNKNOWN)
            done = await self.reconcile()
            await box.drain()  # messages that were sent again have reports too
            self.print_what_is_left(done)
            self.console.print()
            self.console.print(deliveries_table(await count_deliveries(self.journal, CAMPAIGN)))
            self.print_moments()
            checks = compare(
                box.ledger,
                await self.records(*State),
                unknown,
                people=self.everybody,
                killed=(len(DEATHS), self.killed),
                reports=self.count.states.total(),
            )
        self.console.print()
        self.console.print(checks_table(checks, theirs="ledger", ours="journal"))
        self.console.print()
        good = all(theirs == ours for _, theirs, ours in checks)
        if good:
            self.console.print(Text("  Everything adds up.", style="bold green"))
        else:
            self.console.print(Text("  Something does not add up; see the marked lines.", style="bold red"))
        self.print_files()
        return 0 if good else 1

    # ---------------------------------------------------------------------------------------------------- the show

    def say(self, number: str, what: str, detail: str) -> None:
        """Print a step of the demo."""
        self.console.print(Text.assemble((f" {number} ", "bold cyan"), f"{what}  ", (detail, "dim")), soft_wrap=True)

    def tell(self, *parts: str | tuple[str, str]) -> None:
        """Print a line below a step."""
        self.console.print(Text("     ").append_text(Text.assemble(*parts)), soft_wrap=True)

    async def receivers(self, stack: AsyncExitStack) -> None:
        """Start the receivers of callbacks; they run on in this process while the sending process dies."""
        password, word = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        handle = self.count.handler(DeliveryLog(self.journal))
        first = DeliveryReceiver(mensatek.parse_callback, handle, user="demo", password=password)
        second = DeliveryReceiver(smsgateway24.parse_callback, handle, path_secret=word)
        self.box.callbacks(await stack.enter_async_context(first.serve()), vendor="mensatek", auth=("demo", password))
        self.box.callbacks(await stack.enter_async_context(second.serve()) + word, vendor="smsgateway24")
        self.say("3", "Two receivers for delivery reports", f"which keep them in {self.journal.path}")

    def slow_down(self, *, hang: bool) -> None:
        """Delay the answers, so that requests are under way at any moment.

        Args:
            hang: let one request of each vendor never arrive there, so that the death of the process meets it.
        """
        self.box.clear_faults()
        for vendor, (function, delay) in SENDING.items():
            if hang:
                self.box.fail(vendor, function=function, fault=Fault.HANG, when="before", nth=2)
            self.box.fail(vendor, function=function, fault=Fault.DELAY, delay=delay, times=None)

    async def send_and_kill(self, number: int, share: float) -> None:
        """Send or resume in a process of its own, and kill it when the vendors have a share of the messages.

        Args:
            number: which process it is, from 0.
            share: share of the list that the vendors have then.
        """
        self.slow_down(hang=True)
        process = await self.start(str(4 + number), resumed=number > 0)
        enough = int(self.everybody * share)
        await self.watch(process, until=lambda: len(self.box.ledger) >= enough)
        if process.returncode is None:
            process.kill()
            self.killed += 1
            words = f"kill -9 {process.pid}" if os.name == "posix" else f"process {process.pid} is ended by force"
            self.tell((words, "bold red"), f"  at {share:.0%} of the list")
        await self.ended(process)
        await asyncio.sleep(0.2)  # requests on their way arrive, though their sender is dead
        await self.look(f"killed at {share:.0%}")

    async def send_to_the_end(self) -> None:
        """Resume the campaign, and let it come to its end."""
        self.slow_down(hang=False)
        process = await self.start("6", resumed=True)
        await self.watch(process, until=lambda: False)
        await self.ended(process)
        await self.look("resumed to the end")

    async def watch(self, process: Process, *, until: Callable[[], bool]) -> None:
        """Show how many messages the vendors have taken, until ``until`` is true or the process has ended."""
        waiting = asyncio.ensure_future(process.wait())
        with meter(self.console, self.everybody, "taken by the vendors") as bar:
            while not waiting.done() and not until():
                bar.update(len(self.box.ledger))
                await asyncio.wait({waiting}, timeout=0.02)
        if not waiting.done():
            waiting.cancel()

    async def look(self, name: str) -> None:
        """Compare the vendors with the journal at this moment, and print both."""
        counts = await self.journal.progress(CAMPAIGN)
        left = self.everybody - sum(counts.values()) + counts[State.PENDING]
        moment = Moment(name, len(self.box.ledger), counts, left)
        self.moments.append(moment)
        records = await self.records(State.IN_FLIGHT, State.UNKNOWN)
        ledger = self.box.ledger.numbers()
        there = sum(ledger[record.number[1:]] > 0 for record in records)
        taken, accepted, rejected, unknown, rest = moment.row
        self.tell(
            ("ledger   ", "dim"), f"{taken} taken", (f"   ({there:,} of the unknown are among them)", "dim")
        )  # fmt: skip
        self.tell(
            ("journal  ", "dim"),
            (f"{accepted} accepted", "green"), " · ", (f"{rejected} rejected", "red"), " · ",
            (f"{unknown} unknown", "magenta"), " · ", f"{rest} to be sent",
        )  # fmt: skip

    async def wait_for_reports(self) -> None:
        """Wait for the last callbacks."""
        self.say("7", "Delivery reports", "the vendors' last ones come in")
        drained = asyncio.ensure_future(self.box.drain())
        expected = sum(one.vendor in CALLING for one in self.box.ledger.messages)
        with meter(self.console, expected, "with a final report") as bar:
            while not drained.done():
                bar.update(sum(count for state, count in self.count.states.items() if state.is_final))
                await asyncio.wait({drained}, timeout=0.1)
        drained.result()
        self.tell(self.count.line.plain)

    async def reconcile(self) -> Reconciled:
        """Ask the vendors about the unknown messages."""
        self.say("8", "What became of the unknown messages", "")
        self.command("reconcile", CAMPAIGN, "--journal", self.journal.path.name, "--repeat", "…")
        self.box.clear_faults()
        box = self.box
        ways = [
            Way(vendor, Settings(box.credentials(vendor), box.base_url(vendor)), countries)
            for vendor, countries in ROUTES.items()
        ]
        async with connect(ways, limits=self.limits, wishes=_WISHES, default_country=HOME) as (router, _):
            done = await settle(router, self.journal, CAMPAIGN, limits=self.limits, repeat=True, console=self.console)
        print_reconciled(self.console, done, show_left=False)
        return done

    # ----------------------------------------------------------------------------------------------------- children

    def options(self) -> Sequence[str]:
        """Return the options of the campaign; the credentials are in the environment."""
        routes = [f"{'*' if codes is None else ','.join(sorted(codes))}={vendor}" for vendor, codes in ROUTES.items()]
        return [
            *("--journal", str(self.journal.path), "--text", TEXT, "--default-country", HOME, "--report"),
            *(word for route in routes for word in ("--route", route)),
            *(word for vendor, rate in self.limits.rates.items() for word in ("--rate", f"{vendor}={rate}")),
            *("--max-recipients", str(self.limits.max_recipients), "--max-in-flight", str(self.limits.max_in_flight)),
            *("--group-sends", "--sender", WISHES.sender or "", "--device-id", _WISHES.options["device_id"]),
            *("--template", _WISHES.options["template"], "--text-variable", _WISHES.options["text_variable"]),
        ]

    async def start(self, number: str, *, resumed: bool) -> Process:
        """Start the command that a person would type, in a process of its own.

        Args:
            number: position of the step in the demo.
            resumed: resume the campaign, in place of sending it for the first time.
        """
        people, journal = self.people.path, self.journal.path
        if resumed:
            self.say(number, "The same list again", "messages that have an outcome, or are unknown, are passed over")
            words = ["resume", CAMPAIGN, str(people)]
            shown = ["resume", CAMPAIGN, people.name, "--journal", journal.name]
        else:
            self.say(number, "A process sends", "through all four, at the pace of a person who watches")
            words = ["send", str(people), "--campaign", CAMPAIGN]
            shown = ["send", people.name, "--campaign", CAMPAIGN, "--journal", journal.name]
        self.command(*shown, "…")
        environ = {name: value for name, value in os.environ.items() if not name.startswith("MENSASDK_")}
        for vendor in ROUTES:
            for name, value in {**self.box.credentials(vendor), "base_url": self.box.base_url(vendor)}.items():
                environ[variable(vendor, name)] = value
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mensasdk", *words, *self.options(), "--quiet"),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            env=environ,
        )

    def command(self, *words: str) -> None:
        """Print a command as a person would type it."""
        self.tell(("$ ", "dim"), (f"mensasdk {' '.join(words)}", "bold"))

    async def ended(self, process: Process) -> None:
        """Wait for the end of a process, and print its standard error."""
        _, said = await process.communicate()
        if said.strip():
            self.tell((said.decode(errors="replace").strip(), "red"))

    # -------------------------------------------------------------------------------------------------------- tables

    async def records(self, *states: State) -> Sequence[Record]:
        """Return the messages of the campaign that are in some states."""
        found: list[Record] = []
        while some := await self.journal.read(CAMPAIGN, after=found[-1].seq if found else -1, states=set(states)):
            found += some
        return found

    def print_what_is_left(self, done: Reconciled) -> None:
        """Print why messages are still unknown, and how a person decides about them."""
        self.console.print()
        if not done.unknown:
            print_note(self.console, Text("Nothing is unknown any more.", style="green"))
            return
        for vendor, counts in sorted(done.vendors.items()):
            if counts[OutcomeKind.UNKNOWN]:
                what = Text(f"{vendor}: {counts[OutcomeKind.UNKNOWN]:,} still unknown", style="magenta")
                print_note(self.console, what.append(f"; {WHY[vendor]}.", style="dim"))
        words = "About these a person decides, with the vendor's panel at hand:"
        print_note(self.console, Text(words, style="dim"))
        self.command("reconcile", CAMPAIGN, "--list", "--output unknown.csv", "…")
        self.command("mark", "accepted", CAMPAIGN, "--from unknown.csv", "…")

    def print_moments(self) -> None:
        """Print the counts of each moment."""
        table = figures_table("moment", "taken", "accepted", "rejected", "unknown", "to be sent")
        for moment in self.moments:
            table.add_row(moment.name, *moment.row)
        self.console.print()
        self.console.print(table)

    def print_files(self) -> None:
        """Print the files, and what to try next."""
        self.console.print()
        journal = str(self.journal.path)
        for name, what in (
            ("the list", str(self.people.path)),
            ("the journal", journal),
            ("try next", f"{command_name()} " + shlex.join(["reconcile", CAMPAIGN, "--journal", journal, "--list"])),
            ("or", f"{command_name()} " + shlex.join(["deliveries", CAMPAIGN, "--journal", journal])),
        ):
            self.console.print(Text.assemble((f"  {name:12}", "dim"), what), soft_wrap=True)
