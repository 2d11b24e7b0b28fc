"""Vendors that a box emulates: all that the registry has, those of other packages as well, and those it is given."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest
from fifth_vendor.callbacks import parse_callback
from fifth_vendor.emulator import Fifth
from installed import FIFTH, install

from mensasdk import registry
from mensasdk.delivery import DeliveryReceiver
from mensasdk.messages import DeliveryState
from mensasdk.sandbox import EnviaTuSms, Fault, Mensatek, Sandbox, Vendor

OURS = ["envia_sms", "enviatusms", "mensatek", "smsgateway24"]


async def test_a_vendor_of_another_package_is_emulated_like_ours(installed: Callable[[Path], None]) -> None:
    """Credentials, answers, the ledger, faults and callbacks, over sockets, and nobody names it to the box."""
    installed(FIFTH)
    got: list[Any] = []

    async def store(value: Any) -> None:
        got.append(value)

    receiver = DeliveryReceiver(parse_callback, store, insecure=True)
    async with Sandbox() as box, receiver.serve() as url, aiohttp.ClientSession() as session:
        assert list(box.vendors) == [*OURS[:2], "fifth", *OURS[2:]]
        assert isinstance(box.fifth, Fifth)
        assert box.fifth is box.vendor("fifth") is box.vendors["fifth"]

        async def send() -> tuple[int, Any]:
            body = {"batch": "b-1", "messages": [{"to": "34600000000", "text": "Hola"}]}
            headers = {"X-Key": box.credentials("fifth")["key"]}
            async with session.post(f"{box.base_url('fifth')}/messages", json=body, headers=headers) as answer:
                return answer.status, (await answer.json(content_type=None)).get("ok")

        assert await send() == (200, True)
        assert [(one.vendor, one.number) for one in box.ledger.messages] == [("fifth", "34600000000")]
        box.fail("fifth", function="messages", fault=Fault.STATUS, status=503, body="{}", when="before")
        assert (await send())[0] == 503
        assert len(box.ledger) == 1
        box.callbacks(url, vendor="fifth")
        await send()
        await box.drain()
        assert await box.post_callback("fifth", {"id": "f-9", "to": "34600000000", "state": "failed"})
        assert [(one.id, one.to_delivery().state) for one in got] == [
            ("f-2", DeliveryState.DELIVERED),
            ("f-9", DeliveryState.FAILED),
        ]
        with pytest.raises(NotImplementedError, match="fifth"):
            await box.incoming("fifth", "34600000000", "Hola")


async def test_a_vendor_without_an_emulator_is_left_out(installed: Callable[[Path], None], tmp_path: Path) -> None:
    lines = ("from attrs import evolve", "from fifth_vendor.info import INFO", "SILENT = evolve(INFO, emulator=None)")
    (tmp_path / "fifth_without_emulator.py").write_text("\n".join(lines))
    installed(install(tmp_path, fifth="fifth_without_emulator:SILENT"))
    assert "fifth" in registry.vendors()
    assert list(Sandbox().vendors) == OURS


def test_without_that_package_there_are_ours() -> None:
    assert list(Sandbox().vendors) == OURS


def test_a_vendor_that_is_given_stands_in_for_the_registrys(installed: Callable[[Path], None]) -> None:
    installed(FIFTH)
    fifth, mensatek = Fifth("k-6"), Mensatek()
    box = Sandbox(fifth=fifth, mensatek=mensatek)
    assert box.fifth is fifth
    assert box.mensatek is mensatek
    assert box.credentials("fifth") == {"key": "k-6"}


def test_a_vendor_that_no_package_names_can_be_given_too() -> None:
    fifth = Fifth()
    box = Sandbox(fifth=fifth)
    assert box.fifth is fifth
    assert sorted(box.vendors) == sorted([*OURS, "fifth"])


def test_each_box_has_vendors_of_its_own() -> None:
    first, second = Sandbox(), Sandbox()
    for name in OURS:
        assert first.vendor(name) is not second.vendor(name)
        assert first.credentials(name) != second.credentials(name)


class Squatter(Fifth):
    name: ClassVar[str] = "squatter"


def test_what_is_no_vendor_of_that_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mensatek must be .* not enviatusms"):
        Sandbox(mensatek=EnviaTuSms())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="fifth and squatter both use the path /fifth/api"):
        Sandbox(fifth=Fifth(), squatter=Squatter())
    with pytest.raises(TypeError, match=r"callback_url must be .* not str") as caught:
        Sandbox(callback_url="http://127.0.0.1/canary")  # type: ignore[arg-type]
    assert "canary" not in str(caught.value)


def test_nobody_of_that_name_is_no_attribute() -> None:
    box = Sandbox()
    assert not hasattr(box, "nobody")
    with pytest.raises(ValueError, match="there are envia_sms, enviatusms, mensatek, smsgateway24"):
        box.vendor("nobody")
    assert copy.copy(box).mensatek is box.mensatek


@pytest.mark.parametrize(
    ("vendor", "left"),
    [
        ("envia_sms", lambda box: box.envia_sms.account.credits),
        ("enviatusms", lambda box: box.enviatusms.account.balance),
        ("mensatek", lambda box: box.mensatek.account.credits),
    ],
)
def test_an_account_is_funded_without_knowing_whose_it_is(vendor: str, left: Callable[[Sandbox], Decimal]) -> None:
    box = Sandbox()
    box.vendor(vendor).fund(Decimal("12.5"))
    assert left(box) == Decimal("12.5")


def test_a_vendor_that_counts_nothing_takes_no_harm() -> None:
    box = Sandbox()
    vendor: Vendor = box.smsgateway24
    before = repr(box.smsgateway24.account)
    vendor.fund(Decimal(0))
    assert repr(box.smsgateway24.account) == before
