"""Every secret of every vendor is a canary, every kind of thing goes wrong, and the canary sings nowhere."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import pickle
from typing import Any
from urllib.parse import quote, quote_plus

import attrs
import pytest
from shared import EAGER, closed_port, pickled, until

from mensasdk import MensaError, OutcomeKind, Timeouts
from mensasdk.sandbox import Fault, Sandbox

from .canary import CORE, SECRET, everything, listening, sings
from .parties import NUMBER, PARTIES, TEXT, Party, sandbox

pytestmark = pytest.mark.timeout(30)

every_party = pytest.mark.parametrize("party", PARTIES.values(), ids=PARTIES)

PAIR = base64.b64encode(f"user-{SECRET}:{SECRET}".encode()).decode()  # what Mensatek is sent
SPELLINGS = (
    SECRET,
    quote(SECRET),
    quote(SECRET, safe=""),
    quote(SECRET, safe="").lower(),
    quote_plus(SECRET),
    html.escape(SECRET),
    base64.b64encode(SECRET.encode()).decode(),
)
ECHO = f"{' '.join(SPELLINGS)} {NUMBER} {TEXT}"
PERSON = ("4240987654", "ZZ4711ZZ")


def refusal(words: str) -> bytes:
    """Stand for a refusal in the vendor's own words, until `refused` puts it into the vendor's form."""
    return words.encode()


HEADER = {"refused in the header"}  # which only Mensatek's client sends


def refused(vendor: str, words: bytes) -> str:
    text = words.decode()
    forms: dict[str, Any] = {
        "mensatek": [{"Res": -3, "Error": text}],
        "envia_sms": {"error": True, "error_code": "109", "error_message": text, "response": ""},
        "enviatusms": {"status": "error", "msg": text},
        "smsgateway24": {"error": 1, "message": text},
    }
    return json.dumps(forms[vendor], ensure_ascii=False)


def options(vendor: str, fault: str) -> dict[str, Any]:
    found = dict(FAULTS["refused in the secret's 1. spelling" if fault in HEADER and vendor != "mensatek" else fault])
    if isinstance(found.get("body"), bytes):
        found["body"] = refused(vendor, found["body"])
        found["body"] = found["body"][:-2] if fault == "cut data" else found["body"]
    return found


FAULTS: dict[str, dict[str, Any]] = {
    "reset": {"fault": Fault.RESET},
    "close": {"fault": Fault.CLOSE},
    "silence": {"fault": Fault.HANG},
    "drip": {"fault": Fault.DRIP, "interval": 0.01},
    "cut": {"fault": Fault.CUT_BODY},
    "garbage": {"fault": Fault.GARBAGE},
    "header too large": {"fault": Fault.HUGE_HEADER},
    "page": {"fault": Fault.HTML_PAGE, "body": f"<html>{ECHO}</html>"},
    "no data": {"fault": Fault.STATUS, "status": 200, "body": ECHO},
    "cut data": {"fault": Fault.STATUS, "status": 200, "body": refusal(ECHO)},
    "bad json": {"fault": Fault.BAD_JSON},
    "doctype": {"fault": Fault.DOCTYPE_XML},
    "bomb": {"fault": Fault.DEEP_JSON},
    **{f"refused in the secret's {n}. spelling": {"fault": Fault.STATUS, "status": 200, "body": refusal(spelling)}
       for n, spelling in enumerate(SPELLINGS, 1)},
    "refused in the header": {"fault": Fault.STATUS, "status": 200, "body": refusal(PAIR)},
    "refused in the secret and the person": {"fault": Fault.STATUS, "status": 200, "body": refusal(ECHO)},
    "refused at the edge of what is quoted": {
        "fault": Fault.STATUS, "status": 200, "body": refusal("x" * 113 + SECRET),
    },
    "refused far beyond what is quoted": {
        "fault": Fault.STATUS, "status": 200, "body": refusal(" " * 1995 + SECRET),
    },
    "400": {"fault": Fault.STATUS, "status": 400, "body": refusal(ECHO)},
    "401": {"fault": Fault.STATUS, "status": 401, "body": ECHO},
    "403": {"fault": Fault.STATUS, "status": 403, "body": ECHO},
    "500": {"fault": Fault.STATUS, "status": 500, "body": ECHO},
    "429": {"fault": Fault.RATE_LIMIT, "retry_after": CORE, "body": ECHO},
    "redirect": {"fault": Fault.REDIRECT, "location": f"http://127.0.0.1:9/?token={quote(SECRET)}"},
}  # fmt: skip


async def call(party: Party, box: Sandbox, **options: Any) -> Any:
    settings = {"base_url": box.base_url(party.vendor), "retry": EAGER, **options}
    base_url = settings.pop("base_url")
    async with party(base_url, **settings) as client:
        return await party.send(client, NUMBER, TEXT)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@every_party
async def test_no_fault_of_any_vendor_lets_a_secret_out(
    party: Party, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    quick = fault in {"silence", "drip"}
    async with listening(caplog) as cage:
        async with sandbox() as box:
            box.fail(party.vendor, times=None, **options(party.vendor, fault))
            with pytest.raises(MensaError) as caught:
                await call(party, box, hooks=[cage.events.append], timeouts=Timeouts(total=0.3 if quick else 10))
        heard = [text for text in everything(caught.value) if sings(text)]
        if party is not PARTIES["smsgateway24 with a login"]:  # whose login was sent neither number nor text to quote
            assert not [one for one in PERSON if one in f"{caught.value} {caught.value!r} {vars(caught.value)}"]
        del caught
    assert not heard
    assert cage.events
    assert cage.records
    assert not [text for text in cage.texts() if sings(text) or any(one in text for one in PERSON)]


@every_party
async def test_no_connection_lets_a_secret_out(party: Party, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(caplog) as cage:
        async with sandbox() as box:
            url = f"http://127.0.0.1:{closed_port()}/x"
            with pytest.raises(MensaError) as caught:
                await call(party, box, base_url=url, hooks=[cage.events.append])
        assert caught.value.outcome is OutcomeKind.NOT_SENT
        heard = [text for text in everything(caught.value) if sings(text)]
        del caught
    assert not heard
    assert not [text for text in cage.texts() if sings(text)]


@every_party
async def test_no_cancellation_lets_a_secret_out(party: Party, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(caplog) as cage:
        async with sandbox() as box:
            box.fail(party.vendor, times=None, fault=Fault.HANG)
            task = asyncio.ensure_future(call(party, box, hooks=[cage.events.append]))
            await until(lambda: box.ledger.requests)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
        heard = [text for text in everything(caught.value) if sings(text)]
        del caught, task
    assert not heard
    assert not [text for text in cage.texts() if sings(text)]


@every_party
async def test_success_lets_no_secret_out_and_its_result_can_be_pickled(
    party: Party, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(caplog) as cage, sandbox() as box:
        result = await call(party, box, hooks=[cage.events.append])
        assert len(box.ledger) == 1
        shown = f"{box!r} {box.ledger!r} {box.ledger.requests!r}".replace(box.smsgateway24.account.email, "")
    again = pickled(result)
    assert again == result
    assert not sings(f"{result} {result!r} {attrs.asdict(result)} {pickle.dumps(result)!r}")
    assert not sings(shown)
    assert not [text for text in cage.texts() if sings(text)]


@every_party
async def test_a_refused_secret_is_not_shown(party: Party, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(caplog) as cage:
        async with sandbox("another") as box:
            with pytest.raises(MensaError) as caught:
                await call(party, box, hooks=[cage.events.append])
            assert len(box.ledger) == 0
            # The ledger of a gateway keeps who logged in, and not with what.
            assert not sings(repr(box.ledger.requests).replace(f"{SECRET}@example.com", ""))
        heard = [text for text in everything(caught.value) if sings(text)]
        del caught
    assert not heard
    assert not [text for text in cage.texts() if sings(text)]


def reachable(start: object) -> list[object]:
    """Return all of ours that hangs on an object, however deep: what a debugger or a crash reporter unfolds."""
    found: dict[int, object] = {}
    todo = [start]
    while todo:
        one = todo.pop()
        if id(one) in found:
            continue
        found[id(one)] = one
        if isinstance(one, dict):
            todo += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            todo += one
        elif type(one).__module__.startswith("mensasdk") and type(one).__name__ != "Secret":
            todo += vars(one).values() if hasattr(one, "__dict__") else []
            todo += [getattr(one, name, None) for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
    return list(found.values())


@every_party
async def test_no_client_shows_a_secret_at_any_depth_or_can_be_pickled(party: Party) -> None:
    async with party("http://127.0.0.1:9/x") as client:
        parts = reachable(client)
        assert len(parts) > 10
        assert any(type(one).__name__ == "Secret" for one in parts)
        for one in parts:
            assert not sings(f"{one!r} {one!s}")
        assert not sings(json.dumps(vars(client), default=str))
        with pytest.raises(TypeError):
            pickle.dumps(client)


def test_the_search_unfolds_what_a_client_holds() -> None:
    party = PARTIES["enviatusms"]
    client = party("http://127.0.0.1:9/x")
    client.base_url = [{"deep": (SECRET,)}]
    assert any(sings(repr(one)) for one in reachable(client))
