"""List what every journal has to do, so that a journal of your own can be tested."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from mensasdk.testing.case import CASES, Case

__all__ = ["Case", "journal_conformance"]

_MODULES = ("claims", "outcomes", "charges", "reports", "campaigns")


def journal_conformance() -> Sequence[Case]:
    """Return the duties of every journal, each with a check.

    ::

        pytest.register_assert_rewrite("mensasdk.testing")  # in conftest.py: a failure then shows the values


        @pytest.mark.parametrize("case", journal_conformance(), ids=str)
        async def test_my_journal(case: Case) -> None:
            await case.run(MyJournal())

    A case needs an empty journal, in which no campaign is open.
    """
    for name in _MODULES:
        importlib.import_module(f"mensasdk.testing.journal_{name}")
    return tuple(CASES)
