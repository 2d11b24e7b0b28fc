"""Credentials of the command: the places that they come from, and that they go nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from mensasdk.cli.input.config import load_settings
from mensasdk.errors import ConfigurationError
from mensasdk.registry import vendor_info

ENVIRONMENT = {"MENSASDK_MENSATEK_API_USER": "env-user", "MENSASDK_MENSATEK_API_TOKEN": "env-token"}


def file(path: Path, content: str, mode: int = 0o600) -> Path:
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return file(
        tmp_path / "credentials.toml",
        '[mensatek]\napi_user = "file-user"\napi_token = "file-token"\nbase_url = "http://localhost:1/file"\n',
    )


def test_credentials_come_whole_from_the_first_place_that_has_any(good: Path) -> None:
    """A named file, the environment, the file that the environment names; never a mixture."""
    from_file = load_settings(vendor_info("mensatek"), file=good, base_url=None, environ=ENVIRONMENT)
    assert from_file.secrets == {"api_user": "file-user", "api_token": "file-token"}
    both = {**ENVIRONMENT, "MENSASDK_CREDENTIALS": str(good)}
    from_environment = load_settings(vendor_info("mensatek"), file=None, base_url=None, environ=both)
    assert from_environment.secrets == {"api_user": "env-user", "api_token": "env-token"}
    named = load_settings(
        vendor_info("mensatek"), file=None, base_url=None, environ={"MENSASDK_CREDENTIALS": str(good)}
    )
    assert named.secrets == from_file.secrets


def test_the_address_is_the_nearest_one_given(good: Path) -> None:
    """Somebody who points the environment at a sandbox must not reach the real vendor by way of a file."""
    environ = {"MENSASDK_MENSATEK_BASE_URL": "http://localhost:1/env"}
    assert (
        load_settings(vendor_info("mensatek"), file=good, base_url=None, environ={}).base_url
        == "http://localhost:1/file"
    )
    assert (
        load_settings(vendor_info("mensatek"), file=good, base_url=None, environ=environ).base_url
        == "http://localhost:1/env"
    )
    given = load_settings(vendor_info("mensatek"), file=good, base_url="http://localhost:1/given", environ=environ)
    assert given.base_url == "http://localhost:1/given"
    assert load_settings(vendor_info("mensatek"), file=None, base_url=None, environ=ENVIRONMENT).base_url is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(good: Path, mode: int) -> None:
    good.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_settings(vendor_info("mensatek"), file=good, base_url=None, environ={})


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, ["MENSASDK_MENSATEK_API_USER", "MENSASDK_MENSATEK_API_TOKEN", "MENSASDK_CREDENTIALS"]),
        ({"MENSASDK_MENSATEK_API_USER": "u"}, ["MENSASDK_MENSATEK_API_TOKEN is not set"]),
        ({**ENVIRONMENT, "MENSASDK_MENSATEK_API_TOKEN": "  "}, ["MENSASDK_MENSATEK_API_TOKEN is not set"]),
    ],
)
def test_what_is_missing_is_named_exactly(environ: dict[str, str], names: list[str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(vendor_info("mensatek"), file=None, base_url=None, environ=environ)
    assert all(name in refused.value.message for name in names)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "has no api_user and no api_token"),
        ('[mensatek]\napi_user = "u"\n', "has no api_token"),
        ('[mensatek]\napi_user = "u"\napi_token = s3cret\n', r"not valid TOML \(line 3\)"),
        ('[mensatek]\napi_user = "u"\napi_token = 53\n', "table of strings"),
        ('mensatek = "s3cret"\n', "table of strings"),
    ],
)
def test_a_file_that_is_wrong_is_explained_without_its_content(tmp_path: Path, content: str, part: str) -> None:
    path = file(tmp_path / "bad.toml", content)
    with pytest.raises(ConfigurationError, match=part) as refused:
        load_settings(vendor_info("mensatek"), file=path, base_url=None, environ={})
    assert "s3cret" not in refused.value.message
    assert "53" not in refused.value.message.replace(str(path), "")


def test_a_missing_file_is_an_error_and_not_a_fallback(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(vendor_info("mensatek"), file=tmp_path / "none.toml", base_url=None, environ=ENVIRONMENT)


def test_settings_do_not_show_their_secrets() -> None:
    assert "env-token" not in repr(
        load_settings(vendor_info("mensatek"), file=None, base_url=None, environ=ENVIRONMENT)
    )
