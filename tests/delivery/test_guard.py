"""The guard of callbacks, asked without a server: some may come in, and others not."""

from __future__ import annotations

import ast
import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import mensasdk.delivery.guard
from mensasdk.delivery.guard import Guard, Refusal

BASIC = ("Authorization", "Basic " + base64.b64encode(b"vendor:canary").decode())
FORM = ("content-type", "application/x-www-form-urlencoded")
OUTSIDE = "203.0.113.7"


def guard(**options: Any) -> Guard:
    return Guard(**{"user": "vendor", "password": "canary", "path_secret": "word", "max_body": 100, **options})


def asked(
    who: Guard,
    headers: Sequence[tuple[str, str]] = (BASIC, FORM),
    *,
    method: str = "POST",
    path: str = "/word",
    peer: str | None = OUTSIDE,
    length: int | None = 100,
) -> Refusal | None:
    return who.refusal(method=method, path=path, headers=headers, peer=peer, length=length)


def test_who_has_both_secrets_comes_in() -> None:
    assert asked(guard()) is None
    assert asked(guard(), length=None) is None
    assert asked(guard(), [BASIC]) is None


def test_a_refusal_is_a_value_and_secrets_are_asked_for_before_anything_is_told() -> None:
    """With everything wrong at once, and then one thing after the other put right."""
    wrong: dict[str, Any] = {"method": "GET", "path": "/x", "peer": OUTSIDE, "length": 101}
    bad = [("Content-Encoding", "gzip"), ("Content-Type", "text/plain")]
    who = guard(allow_from=["198.51.100.0/24"])
    assert asked(who, bad, **wrong) == Refusal(403, "address not allowed")
    wrong["peer"] = "198.51.100.1"
    challenge = {"WWW-Authenticate": 'Basic realm="callbacks", charset="UTF-8"'}
    assert asked(who, bad, **wrong) == Refusal(401, "credentials required", challenge)
    bad.append(BASIC)
    assert asked(who, bad, **wrong) == Refusal(404, "not found")
    wrong["path"] = "/sms//word/"
    assert asked(who, bad, **wrong) == Refusal(405, "only POST", {"Allow": "POST"})
    wrong["method"] = "POST"
    assert asked(who, bad, **wrong) == Refusal(415, "compressed bodies are not accepted")
    assert asked(who, bad[1:], **wrong) == Refusal(415, "only JSON and forms")
    assert asked(who, bad[2:], **wrong) == Refusal(413, "body too large")
    wrong["length"] = 100
    assert asked(who, bad[2:], **wrong) is None


def test_headers_are_known_in_any_case_and_two_passwords_are_none() -> None:
    name, value = BASIC
    assert asked(guard(), [(name.upper(), value)]) is None
    assert asked(guard(), [BASIC, (name.lower(), value)]) == asked(guard(), [])


def test_forwarded_addresses_are_read_over_all_headers() -> None:
    who = guard(allow_from=[OUTSIDE], trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"])
    chain = [BASIC, ("X-Forwarded-For", f"198.51.100.1, {OUTSIDE}"), ("x-forwarded-for", "10.0.0.1")]
    assert asked(who, chain, peer="127.0.0.1") is None
    assert asked(who, [*chain, ("X-Forwarded-For", "198.51.100.1")], peer="127.0.0.1") == Refusal(
        403, "address not allowed"
    )


@pytest.mark.parametrize(
    ("peer", "welcome"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.4", False),
        ("fe80::1%eth0", False),
        ("", False),
        (None, False),
    ],
)
def test_without_a_secret_only_the_loopback_comes_in(peer: str | None, welcome: bool) -> None:
    who = Guard(insecure=True)
    assert who.loopback_only
    assert (asked(who, [], peer=peer) is None) == welcome


def test_what_it_shows_is_no_secret() -> None:
    assert str(guard()) == "password and path_secret"
    assert "canary" not in repr(guard()) + str(guard())
    assert str(Guard(insecure=True)) == "loopback only"


def test_it_knows_no_server() -> None:
    """So that another server can ask it, in a process that does not have aiohttp's."""
    tree = ast.parse(Path(mensasdk.delivery.guard.__file__).read_text(encoding="utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert "hmac" in modules
    assert not [name for name in modules if name.split(".")[0] in ("aiohttp", "starlette")]
    assert {name for name in modules if name.startswith("mensasdk")} == {"mensasdk.errors"}
