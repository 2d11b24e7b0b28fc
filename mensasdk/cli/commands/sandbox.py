"""``mensasdk sandbox``: the emulated vendors as a server."""

from __future__ import annotations

import asyncio

import click

from mensasdk.cli.options import guarded
from mensasdk.cli.work.serve import serve
from mensasdk.errors import ConfigurationError

__all__ = ["command"]


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=8025, show_default=True, help="0 for any free port.")
@click.option("--callback-url", metavar="URL", help="Post Mensatek's reports to this address (loopback only).")
@click.option("--balance", metavar="N", type=click.IntRange(0), default=1_000_000, show_default=True, help="Credits.")
@guarded
def command(port: int, callback_url: str | None, balance: int) -> int:
    """Run the emulated vendors on this machine until Ctrl-C. Nothing is ever sent."""
    try:
        asyncio.run(serve(port, callback_url, balance))
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"the sandbox cannot start: {words}") from None
    return 0
