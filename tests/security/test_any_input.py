"""Whatever a caller gives, one request arrives that differs from a plain one in the very parameter given, or none.

The sandbox decodes the requests, with code that it shares with no client, and a tap keeps path and headers.
"""

from __future__ import annotations

import asyncio
import copy
import re
import unicodedata
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from attrs import field, frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk import MensaError, Recipient, ValidationError
from mensasdk.sandbox import Sandbox

from .parties import NUMBER, PARTIES, sandbox
from .tap import Tap, tapped

pytestmark = pytest.mark.timeout(120)

Path = tuple[str | int, ...]
Call = Callable[[Any, str], Awaitable[Any]]
MIXED = {"body_format": "form"}


def _same(value: Any) -> Any:
    return value


def _composed(value: str) -> str:
    return unicodedata.normalize("NFC", value)


@frozen
class Slot:
    """One place where a caller's value goes.

    Attributes:
        party: whose client.
        call: makes the call with the value.
        path: where the value has to arrive among the decoded parameters.
        becomes: what it has to arrive as.
        options: of the client.
    """

    party: str
    call: Call
    path: Path
    becomes: Callable[[str], Any] = _same
    options: Mapping[str, Any] = field(factory=dict)


def _mensatek(**given: Any) -> Call:
    return lambda client, value: client.send_sms(
        [NUMBER], **{"text": "Hola", **{name: make(value) for name, make in given.items()}}
    )


GATEWAY: dict[str, tuple[Call, Path, Callable[[str], Any]]] = {
    "text": (lambda client, value: client.send_sms(NUMBER, value, device_id=1), ("body",), _same),
    "device": (lambda client, value: client.send_sms(NUMBER, "x", device_id=value), ("device_id",), str.strip),
    "customer id": (
        lambda client, value: client.send_sms(NUMBER, "x", device_id=1, customer_id=value),
        ("customerid",),
        str.strip,
    ),
    "title": (lambda client, value: client.create_tag(value), ("title",), str.strip),
    "name": (lambda client, value: client.save_contact(NUMBER, 1, value), ("fullname",), str.strip),
    "message id": (lambda client, value: client.get_status(value), ("sms_id",), str.strip),
}  # fmt: skip

SLOTS = {
    "mensatek text": Slot("mensatek", _mensatek(text=_same), ("Mensaje",)),
    "mensatek text in a form": Slot("mensatek", _mensatek(text=_same), ("Mensaje",), options=MIXED),
    "mensatek sender": Slot("mensatek", _mensatek(sender=_same), ("Remitente",)),
    "mensatek reference": Slot("mensatek", _mensatek(reference=_same), ("Referenciausuario",), options=MIXED),
    "mensatek variable": Slot(
        "mensatek",
        lambda client, value: client.send_sms([Recipient(NUMBER, variables=[value])], "Hola (Variable_1)"),
        ("Destinatarios", 0, "Variable_1"),
    ),
    "mensatek variable in a form": Slot(
        "mensatek",
        lambda client, value: client.send_sms([Recipient(NUMBER, variables=[value])], "Hola (Variable_1)"),
        ("Destinatarios", 0, "Variable_1"),
        options=MIXED,
    ),
    "mensatek message id": Slot("mensatek", lambda client, value: client.cancel_sms(value), ("Idmensaje",), int),
    "mensatek file to delete": Slot("mensatek", lambda client, value: client.delete_file(value), ("Nombre",)),
    "mensatek file name": Slot(
        "mensatek", lambda client, value: client.upload_file(b"x", name=value, method="base64"), ("Nombre",)
    ),
    "mensatek file name in multipart": Slot(
        "mensatek", lambda client, value: client.upload_file(b"x", name=value), ("Nombre",)
    ),
    "envia_sms variable": Slot(
        "envia_sms",
        lambda client, value: client.send_sms(NUMBER, "02", variables={"mensaje": value}),
        ("var_mensaje",),
    ),
    "envia_sms template": Slot("envia_sms", lambda client, value: client.send_sms(NUMBER, value), ("plantilla",)),
    "envia_sms message id": Slot(
        "envia_sms", lambda client, value: client.cancel_scheduled(value), ("identificador",), str.strip
    ),
    "envia_sms message id of a status": Slot(
        "envia_sms", lambda client, value: client.get_status(value, NUMBER), ("identificador",), str.strip
    ),
    "enviatusms text": Slot("enviatusms", lambda client, value: client.send_sms(NUMBER, value), ("texto",), _composed),
    "enviatusms link": Slot("enviatusms", lambda client, value: client.shorten_url(value), ("link",)),
    "enviatusms link with a query": Slot(
        "enviatusms", lambda client, value: client.shorten_url(f"https://example.com/?{value}"), ("link",),
        lambda value: f"https://example.com/?{value}",
    ),
    "enviatusms campaign": Slot("enviatusms", lambda client, value: client.get_campaign(value), ("id",), str.strip),
    **{
        f"smsgateway24 {name}": Slot("smsgateway24 with a token", call, path, becomes)
        for name, (call, path, becomes) in GATEWAY.items()
    },
}  # fmt: skip

