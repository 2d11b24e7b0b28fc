"""``mensasdk demo``: a whole campaign to watch, on this machine."""

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
    help="People to write to.",
)
@click.option(
    "--rate",
    type=click.FloatRange(1),
    show_default="1500",
    help="Most messages a second, per vendor; with --crash of all together, and a fifth of the rows by default.",
)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder for the files.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed makes the same people.")
@click.option("--crash", is_flag=True, help="Kill the process that sends, twice, and resume.")
@guarded
def command(rows: int | None, rate: float | None, output: Path | None, seed: int, crash: bool) -> int:
    """Watch a whole campaign: a list of people, four vendors that misbehave, and an account that adds up.

    With --crash the process that sends is killed in the middle (kill -9), resumed, and killed again; then it is found
    out what became of those that were under way.

    Everything happens on this machine; nothing is ever sent. Exits with 1 if the vendors' ledger and the report
    disagree in anything.
    """
    if crash:
        from mensasdk.cli.demo.crash import run_crash_demo

        return run_crash_demo(rows=rows or 2000, rate=rate, folder=output, seed=seed)
    from mensasdk.cli.demo.campaign import run_demo

    return run_demo(rows=rows or 5000, rate=rate or 1500, folder=output, seed=seed)
