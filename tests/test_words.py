"""Rules for docstrings that a program can check: each says in its first words what is done, or which thing it is."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import mensasdk

ROOT = Path(mensasdk.__file__).parent
# A new verb is welcome where none of these says it.
VERBS = """
Accept Add Answer Apply Approve Ask Await Begin Bring Build Call Cancel Carry Check Claim Close Compare Complete
Connect Convert Count Create Cut Declare Decode Delay Delete Do Draw Drop Empty Fill Find Get Give Grant Hand Import
Join Keep Let List Log Make Move Name Note Open Parse Pause Pay Place Plan Post Prepare Print Put Queue Raise Read
Receive Record Refuse Release Remove Repair Replace Report Reserve Restart Resume Return Round Run Save Send Serve
Set Settle Show Simulate Sort Spell Split Spoil Start Stop Store Submit Take Tell Turn Undo Upload Wait Wake Wrap
Write Yield
"""
# A sentence that begins so is a riddle: "What a message was on a lane that it went out on."
RIDDLES = """What Who Whom Whose How Where Whether Why Which When There It Somebody Something"""


@cache
def documented() -> list[tuple[str, ast.AST, str]]:
    """Return each docstring of the package: its place, its node, and its first word."""
    found: list[tuple[str, ast.AST, str]] = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text is not None:
                    line = getattr(node, "lineno", 1)
                    found.append((f"{path.relative_to(ROOT)}:{line}", node, text.split()[0].strip(".,:;")))
    return found


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function is read like an attribute, so that its docstring names a thing."""
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_the_docstring_of_a_function_begins_with_an_imperative_verb() -> None:
    found = {
        f"{place} {word}"
        for place, node, word in documented()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not is_property(node)
        and word not in VERBS.split()
    }
    assert not found


def test_no_docstring_begins_like_a_riddle() -> None:
    assert len(documented()) > 1000
    assert not {f"{place} {word}" for place, _, word in documented() if word in RIDDLES.split()}
