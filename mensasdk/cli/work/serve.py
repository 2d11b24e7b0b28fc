"""Run the sandbox as a server."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Sequence
from decimal import Decimal

import click

from mensasdk.cli.wording import of_option
from mensasdk.cli.work.signals import interrupts
from mensasdk.errors import ConfigurationError
from mensasdk.registry import vendor_info
from mensasdk.sandbox import Sandbox

__all__ = ["serve"]


async def serve(port: int, callback_urls: Sequence[str], balance: int) -> None:
    """Run the sandbox until a signal ends it, and print how to reach it.

    Args:
        port: port to listen on; 0 for any free one.
        callback_urls: values ``VENDOR=URL``: the address that a vendor posts its callbacks to.
        balance: balance of each account, in the vendor's own unit.

    Raises:
        ConfigurationError: a value of ``callback_urls`` is not of that form, names no vendor that calls back, or is not
            an address on this machine.
        OSError: the port is taken.
    """
    ended = asyncio.Event()
    box = Sandbox(port=port, keep_messages=False)
    for one in callback_urls:
        call_back(box, one)
    for vendor in box.vendors.values():
        vendor.fund(Decimal(balance))
    async with box:
        with interrupts(ended.set):
            click.echo(f"Sandbox on port {box.port}; nothing is ever sent. Ctrl-C ends it.\n")
            for name, vendor in box.vendors.items():
                click.echo(f"# {name}: paste these lines into another terminal")
                # These credentials open this sandbox only, and are new each time.
                for field, value in {**box.credentials(name), "base_url": box.base_url(name)}.items():
                    click.echo(f"export MENSASDK_{name.upper()}_{field.upper()}={value}")
                words = shlex.join(["mensasdk", "send", "people.csv", "--vendor", name, *vendor.send_options])
                click.echo(f'# and try: {words} --text "Hola"\n')
            sys.stdout.flush()
            await ended.wait()
        click.echo(f"\n{len(box.ledger):,} messages accepted.")


def call_back(box: Sandbox, wanted: str) -> None:
    """Let a vendor of the sandbox post its callbacks to an address.

    Args:
        box: the sandbox.
        wanted: ``VENDOR=URL``.

    Raises:
        ConfigurationError: it has another form, the vendor does not call back, or the address is not on this machine.
    """
    name, equals, url = wanted.partition("=")
    if not equals or "/" in name:
        raise ConfigurationError("--callback-url must look like VENDOR=URL")
    with of_option("--callback-url"):
        if vendor_info(name).callbacks is None:
            raise ConfigurationError(f"{name} calls nobody back", remedy="leave it out")
    problem = ""
    try:
        box.callbacks(url, vendor=name)
    except ValueError as error:
        problem = str(error)
    if problem:
        raise ConfigurationError(f"--callback-url: {problem}")
