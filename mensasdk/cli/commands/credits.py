"""``mensasdk credits``: the balance of a vendor's account."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import click

from mensasdk.cli.input.config import load_settings
from mensasdk.cli.input.job import required
from mensasdk.cli.options import (
    base_url_option,
    credentials_help,
    credentials_option,
    guarded,
    json_option,
    vendor_option,
)
from mensasdk.cli.show.tables import money
from mensasdk.cli.vendors import make_client
from mensasdk.errors import ConfigurationError
from mensasdk.registry import vendor_info

__all__ = ["command"]


@click.command("credits", epilog=credentials_help())
@vendor_option
@json_option
@base_url_option
@credentials_option
@guarded
def command(vendor: str | None, as_json: bool, base_url: str | None, credentials: Path | None) -> int:
    """Print the balance of a vendor's account, in credits, or in money where the vendor counts in money."""
    info = vendor_info(required(vendor))
    ask = info.balance
    if ask is None:
        raise ConfigurationError(f"{info.name} has no credits: {info.no_balance}")
    settings = load_settings(info, file=credentials, base_url=base_url)

    async def left() -> Decimal:
        client = make_client(info, settings)
        try:
            amount: Decimal = await ask(client)
            return amount
        finally:
            await client.aclose()

    amount = asyncio.run(left())
    in_money = info.unit != "credits"
    if as_json:
        told = {"balance": str(amount), "currency": info.unit} if in_money else {"credits": str(amount)}
        click.echo(json.dumps({"vendor": info.name, **told}))
    else:
        click.echo(f"{money(amount)} {info.unit}" if in_money else money(amount))
    return 0
