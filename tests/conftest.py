"""What all tests share: a sandbox over real sockets, and clients that talk to it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from installed import FIFTH

from mensasdk import MensatekClient, registry
from mensasdk.sandbox import Sandbox

# The ordinary run is the same each time, so that a red one is due to a change; the long one looks for what is new.
settings.register_profile("seeded", derandomize=True, deadline=None)
settings.register_profile("long", deadline=None)
settings.load_profile("long" if os.environ.get("MENSASDK_LONG") else "seeded")

# Tests may import the fifth vendor, and it is not installed: it would be a vendor of every test otherwise.
sys.path.insert(0, str(FIFTH))
importlib.import_module("fifth_vendor")
sys.path.remove(str(FIFTH))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Puts a folder with packages onto the path of this process, until the test has ended."""

    def put(folder: Path) -> None:
        monkeypatch.syspath_prepend(folder)
        registry.vendors.cache_clear()

    yield put
    monkeypatch.undo()
    registry.vendors.cache_clear()


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
