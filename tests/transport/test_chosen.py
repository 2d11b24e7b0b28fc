"""The fault matrix can be run against a transport of one's own, and reaches every place where one is made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from chosen import found

from mensasdk.transport import AiohttpTransport

TESTS = Path(__file__).parent.parent
MATRIX = "tests/faults/test_fault_matrix.py::test_a_fault_of_the_network_ends_each_call_as_it_has_to"
OWN = """
from mensasdk.transport import AiohttpTransport


class Own(AiohttpTransport):
    async def send(self, request, *, timeouts):
        raise RuntimeError("this is the one")
"""


def test_a_transport_is_found_by_its_name() -> None:
    assert found("mensasdk.transport:AiohttpTransport") is AiohttpTransport
    with pytest.raises(ImportError):
        found("mensasdk.no_such_module:Transport")
    with pytest.raises(AttributeError):
        found("mensasdk.transport:NoSuchTransport")


@pytest.mark.parametrize(
    "path", [*sorted((TESTS / "faults").glob("*.py")), Path(__file__).with_name("test_aiohttp_transport.py")], ids=str
)
def test_none_of_the_tests_that_can_be_given_another_transport_makes_one_by_itself(path: Path) -> None:
    assert "AiohttpTransport(" not in path.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "test",
    [
        "tests/transport/test_aiohttp_transport.py::test_cookies_are_not_kept",
        f"{MATRIX}[connection refused]",
    ],
)
def test_the_transport_that_the_environment_names_is_the_one_that_is_tested(test: str, tmp_path: Path) -> None:
    (tmp_path / "my_transport.py").write_text(OWN, encoding="utf-8")
    environment = {
        **os.environ,
        "MENSASDK_TEST_TRANSPORT": "my_transport:Own",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(TESTS.parent)]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", test],
        cwd=TESTS.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "this is the one" in done.stdout
