"""A sandbox over real sockets and clients that talk to it, the loops that tests run on, and the tiers of tests."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from installed import FIFTH
from postgres_server import PostgresServer, Unavailable
from tiers import LONG

from mensasdk import MensatekClient, registry
from mensasdk.sandbox import Sandbox

pytest.register_assert_rewrite("mensasdk.testing")

# The ordinary run is the same each time, so that a red one is due to a change; the long one looks for what is new.
settings.register_profile("seeded", derandomize=True, deadline=None, max_examples=30)
settings.register_profile("long", deadline=None)
settings.load_profile("long" if LONG else "seeded")

# Tests may import the fifth vendor, and it is not installed: it would be a vendor of every test otherwise.
sys.path.insert(0, str(FIFTH))
importlib.import_module("fifth_vendor")
sys.path.remove(str(FIFTH))


# --------------------------------------------------------------------------------------------------------------- tiers
def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of ``make test-fast``."""
    parser.addoption(
        "--fast", action="store_true", help="leave out slow tests, and all but two parameters of the others"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks of the tiers and of the loops."""
    config.addinivalue_line("markers", "slow: takes long, starts processes or waits; not in `make test-fast`")
    config.addinivalue_line("markers", "long: takes minutes; in `make test-long` alone")
    config.addinivalue_line("markers", "all_loops: runs on every event loop in `make test` too, as a sample")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is long, save in the long run; in the fast run, keep the first and last of a test's parameters."""
    for item in items:
        if not LONG and item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.skip(reason="make test-long runs it"))
    if config.getoption("--fast"):
        families: dict[str, list[pytest.Item]] = {}
        for item in items:
            families.setdefault(item.nodeid.partition("[")[0], []).append(item)
        kept = {
            item
            for family in families.values()
            for item in (family[0], family[-1])
            if item.get_closest_marker("slow") is None and item.get_closest_marker("long") is None
        }
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]


# --------------------------------------------------------------------------------------------------------------- loops
def _eager() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
    return loop


def _loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if sys.platform != "win32":
        loops["uvloop"] = importlib.import_module("uvloop").new_event_loop
    if sys.version_info >= (3, 12):
        loops["eager"] = _eager
    return loops


LOOPS = _loops()
ON_ALL_LOOPS = ("campaign", "delivery", "journal", "transport")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give the loops that a test runs on: asyncio's, and all of them in the long run of some rooms and for a sample."""
    room = item.path.relative_to(Path(__file__).parent).parts[0]
    if (LONG and room in ON_ALL_LOOPS) or item.get_closest_marker("all_loops") is not None:
        return LOOPS
    return {"asyncio": LOOPS["asyncio"]}


# --------------------------------------------------------------------------- the fault matrix, from several processes
def _findings() -> Any:
    """Return what the tests of the faults found in this process, or None where none of them was collected."""
    faults = sys.modules.get("faults.findings")
    return None if faults is None else faults.FINDINGS


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist found."""
    packed = getattr(node, "workeroutput", {}).get("findings")
    if packed is not None:
        importlib.import_module("faults.conftest")
        _findings().merge(packed)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Compare the document with what the tests found, in all processes; a difference is a failure like any other."""
    findings = _findings()
    if findings is None:
        return
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["findings"] = findings.packed()
        return
    if findings.complete and os.environ.get("MENSASDK_WRITE_DOCS"):
        findings.write()
    if difference := findings.difference(whole=session.testsfailed == 0):
        place = "docs/fault-matrix.md"
        failure = pytest.TestReport(place, (place, None, place), {}, "failed", difference, "call")
        session.config.hook.pytest_runtest_logreport(report=failure)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# ------------------------------------------------------------------------------------------------------------ fixtures
@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Return a function that puts a folder with packages onto the path of this process until the test has ended."""

    def put(folder: Path) -> None:
        monkeypatch.syspath_prepend(folder)
        registry.vendors.cache_clear()

    yield put
    monkeypatch.undo()
    registry.vendors.cache_clear()


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    """Start the vendors, emulated on loopback, with a ledger that knows what was really accepted."""
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start a PostgreSQL server, one for each process that runs tests; without one the test is skipped."""
    try:
        server = PostgresServer()
    except Unavailable as why:
        pytest.skip(f"PostgreSQL: {why}")
    yield server
    server.close()


@pytest.fixture
async def dsn(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """Return the DSN of a database with the empty tables of a journal."""
    made = await postgres_server.new_database()
    yield made
    await postgres_server.give_back(made)


@pytest.fixture
async def mensatek(box: Sandbox) -> AsyncIterator[MensatekClient]:
    """Return a client of the sandbox's Mensatek."""
    async with MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek")) as client:
        yield client


@pytest.fixture
async def log(caplog: pytest.LogCaptureFixture) -> AsyncIterator[pytest.LogCaptureFixture]:
    """Return the log with everything in it, each step of the loop too, save what an aiohttp server of a test logs."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.CRITICAL, "aiohttp.access"):
        yield caplog
    loop.set_debug(False)
