"""What all tests share: a sandbox over real sockets, and clients that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mensasdk import MensatekClient
from mensasdk.sandbox import Sandbox


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    """The vendors, emulated on loopback, with a ledger that knows what was really accepted."""
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def mensatek(box: Sandbox) -> AsyncIterator[MensatekClient]:
    """A client of the sandbox's Mensatek."""
    async with MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek")) as client:
        yield client
