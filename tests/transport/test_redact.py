"""A secret shows itself only where it is asked to, and a URL keeps its keys and loses its values."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensasdk.errors import ConfigurationError
from mensasdk.transport import HttpRequest, HttpResponse, Secret, check_base_url, redact_url

CANARY = "kanarivogel/+ñ"


@attrs.frozen
class AttrsConfig:
    token: Secret


@dataclasses.dataclass
class DataclassConfig:
    token: Secret


SHOWN: list[Callable[[Secret], Any]] = [
    repr,
    str,
    ascii,
    "{}".format,
    lambda secret: f"{secret} {secret!r}",
    lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - loggers do it this way
    lambda secret: repr([secret, {"key": secret}]),
    lambda secret: repr(AttrsConfig(secret)),
    lambda secret: repr(attrs.asdict(AttrsConfig(secret))),
    lambda secret: repr(DataclassConfig(secret)),
    lambda secret: repr(dataclasses.asdict(DataclassConfig(secret))),
    lambda secret: json.dumps(attrs.asdict(AttrsConfig(secret)), default=str),
    lambda secret: orjson.dumps(attrs.asdict(AttrsConfig(secret)), default=str).decode(),
    lambda secret: repr(HttpRequest("GET", "https://x", secret_headers={"A": secret}, secret_query={"t": secret})),
]


@pytest.mark.parametrize("show", SHOWN)
def test_a_secret_is_shown_as_stars(show: Callable[[Secret], str]) -> None:
    shown = show(Secret(CANARY))
    assert "***" in shown
    assert "kanari" not in shown


REFUSED: list[Callable[[Secret], Any]] = [
    pickle.dumps,
    lambda secret: pickle.dumps(AttrsConfig(secret), protocol=2),
    json.dumps,
    orjson.dumps,
    lambda secret: "".join([secret]),  # type: ignore[list-item]
    lambda secret: "Bearer " + secret,  # type: ignore[operator]
    lambda secret: f"{secret:>40}",
    vars,
]


@pytest.mark.parametrize("leak", REFUSED)
def test_a_secret_cannot_be_used_as_text_or_carried_away(leak: Callable[[Secret], Any]) -> None:
    with pytest.raises(TypeError) as caught:
        leak(Secret(CANARY))
    assert "kanari" not in str(caught.value)


def test_a_secret_is_no_string_and_gives_itself_when_asked() -> None:
    assert not isinstance(Secret(CANARY), str)
    assert Secret(CANARY).reveal() == CANARY
    assert copy.deepcopy(Secret(CANARY)).reveal() == CANARY


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cc"])),
    st.text(alphabet=st.characters(exclude_categories=["Cc"])),
)
def test_secrets_are_equal_and_hash_as_their_values_do(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) == (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))
    assert len({Secret(one), Secret(other)}) == len({one, other})
    assert bool(Secret(one)) == bool(one)
    assert Secret(one) != one


def test_a_secret_of_odd_bytes_from_the_environment_compares_without_an_error() -> None:
    odd = b"contrase\xf1a".decode("utf-8", "surrogateescape")
    assert Secret(odd) == Secret(odd)
    assert Secret(odd) != Secret("contraseña")


@pytest.mark.parametrize(
    "value", ["kanari\n", "kanari\r\nX: 1", "kanari\x00", "kanari\x7f", b"kanari", None, 5], ids=repr
)
def test_what_cannot_be_a_secret_is_refused_without_being_shown(value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Secret(value)
    assert "kanari" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.example/v7/x", "https://api.example/v7/x"),
        ("https://api.example/x?token=abc&to=1", "https://api.example/x?token=***&to=***"),
        ("https://api.example/x?token=abc#frag", "https://api.example/x?token=***#***"),
        ("https://user:pass@api.example/x", "https://api.example/x"),
        ("https://user:p@ss@api.example", "https://api.example"),
        ("https://api.example/x?", "https://api.example/x?"),
        ("https://api.example/x?abc", "https://api.example/x?***"),
        ("https://api.example/x?a=1=2&&b=", "https://api.example/x?a=***&b=***"),
        ("https://api.example/x?next=http://u:p@h/?t=abc", "https://api.example/x?next=***"),
        ("/x?token=abc", "/x?token=***"),
        ("", ""),
    ],
)
def test_a_url_keeps_its_keys_and_loses_values_and_credentials(url: str, shown: str) -> None:
    assert redact_url(url) == shown


_KEYS = st.text(alphabet="abcdefgh_[]", min_size=1, max_size=8)


@given(
    st.lists(st.tuples(_KEYS, st.text(max_size=12), st.booleans())),
    st.sampled_from(
        ["https://api.example/x", "http://127.0.0.1:80", "//api.example/x", "/x", "x y", "https://u:p@h/a"]
    ),
    st.text(max_size=10),
)
def test_no_query_value_and_no_fragment_survives(pairs: list[tuple[str, str, bool]], base: str, fragment: str) -> None:
    # Each value is marked with capitals, of which no key, base or mask has any.
    query = "&".join(
        f"{key}={quote('KANARI' + value, safe='') if encoded else 'KANARI' + value.replace('#', '')}"
        for key, value, encoded in pairs
    )
    shown = redact_url(f"{base}?{query}#KANARI{fragment}")
    assert "KANARI" not in shown
    for key, _, _ in pairs:
        assert f"{key}=***" in shown


@given(st.text(max_size=80))
def test_no_text_makes_redaction_fail_and_redacting_twice_changes_nothing(url: str) -> None:
    once = redact_url(url)
    assert redact_url(once) == once


@given(st.text(alphabet="abc&=?;", max_size=40))
def test_only_stars_stand_behind_an_equals_sign_in_a_query(query: str) -> None:
    shown = redact_url(f"https://h/p?{query}").partition("?")[2]
    assert all(pair.endswith("=***") or pair == "***" for pair in shown.split("&") if pair)


def test_requests_and_answers_do_not_show_bodies_queries_or_headers_of_answers() -> None:
    request = HttpRequest("POST", "https://h/p?to=KANARI", body=b"KANARI")
    answer = HttpResponse(200, {"set-cookie": "KANARI"}, b"KANARI")
    assert "KANARI" not in repr(request) + repr(answer)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.example/v7/", "https://api.example/v7"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_a_base_url_is_taken(url: str, kept: str) -> None:
    assert check_base_url(url) == kept


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example",
        "HTTP://api.example",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "http://127.0.0.1@api.example",
        "http://0.0.0.0",
        "ftp://api.example",
        "api.example",
        "https://",
        "https://user:kanari@api.example",
        "https://kanari@api.example",
        "https://api.example/?token=kanari",
        "https://api.example/#kanari",
        "https://[",
        "https://api.example\n",
        "https://api.exa mple",
        "",
    ],
)
def test_a_base_url_that_would_leak_or_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(url)
    assert "kanari" not in str(caught.value)
    assert caught.value.__context__ is None


def test_urlsplit_and_redaction_agree_on_the_host() -> None:
    url = "https://user:pass@api.example:8443/x?token=abc"
    assert urlsplit(redact_url(url)).netloc == "api.example:8443"
