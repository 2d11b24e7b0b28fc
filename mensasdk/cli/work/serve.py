"""The sandbox as a server of its own."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from typing import Final

import click

from mensasdk.cli.work.signals import interrupts
from mensasdk.registry import vendors
from mensasdk.sandbox import Sandbox

__all__ = ["serve"]

# What to type next, for the vendors that want more than a text: the sandbox's own template and phone.
TRY: Final = {
    "envia_sms": 'mensasdk send people.csv --vendor envia_sms --template 02 --text-variable mensaje --text "Hola"',
    "smsgateway24": 'mensasdk send people.csv --vendor smsgateway24 --device-id 260 --text "Hola"',
}


async def serve(port: int, callback_url: str | None, balance: int) -> None:
    """Run the sandbox until somebody interrupts it, and print how to reach it.

    Raises:
        OSError: the port is taken.
        ValueError: ``callback_url`` is not on the loopback.
    """
    ended = asyncio.Event()
    async with Sandbox(port=port, callback_url=callback_url, keep_messages=False) as box:
        box.mensatek.account.credits = box.envia_sms.account.credits = Decimal(balance)
        box.enviatusms.account.balance = Decimal(balance)
        with interrupts(ended.set):
            click.echo(f"Sandbox on port {box.port}; nothing is ever sent. Ctrl-C ends it.\n")
            for vendor in vendors():
                click.echo(f"# {vendor}: paste these lines into another terminal")
                # These open this sandbox only, and are new each time.
                for name, value in {**box.credentials(vendor), "base_url": box.base_url(vendor)}.items():
                    click.echo(f"export MENSASDK_{vendor.upper()}_{name.upper()}={value}")
                click.echo(f"# and try: {TRY.get(vendor, f'mensasdk credits --vendor {vendor}')}\n")
            sys.stdout.flush()
            await ended.wait()
        click.echo(f"\n{len(box.ledger):,} messages accepted.")
