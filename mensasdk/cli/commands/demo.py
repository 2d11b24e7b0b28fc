"""``mensasdk demo``: a whole campaign on this machine, for a person to watch."""

from __future__ import annotations

from pathlib import Path

import click

from mensasdk.cli.options import guarded

__all__ = ["command"]


@click.command("demo")
@click.option(
    "--rows",
    type=click.IntRange(100, 1_000_000),
    show_default="5000, with --crash 2000",
    help="Count of the people in the list.",
)
@click.option(
    "--rate",
    type=click.FloatRange(1),
    show_default="1500",
    help="Most messages a second, for each vendor; with --crash for all together, by default a fifth of the rows.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files; by default a new temporary one.",
)
@click.option(
    "--seed", type=int, default=7, show_default=True, help="Seed of the list: the same seed makes the same people."
)
@click.option("--crash", is_flag=True, help="Kill the sending process twice, and resume the campaign.")
@guarded
def command(rows: int | None, rate: float | None, output: Path | None, seed: int, crash: bool) -> int:
    """Run a demo campaign: a list of people, four emulated vendors that misbehave, and a report that adds up.

    With --crash, the sending process is killed in the middle (kill -9), resumed, and killed again. Then the vendors are
    asked what became of the messages that were under way.

    Everything happens on this machine; nothing is ever sent. Exits with 1 if the report differs from the vendors'
    ledger in anything.
    """
    if crash:
        from mensasdk.cli.demo.crash import run_crash_demo

        return run_crash_demo(rows=rows or 2000, rate=rate, folder=output, seed=seed)
    from mensasdk.cli.demo.campaign import run_demo

    return run_demo(rows=rows or 5000, rate=rate or 1500, folder=output, seed=seed)
