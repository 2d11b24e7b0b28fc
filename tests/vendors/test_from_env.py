"""``Client.from_env``: the same names as the command's, and an error that names what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mensasdk import ConfigurationError, Timeouts
from mensasdk.cli.input.config import load_settings
from mensasdk.registry import VendorInfo, load, variable, vendors
from mensasdk.sandbox import Sandbox

INFOS = pytest.mark.parametrize("info", vendors().values(), ids=lambda info: info.name)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for info in vendors().values():
        for name in (*info.credentials, *info.credentials_instead, "base_url"):
            monkeypatch.delenv(variable(info.name, name), raising=False)


def put(monkeypatch: pytest.MonkeyPatch, info: VendorInfo, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(variable(info.name, name), str(value))


@INFOS
async def test_it_makes_a_client_that_works(info: VendorInfo, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, info, {**box.credentials(info.name), "base_url": box.base_url(info.name)})
    client: Any = load(info.client).from_env(timeouts=Timeouts(total=5))
    async with client:
        assert type(client) is load(info.client)
        assert client.base_url == box.base_url(info.name)
        if info.balance is not None:
            assert await info.balance(client) is not None
        else:
            await client.list_devices()


@INFOS
def test_the_names_are_those_of_the_command(info: VendorInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*info.credentials, "base_url"):
        assert variable(info.name, name) == f"MENSASDK_{info.name.upper()}_{name.upper()}"
    put(monkeypatch, info, {**dict.fromkeys(info.credentials, "x"), "base_url": "https://example.com/a"})
    settings = load_settings(info, file=None, base_url=None)
    assert settings.base_url == load(info.client).from_env().base_url
    assert settings.secrets == dict.fromkeys(info.credentials, "x")


@INFOS
def test_what_is_missing_is_named(info: VendorInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    client = load(info.client)
    with pytest.raises(ConfigurationError) as caught:
        client.from_env()
    assert all(variable(info.name, name) in caught.value.message for name in info.credentials)
    for lacking in info.credentials if len(info.credentials) > 1 else ():
        put(monkeypatch, info, dict.fromkeys(info.credentials, "secret-canary"))
        monkeypatch.setenv(variable(info.name, lacking), "  ")
        with pytest.raises(ConfigurationError, match=rf"^{variable(info.name, lacking)} is not set$") as caught:
            client.from_env()


@INFOS
def test_what_is_given_goes_before_the_environment(info: VendorInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, info, {"base_url": "https://example.com/env"})
    given = dict.fromkeys(info.credentials, "x")
    client = load(info.client).from_env(**given, base_url="https://example.com/given", default_country="ES")
    assert (client.base_url, client.default_country) == ("https://example.com/given", "ES")
    assert load(info.client).from_env(**given).base_url == "https://example.com/env"


def test_other_credentials_do_as_well_and_leave_the_first_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    info = vendors()["smsgateway24"]
    put(monkeypatch, info, {"token": "t", "email": "half of a pair"})
    client: Any = load(info.client).from_env()
    assert not client._session.can_log_in


def test_an_argument_that_there_is_not_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    info = vendors()["enviatusms"]
    put(monkeypatch, info, {"api_key": "x"})
    with pytest.raises(TypeError, match="nonsense"):
        load(info.client).from_env(nonsense=1)
