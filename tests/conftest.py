"""What all tests share: a sandbox over real sockets, and clients that talk to it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from mensasdk import MensatekClient
from mensasdk.sandbox import Sandbox

# The ordinary run is the same each time, so that a red one is due to a change; the long one looks for what is new.
settings.register_profile("seeded", derandomize=True, deadline=None)
settings.register_profile("long", deadline=None)
settings.load_profile("long" if os.environ.get("MENSASDK_LONG") else "seeded")


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
