"""The client against the emulated vendor, which was written from the document by somebody else: the ledger knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from shared import EAGER

from mensasdk import BatchSender, DecodeError, DeliveryState, MensaError, Message, NotFound, OutcomeKind, Timeouts
from mensasdk.sandbox import EnviaSms, Fault, Sandbox
from mensasdk.sandbox.envia_sms import Quirks, Template
from mensasdk.vendors.envia_sms import EnviaSmsClient, EnviaSmsOptions, Reason, SendResult, Status

from .served import CALLS, IDENTIFIER, NUMBER, REJECTED, UNKNOWN
from .test_codes import TABLE, functions_of

DIGITS = "525589520028"
PATIENCE, HASTE = Timeouts(total=20.0), Timeouts(total=0.5)


@asynccontextmanager
async def connect(box: Sandbox, **options: Any) -> AsyncIterator[EnviaSmsClient]:
    token = box.credentials("envia_sms")["token"]
    settings: dict[str, Any] = {"base_url": box.base_url("envia_sms"), "retry": EAGER, "timeouts": PATIENCE, **options}
    async with EnviaSmsClient(token, **settings) as client:
        yield client


def tomorrow() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


# -------------------------------------------------------------------------------------------------------- functions


async def test_a_message_is_sent_once_charged_and_delivered(box: Sandbox) -> None:
    async with connect(box) as client:
        before = await client.get_credits()
        result = await client.send_sms(NUMBER, "01", variables={"codigo_verificacion": "1", "empresa": "Ñandé & Cé #1"})
        report = await client.get_status(result.message_id, NUMBER)
        after = await client.get_credits()
    (message,) = box.ledger.messages
    assert (message.number, message.message_id) == (DIGITS, result.message_id)
    assert message.text == result.text == "1 es tu codigo de verificacion de Ñandé & Cé #1."
    assert before - after == message.credits == Decimal("0.5")
    assert (report.status, report.state, report.number) == (Status.DELIVERED, DeliveryState.DELIVERED, DIGITS)


async def test_a_schedule_means_the_moment_that_was_meant(box: Sandbox) -> None:
    moment = tomorrow()
    async with connect(box) as client:
        result = await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"}, schedule_at=moment)
    assert box.ledger.messages[0].scheduled_at == moment
    assert result.scheduled_at == moment


async def test_scheduled_messages_are_cancelled_and_sent_one_by_one_and_all_at_once(box: Sandbox) -> None:
    async with connect(box) as client:
        ids = [
            (
                await client.send_sms(f"+5255895200{n:02d}", "02", variables={"mensaje": "x"}, schedule_at=tomorrow())
            ).message_id
            for n in range(6)
        ]
        await client.cancel_scheduled(ids[0])
        await client.send_scheduled_now(ids[1])
        assert [message.state for message in box.ledger.messages] == ["cancelled", "sent", *["scheduled"] * 4]
        await client.send_all_scheduled_now()
        assert [message.state for message in box.ledger.messages] == ["cancelled", *["sent"] * 5]
        for gone in (ids[0], ids[1]):
            with pytest.raises(NotFound) as caught:
                await client.cancel_scheduled(gone)
            assert caught.value.code == "304"
        await client.send_sms("+525589520099", "02", variables={"mensaje": "x"}, schedule_at=tomorrow())
        await client.cancel_all_scheduled()
        with pytest.raises(NotFound):
            await client.cancel_all_scheduled()
    assert box.ledger.messages[-1].state == "cancelled"


async def test_countries_cost_a_credit(box: Sandbox) -> None:
    async with connect(box) as client:
        before = await client.get_credits()
        countries = await client.list_countries()
        assert before - await client.get_credits() == 1
    assert [(country.code, country.price_professional) for country in countries] == [
        ("MX", Decimal("0.41")),
        ("FR", Decimal("1.38")),
        ("ES", Decimal("1.37")),
    ]


async def test_test_mode_sends_and_costs_nothing(box: Sandbox) -> None:
    async with connect(box, test_mode=True) as client:
        result = await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"})
        report = await client.get_status(result.message_id, NUMBER)
        assert report.status is Status.TEST_MODE
        with pytest.raises(MensaError) as caught:
            await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"}, schedule_at=tomorrow())
    assert caught.value.code == "106"
    assert (len(box.ledger), box.ledger.charged) == (0, Decimal(0))


async def test_the_hours_filter_drops_a_repeated_text_unless_it_is_allowed(box: Sandbox) -> None:
    async with connect(box) as client:
        for _ in range(2):
            again = await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"})
        report = await client.get_status(again.message_id, NUMBER)
        assert (report.status, report.reasons) == (Status.ERROR, (Reason.DUPLICATE,))
        assert len(box.ledger) == 1
        await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"}, allow_duplicates=True)
    assert len(box.ledger) == 2


@pytest.mark.parametrize("enabled", [True, False])
async def test_links_that_stay_long_are_seen(box: Sandbox, enabled: bool) -> None:
    box.envia_sms.account.short_links = enabled
    async with connect(box) as client:
        result = await client.send_sms(
            NUMBER, "0000", variables={"usuario": "MW", "url": "http://example.com/a"}, short_links=True, unicode=True
        )
    assert result.links_shortened is enabled


@pytest.mark.parametrize(
    ("ending", "status", "state"),
    [
        ("91", Status.PROCESSING, DeliveryState.PENDING),
        ("93", Status.AT_NETWORK, DeliveryState.SENT),
        ("94", Status.AT_OPERATOR, DeliveryState.SENT),
        ("95", Status.ERROR, DeliveryState.FAILED),
        ("96", Status.ERROR, DeliveryState.EXPIRED),
        ("98", Status.ERROR, DeliveryState.FAILED),
        ("00", Status.DELIVERED, DeliveryState.DELIVERED),
    ],
)
async def test_the_status_of_a_message_is_what_became_of_it(
    box: Sandbox, ending: str, status: Status, state: DeliveryState
) -> None:
    async with connect(box) as client:
        result = await client.send_sms(f"+5255895200{ending}", "02", variables={"mensaje": "Hola"})
        report = await client.get_status(result.message_id, f"+5255895200{ending}")
    assert (report.status, report.state) == (status, state)


# ------------------------------------------------------------------------------------------------------------ codes


@pytest.mark.slow
@pytest.mark.parametrize("code", TABLE)
async def test_each_code_of_the_vendor_is_the_error_of_our_table(box: Sandbox, code: str) -> None:
    _, kind, outcome, _ = TABLE[code]
    for function in functions_of(code):
        box.fail("envia_sms", fault=Fault.RES, when="before", res=int(code), times=None)
        async with connect(box) as client:
            with pytest.raises(MensaError) as caught:
                await CALLS[function][0](client)
        # 500 comes with its own HTTP status, which speaks first, and says the same.
        if code != "500":
            assert type(caught.value) is kind
        assert (caught.value.code, caught.value.outcome) == (code, outcome)
    assert len(box.ledger) == 0


Setup = Callable[[EnviaSms], Any]
REAL: dict[str, tuple[Setup, dict[str, Any]]] = {
    "01": (lambda v: setattr(v.account, "blocked", True), {}),
    "03": (lambda v: setattr(v.account, "token", "another"), {}),
    "04": (lambda v: setattr(v.account, "suspended", True), {}),
    "05": (lambda v: setattr(v.account, "credits", Decimal(0)), {}),
    "401": (lambda v: setattr(v.account, "verified", False), {}),
    "08": (lambda _: None, {"number": "+1 202 555 0143"}),
    "119": (lambda _: None, {"variables": {"mensaje": "á"}}),
    "124": (lambda _: None, {"variables": {"mensaje": "x" * 161}}),
    "102": (lambda _: None, {"variables": {"mensaje": "x" * 501}, "unicode": True}),
    "113": (lambda _: None, {"variables": {"mensaje": "x" * 1001}}),
    "125": (lambda _: None, {"variables": {"mensaje": ""}}),
    "129": (lambda _: None, {"template": "99"}),
    "130": (lambda v: v.account.templates.update({"9": Template("x", state="disabled")}), {"template": "9"}),
    "131": (lambda v: v.account.templates.update({"9": Template("x", state="rejected")}), {"template": "9"}),
    "132": (lambda v: v.account.templates.update({"9": Template("x", state="review")}), {"template": "9"}),
    "137": (lambda v: v.account.templates.update({"9": Template("x", state="foreign")}), {"template": "9"}),
    "133": (lambda _: None, {"variables": {"mensaje": "http://a.example"}}),
    "134": (lambda _: None, {"template": "0000", "variables": {"usuario": "x", "url": "x"}}),
    "135": (lambda v: v.account.forbidden_words.add("casino"), {"variables": {"mensaje": "Casino"}}),
    "136": (lambda _: None, {"variables": {}}),
}


@pytest.mark.parametrize("code", REAL)
async def test_the_vendor_refuses_for_its_reasons_and_charges_nothing(box: Sandbox, code: str) -> None:
    setup, changes = REAL[code]
    call: dict[str, Any] = {"number": NUMBER, "template": "02", "variables": {"mensaje": "Hola"}, **changes}
    async with connect(box) as client:
        setup(box.envia_sms)
        with pytest.raises(MensaError) as caught:
            await client.send_sms(**call)
    assert type(caught.value) is TABLE[code][1]
    assert (caught.value.code, caught.value.outcome) == (code, REJECTED)
    assert len(box.ledger) == 0


async def test_what_does_not_exist_is_not_found(box: Sandbox) -> None:
    async with connect(box) as client:
        sent = await client.send_sms("+525589520099", "02", variables={"mensaje": "Hola"})
        for call, code in (
            (client.get_status(IDENTIFIER, NUMBER), "303"),
            (client.get_status(sent.message_id, NUMBER), "601"),
            (client.get_status(sent.message_id, "+525589520099"), "602"),
            (client.cancel_scheduled(IDENTIFIER), "303"),
            (client.send_scheduled_now(sent.message_id), "304"),
        ):
            with pytest.raises(NotFound) as caught:
                await call
            assert caught.value.code == code


# ----------------------------------------------------------------------------------------------------------- quirks


def only(**changes: Any) -> Quirks:
    return Quirks(**changes)


FLAGS = [quirk.name for quirk in attrs.fields(Quirks) if isinstance(quirk.default, bool)]
WORDS: dict[str, tuple[str, ...]] = {
    "envelope": ("code_error", "codigo_error", "error_code", "rotating"),
    "codes": ("int", "string", "padded", "empty", "null"),
    "error_response": ("missing", "list", "object"),
    "identificador": ("list", "string"),
    "error_true": ("paises",),
    "no_date": ("empty",),
    "duplicate_answer": ("first_id",),
}
HARMLESS: dict[str, Quirks] = {
    **{flag: only(**{flag: True}) for flag in FLAGS if flag != "missing_brace"},
    **{f"{name}={word}": only(**{name: word}) for name, words in WORDS.items() for word in words},
    **{f"error_status={status}": only(error_status=status) for status in (200, 403)},
    "auth_status=403": only(auth_status=403),
    "all": Quirks.all(),
}
EVERYONE = [f"+5255895200{n:02d}" for n in range(12)]


async def story(quirks: Quirks) -> list[Any]:
    """Do a bit of everything; return what came of it, but for identifiers, which are new each time."""
    found: list[Any] = []
    async with Sandbox(envia_sms=EnviaSms(quirks=quirks)) as box, connect(box) as client:
        messages = [
            Message(number, "Hola {n}", variables={"n": str(n)}, options=EnviaSmsOptions("02", "mensaje"))
            for n, number in enumerate(EVERYONE)
        ]
        messages += [
            Message("+12025550143", template="01"),
            Message(NUMBER, template="99"),
            Message(NUMBER, template="02"),
            Message(NUMBER, template="02", variables={"mensaje": "á"}),
            Message(NUMBER, template="02", variables={"mensaje": "x"}, schedule_at=datetime(2090, 1, 1, tzinfo=UTC)),
            Message("12", template="02"),
        ]
        outcomes = [outcome async for outcome in BatchSender(client, max_in_flight=1).stream(messages)]
        found += [(o.kind, o.message.to, o.code, o.parts, o.vendor_id is None) for o in outcomes]
        for outcome in outcomes:
            if outcome.vendor_id is not None:
                report = await client.get_status(outcome.vendor_id, outcome.message.to)
                found.append((report.status, report.reasons, report.number))
        later = next(outcome.vendor_id for outcome in outcomes if outcome.message.schedule_at is not None)
        assert later is not None
        found.append((await client.cancel_scheduled(later)).message)
        found += [await client.get_credits(), [(c.code, c.price_basic) for c in await client.list_countries()]]
        box.envia_sms.account.suspended = True
        with pytest.raises(MensaError) as caught:
            await client.send_sms(NUMBER, "02")
        found.append((type(caught.value), caught.value.code))
        found.append((len(box.ledger), box.ledger.charged, sorted(box.ledger.numbers().items())))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("quirks", HARMLESS.values(), ids=HARMLESS)
async def test_no_quirk_of_the_vendor_makes_a_difference(quirks: Quirks) -> None:
    assert await story(quirks) == await story(Quirks())


def test_every_quirk_of_the_emulated_vendor_is_tried() -> None:
    tried = {*FLAGS, *WORDS, "error_status", "auth_status"}
    assert {quirk.name for quirk in attrs.fields(Quirks)} == tried


async def test_an_answer_without_its_last_brace_is_unknown_for_it_may_be_cut() -> None:
    async with Sandbox(envia_sms=EnviaSms(quirks=Quirks(missing_brace=True))) as box, connect(box) as client:
        with pytest.raises(DecodeError) as caught:
            await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"})
    assert caught.value.outcome is UNKNOWN
    assert len(box.ledger) == box.ledger.request_count() == 1


@pytest.mark.parametrize("quirks", [Quirks(error_true="always"), Quirks(duplicate_answer="no_id")], ids=["flag", "id"])
async def test_an_answer_that_leaves_doubt_is_unknown(quirks: Quirks) -> None:
    async with Sandbox(envia_sms=EnviaSms(quirks=quirks)) as box, connect(box) as client:
        if quirks.duplicate_answer == "no_id":
            await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"})
        with pytest.raises(MensaError) as caught:
            await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"})
        assert caught.value.outcome is UNKNOWN
        assert await client.get_credits() > 0
    assert len(box.ledger) == 1


# ----------------------------------------------------------------------------------------------------------- faults

FAULTS: dict[str, tuple[Fault, dict[str, Any]]] = {
    **{fault.value: (fault, {}) for fault in Fault if fault not in {Fault.STATUS, Fault.RATE_LIMIT, Fault.RES}},
    "delay": (Fault.DELAY, {"delay": 5.0}),
    "drip": (Fault.DRIP, {"interval": 0.05}),
    **{f"status {status}": (Fault.STATUS, {"status": status}) for status in (408, 425, 500, 503)},
    "redirect 307": (Fault.REDIRECT, {"status": 307}),
    "cut early, without a length": (Fault.CUT_CLOSE_DELIMITED, {"cut_at": 10}),
    "code given twice": (Fault.DUPLICATE_KEYS, {"field": "codigo_error"}),
}
SLOW = {"hang", "drip", "delay"}
READABLE = {"wrong_type", "latin1"}


async def attempt(box: Sandbox, name: str) -> SendResult | MensaError:
    async with connect(box, timeouts=HASTE if name in SLOW else PATIENCE) as client:
        try:
            return await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"})
        except MensaError as error:
            return error


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", FAULTS)
async def test_no_fault_makes_a_second_request_or_a_false_claim(box: Sandbox, name: str, when: Any) -> None:
    fault, options = FAULTS[name]
    box.fail("envia_sms", fault=fault, when=when, times=None, **options)
    result = await attempt(box, name)
    assert box.ledger.request_count() == 1
    assert len(box.ledger) <= 1
    if name in READABLE:
        assert isinstance(result, SendResult)
    else:
        assert isinstance(result, MensaError)
        assert result.outcome is OutcomeKind.UNKNOWN
        assert result.vendor == "envia_sms"
        assert result.__context__ is None


async def test_a_campaign_through_faults_sends_nobody_twice_and_accounts_for_everybody(box: Sandbox) -> None:
    for nth, fault in enumerate((Fault.RESET, Fault.CLOSE, Fault.CUT_BODY, Fault.HTML_PAGE, Fault.BAD_JSON), 2):
        box.fail("envia_sms", fault=fault, when="after", nth=nth)
    async with connect(box) as client:
        report = await BatchSender(client, max_in_flight=1, breaker=None).send(
            [Message(number, template="02", variables={"mensaje": "Hola"}) for number in EVERYONE]
        )
    assert (report.total, report.accepted, report.unknown) == (12, 7, 5)
    assert box.ledger.numbers() == {number[1:]: 1 for number in EVERYONE}
    assert box.ledger.request_count() == 12