NUMBERS = {
    "mensatek": Slot("mensatek", lambda client, value: client.send_sms([value], "Hola"), ("Destinatarios",)),
    "mensatek in a form": Slot(
        "mensatek", lambda client, value: client.send_sms([value], "Hola"), ("Destinatarios",), options=MIXED
    ),
    "envia_sms": Slot(
        "envia_sms", lambda client, value: client.send_sms(value, "02", variables={"mensaje": "x"}), ("numero",)
    ),
    "enviatusms": Slot("enviatusms", lambda client, value: client.send_sms(value, "x"), ("numeros",)),
    "smsgateway24": Slot(
        "smsgateway24 with a token", lambda client, value: client.send_sms(value, "x", device_id=1), ("sendto",)
    ),
}
ONE_NUMBER: dict[str, Callable[[Any], object]] = {
    "mensatek": lambda found: len(found) == 1 and set(found[0]) == {"Movil"} and _digits(found[0]["Movil"]),
    "envia_sms": lambda found: re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{4,14}", found, re.ASCII),
    "enviatusms": lambda found: len(found) == 1 and _digits(found[0]),
    "smsgateway24": lambda found: re.fullmatch(r"\+[1-9][0-9]{6,14}", found, re.ASCII),
}


def _digits(text: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{6,14}", text, re.ASCII) is not None


class Stage:
    """A box and a tap that live through all examples, in a loop of their own. No attrs class: it would be printed."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], box: Sandbox, tap: Tap, port: int) -> None:
        self.run = run
        self.box = box
        self.tap = tap
        self.port = port

    async def say(self, slot: Slot, value: str) -> tuple[dict[str, Any], str, dict[str, str]] | None:
        """Return parameters, path and headers of the one request; None if the value is refused and nothing is sent."""
        party = PARTIES[slot.party]
        self.box.ledger.clear()
        self.tap.said.clear()
        base_url = self.box.base_url(party.vendor).replace(str(self.box.port), str(self.port))
        async with party(base_url, **slot.options) as client:
            try:
                await slot.call(client, value)
            except ValidationError:
                assert self.tap.requests() == []
                assert self.box.ledger.request_count() == 0
                return None
            except MensaError:
                pass  # the vendor refuses: its right
        [request] = self.tap.requests()
        assert self.box.ledger.request_count() == 1
        headers = request.headers
        del headers["host"]
        headers.pop("content-length", None)
        if headers.get("content-type", "").startswith("multipart/"):
            headers["content-type"] = headers["content-type"].partition("boundary=")[0]
        params = copy.deepcopy(dict(self.box.ledger.requests[0].params))
        return params, request.path, headers


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with asyncio.Runner() as runner:

        async def build() -> tuple[AsyncExitStack, Sandbox, Tap, int]:
            stack = AsyncExitStack()
            box = await stack.enter_async_context(sandbox())
            tap, port = await stack.enter_async_context(tapped(box.port))
            return stack, box, tap, port

        stack, box, tap, port = runner.run(build())
        yield Stage(runner.run, box, tap, port)
        runner.run(stack.aclose())


def take(params: dict[str, Any], path: Path) -> Any:
    """Take out what stands there, and return it."""
    place: Any = params
    for step in path[:-1]:
        place = place[step]
    return place.pop(path[-1])


PLAIN = {"link": "https://example.com/", "id": "7", "customer id": "7", "file": "a.pdf", "campaign": "7"}

SPICE = st.sampled_from(
    [
        *("&", "=", "#", "?", "+", "%26", "%00", "\0", "\r\n", "\r\nX-Evil: 1", "../", "..\\", "/", ";", ",", '"', "'"),
        *("\\", '"}],"token":"x', "&token=x", "&numero=1", "[]", "{", "<", "\u2028", "\x7f", "\x85", "ñ", "é", "😀"),
        "\ud800",
    ]
)
VALUE = st.lists(SPICE | st.text(max_size=6) | st.sampled_from(["7", "a.pdf", "https://e.com/"]), max_size=5).map(
    "".join
)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOTS)
@settings(max_examples=examples(60), deadline=None)
@given(value=VALUE)
@example(value="a&token=x&numero=1#?=\r\nX-Evil: 1")
@example(value="../../etc/passwd")
@example(value='"}],"token":"x')
def test_no_value_changes_another_parameter_the_path_or_a_header(stage: Stage, name: str, value: str) -> None:
    slot = SLOTS[name]
    plain = next((text for key, text in PLAIN.items() if key in name), "7")
    reference = stage.run(stage.say(slot, plain))
    assert reference is not None
    found = stage.run(stage.say(slot, value))
    if found is None:
        return
    assert take(reference[0], slot.path) == slot.becomes(plain)
    assert take(found[0], slot.path) == slot.becomes(value)
    if name == "enviatusms campaign":  # the one value that goes into the path
        assert slot.becomes(value).isdigit()
        assert found[1] == reference[1].removesuffix(plain) + slot.becomes(value)
    else:
        assert found[1] == reference[1]
    if name == "mensatek file name in multipart":  # the part has the name, and the type that goes with it
        assert take(found[0], ("Fichero",)).filename == value
        del reference[0]["Fichero"]
    assert found[0] == reference[0]
    assert found[2] == reference[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", NUMBERS)
@settings(max_examples=examples(60), deadline=None)
@given(
    value=st.tuples(VALUE, st.sampled_from([NUMBER, NUMBER[1:], "0424-098 76 54", "+34600000001"]), VALUE).map("".join)
)
@example(value=NUMBER)
@example(value=f"{NUMBER}&token=x")
@example(value=f"{NUMBER}\r\nX-Evil: 1")
def test_no_number_becomes_anything_but_one_number(stage: Stage, name: str, value: str) -> None:
    slot = NUMBERS[name]
    reference = stage.run(stage.say(slot, NUMBER))
    assert reference is not None
    found = stage.run(stage.say(slot, value))
    if found is None:
        assert value != NUMBER
        return
    take(reference[0], slot.path)
    assert ONE_NUMBER[name.removesuffix(" in a form")](take(found[0], slot.path))
    assert found == reference


JOINTS = [",", ", ", ";", "\n", "\r\n", " ", "/", "|", "、", "，", "；", "&", "+", "\t", " y ", ",+", "%2C", "\0"]


@pytest.mark.parametrize("joint", JOINTS, ids=repr)
@pytest.mark.parametrize("name", NUMBERS)
def test_two_numbers_in_one_are_refused_and_nobody_is_paid_for(stage: Stage, name: str, joint: str) -> None:
    """A gateway that splits at commas would make two paid messages of one recipient."""
    for second in (NUMBER, NUMBER[1:], "+34600000001", "04240987655"):
        assert stage.run(stage.say(NUMBERS[name], f"{NUMBER}{joint}{second}")) is None
