"""``mensasdk sandbox``: emulated vendors as a server on this machine."""

from __future__ import annotations

import asyncio

import click

from mensasdk.cli.options import guarded
from mensasdk.cli.work.serve import serve
from mensasdk.errors import ConfigurationError

__all__ = ["command"]


@click.command("sandbox")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8025, show_default=True, help="Port; 0 for any free port."
)
@click.option(
    "--callback-url",
    "callback_urls",
    multiple=True,
    metavar="VENDOR=URL",
    help="Post a vendor's callbacks to this address, on this machine only; may be repeated.",
)
@click.option(
    "--balance",
    metavar="N",
    type=click.IntRange(0),
    default=1_000_000,
    show_default=True,
    help="Balance of each account.",
)
@guarded
def command(port: int, callback_urls: tuple[str, ...], balance: int) -> int:
    """Run emulated vendors on this machine until Ctrl-C. Nothing is ever sent."""
    try:
        asyncio.run(serve(port, callback_urls, balance))
    except OSError as error:
        raise ConfigurationError(f"the sandbox cannot start: {error.strerror}") from None
    return 0
