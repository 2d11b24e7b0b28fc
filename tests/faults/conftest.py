"""The raw servers of the transport's tests, and the findings of this run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "transport"))

from . import tables  # noqa: F401 - it registers the rows of the document
from .findings import FINDINGS, Findings


@pytest.fixture
def findings() -> Findings:
    """What the run has found so far. The test of the table comes last and reads them."""
    return FINDINGS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The table is compared when everything that it tells of has run."""
    items.sort(key=lambda item: item.get_closest_marker("after_all_cells") is not None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "after_all_cells: runs when every cell of the fault matrix has run")
