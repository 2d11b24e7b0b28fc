"""Facts of mensasdk's files: its parts, and what its code may not do."""

from __future__ import annotations

import ast
import re
import ssl
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

import mensasdk
from mensasdk import MensaError
from mensasdk.codec import Format, decode, structure
from mensasdk.vendors.mensatek import GetCredits
from mensasdk.vendors.mensatek.convert import CONVERTER

ROOT = Path(__file__).parent.parent.parent
SOURCE = Path(mensasdk.__file__).parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# Version 3.13.3 mends the unbounded decompression of requests and answers (CVE-2025-69223).
MENDED = (3, 13, 3)


def requirements() -> list[str]:
    project = PROJECT["project"]
    return [*project["dependencies"], *(one for group in project["optional-dependencies"].values() for one in group)]


def name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return found[0].lower().replace("_", "-")


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def test_no_aiohttp_with_the_decompression_bomb_can_be_installed() -> None:
    [wanted] = [one for one in PROJECT["project"]["dependencies"] if name(one) == "aiohttp"]
    [lowest] = re.findall(r">=\s*([\d.]+)", wanted)
    assert version(lowest) >= MENDED
    assert version(aiohttp.__version__) >= MENDED


def test_every_dependency_has_a_lower_bound_and_a_tested_version() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", pin) for pin in pins)
    tested = {name(pin) for pin in pins}
    for requirement in requirements():
        if name(requirement) == "mensasdk":
            continue
        assert ">=" in requirement, requirement
        assert name(requirement) in tested, requirement


def test_dependencies_come_from_the_registry_and_from_no_address() -> None:
    assert not [one for one in requirements() if "@" in one or "://" in one]
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert not re.search(r"curl|wget|--(extra-)?index-url|--trusted-host|https?://", make)


def test_the_audit_is_strict_and_no_test_depends_on_it() -> None:
    """Without --strict it calls a success what it could not look at."""
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    [recipe] = re.findall(r"^audit:.*\n((?:\t.*\n)+)", make, re.MULTILINE)
    assert re.search(r"pip-audit\b.* --strict\b", recipe)
    assert not re.search(r"^(test|lint|demo|bench):.*audit", make, re.MULTILINE)


def test_the_security_rules_of_the_linter_are_on() -> None:
    lint = PROJECT["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    # Each exception was looked at: jitter needs no secure random numbers, and assert is not used to check input.
    assert {one for one in lint["ignore"] if re.fullmatch(r"S\d+", one)} == {"S101", "S311"}
    assert lint["per-file-ignores"].get("mensasdk/**") is None


def calls() -> Iterator[tuple[Path, ast.Call]]:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path, node


@pytest.mark.slow
def test_certificates_are_never_left_unchecked() -> None:
    """No keyword, constant or function that would switch it off stands anywhere in the code."""
    for path, node in calls():
        for keyword in node.keywords:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            assert not (keyword.arg in {"ssl", "verify", "verify_ssl", "check_hostname"} and value is False), path
            assert not (keyword.arg == "trust_env" and value is True), path
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    assert not re.search(r"CERT_NONE|CERT_OPTIONAL|_create_unverified_context|check_hostname\s*=", text)
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED


@pytest.mark.slow
def test_nothing_is_evaluated_unpickled_or_run_in_a_shell() -> None:
    """One module makes functions as attrs does, and nothing of an answer gets into their source."""
    forbidden = {"eval", "exec", "__import__"}
    modules = {"pickle", "marshal", "shelve", "subprocess", "yaml", "dill"}
    found = {path.relative_to(SOURCE).as_posix() for path, node in calls()
             if isinstance(node.func, ast.Name) and node.func.id in forbidden}  # fmt: skip
    assert found <= {"codec/builder.py"}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {one.partition(".")[0] for one in names} & modules, path


HOSTILE = st.text() | st.sampled_from(
    [
        "'+exec('1/0')+'",
        "']\n1/0\n#",
        "Msgid']; 1/0 #",
        "\\",
        "'",
        '"',
        "\n",
        "{0}",
        "MſGID",
        "ﬁ",
        "__class__",
        "raw",
        "cls",
    ]
)


@pytest.mark.slow
@settings(max_examples=examples(200), deadline=None)
@given(extra=st.dictionaries(HOSTILE, st.integers() | st.text(), max_size=6))
def test_no_key_of_an_answer_becomes_code(extra: dict[str, Any]) -> None:
    """Its fields are read as if the other keys were not there."""
    answer = {"Cred": "9.5"}
    others = {key: value for key, value in extra.items() if key.casefold() not in {"cred", "res", "resp"}}
    for tree in ({**others, **answer}, {**answer, **others}):
        found = structure(CONVERTER, tree, GetCredits.answer, vendor=None)
        assert found.credits == Decimal("9.5")


def test_xml_is_parsed_in_one_place_which_refuses_a_doctype() -> None:
    """Entities need a DOCTYPE, and there is no other way to a parser."""
    importing = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if re.search(r"^\s*(?:from|import)\s+(?:xml|lxml)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert importing == {"codec/xml_body.py"}


@pytest.mark.parametrize(
    "body",
    [
        "<!DOCTYPE a><result><Res>1</Res></result>",
        '<?xml version="1.0"?><!DOCTYPE r SYSTEM "file:///etc/passwd"><r><Res>1</Res></r>',
        '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r><Res>&b;</Res></r>',
        '<!doctype r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]><r><Res>1</Res></r>',
    ],
)
def test_a_document_with_a_doctype_is_refused(body: str) -> None:
    with pytest.raises(MensaError):
        decode(body.encode(), expect=Format.XML, content_type="text/xml", vendor="mensatek")
