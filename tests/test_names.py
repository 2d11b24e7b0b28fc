"""`docs/names.md` has every public name, once, and each leads to a page that is there."""

from __future__ import annotations

import re
from pathlib import Path

import mensasdk

DOCS = Path(__file__).parent.parent / "docs"
ROWS = re.findall(
    r"^\| `(\w+)` \| (.+) \| \[[^\]]+\]\(([^)#]+)(?:#([^)]+))?\) \|$",
    (DOCS / "names.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def anchors(page: Path) -> set[str]:
    """Return the headings of a page, as links name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_list_has_every_public_name_once() -> None:
    assert sorted(name for name, *_ in ROWS) == sorted(set(mensasdk.__all__) - {"__version__"})


def test_each_name_leads_to_a_heading_that_is_there() -> None:
    lost = [
        f"{name}: {page}#{anchor}"
        for name, _, page, anchor in ROWS
        if not (DOCS / page).is_file() or (anchor and anchor not in anchors(DOCS / page))
    ]
    assert not lost
