"""The values that there is one of for each recipient: frozen, whole, and made in one way."""

from __future__ import annotations

import copy
import inspect
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import NOTHING, evolve, fields, fields_dict, frozen
from attrs.exceptions import FrozenInstanceError
from shared import pickled

from mensasdk import (
    BatchSender,
    CircuitBreaker,
    Delivery,
    EnviaSmsOptions,
    EnviaTuSmsOptions,
    MensatekOptions,
    Message,
    Outcome,
    OutcomeKind,
    RateLimit,
    Recipient,
    RetryPolicy,
    ScheduleError,
    SmsGateway24Client,
    SmsGateway24Options,
    Timeouts,
    ValidationError,
)
from mensasdk.journal.keys import message_key
from mensasdk.messages import make_outcome
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.vendors.batching import BatchResult

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
MESSAGE = Message(
    "+34600000001",
    "Hola {n}",
    sender="Tienda",
    template="7",
    variables={"n": "Ana"},
    schedule_at=NOON,
    not_after=NOON,
    reference="r1",
    place=7,
)
OUTCOME = Outcome(
    OutcomeKind.ACCEPTED,
    MESSAGE,
    vendor="mensatek",
    vendor_id="7",
    code="c",
    detail="a sentence",
    parts=2,
    credits=Decimal(1),
)

values = pytest.mark.parametrize(
    "value", [MESSAGE, OUTCOME, Message("1"), Outcome(OutcomeKind.UNKNOWN, MESSAGE, vendor="x")]
)


class OwnMessage(Message):
    """A subclass with room for more."""


@frozen
class Tagged(Message):
    tag: str = "x"


class OwnOutcome(Outcome):
    def __init__(self, message: Message) -> None:
        super().__init__(OutcomeKind.UNKNOWN, message, vendor="mensatek", parts=3)


@values
def test_what_has_been_made_cannot_be_changed(value: Message | Outcome) -> None:
    for one in fields(type(value)):
        with pytest.raises(FrozenInstanceError):
            setattr(value, one.name, None)
        with pytest.raises(FrozenInstanceError):
            delattr(value, one.name)


@values
def test_a_value_is_of_its_own_class_and_equals_its_copies(value: Message | Outcome) -> None:
    assert type(value) in {Message, Outcome}
    unpickled = pickled(value)
    for twin in (copy.copy(value), copy.deepcopy(value), unpickled, evolve(value)):
        assert twin == value
        assert type(twin) is type(value)
        assert repr(twin) == repr(value)


def test_each_argument_becomes_the_attribute_of_its_name() -> None:
    assert [getattr(MESSAGE, one.name) for one in fields(Message)] == [
        "+34600000001", "Hola {n}", "Tienda", "7", {"n": "Ana"}, NOON, NOON, "r1", None, 7,
    ]  # fmt: skip
    assert [getattr(OUTCOME, one.name) for one in fields(Outcome)] == [
        OutcomeKind.ACCEPTED, MESSAGE, "mensatek", "7", "c", "a sentence", 2, Decimal(1),
    ]  # fmt: skip


def test_the_place_comes_along_and_makes_no_message_another_one() -> None:
    here, there = evolve(MESSAGE, place=2), evolve(MESSAGE, place=3)
    assert (here.place, there.place, Message("1").place) == (2, 3, None)
    assert here == there
    assert hash(here) == hash(there)
    assert message_key(here, "+34600000001") == message_key(there, "+34600000001")


@pytest.mark.parametrize("place", ["2", -1, True, 2.0, 2**63])
def test_a_place_is_a_whole_number(place: Any) -> None:
    with pytest.raises(ValidationError, match="place must be a whole number from 0 on"):
        Message("1", place=place)


def test_no_two_messages_share_the_variables_that_they_were_not_given() -> None:
    first, second = Message("1"), Message("1")
    assert type(first.variables) is dict
    assert first.variables is not second.variables


def test_a_subclass_is_made_and_checked_like_its_base() -> None:
    own = OwnMessage("1", "hola", variables={"a": "b"}, reference="r")
    assert type(own) is OwnMessage
    assert (own.to, own.text, own.variables, own.reference) == ("1", "hola", {"a": "b"}, "r")
    assert OwnMessage("1").variables == {}
    tagged = Tagged("1", "hola", sender="x", tag="y")
    assert (type(tagged), tagged.sender, tagged.tag) == (Tagged, "x", "y")
    outcome = OwnOutcome(own)
    assert (type(outcome), outcome.message, outcome.parts, outcome.detail) == (OwnOutcome, own, 3, "")
    for made in (own, tagged, outcome):
        with pytest.raises(FrozenInstanceError):
            made.text = "adiós"  # type: ignore[misc, union-attr]
    for cls in (OwnMessage, Tagged):
        with pytest.raises(ValidationError, match="to is empty"):
            cls(" ")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"to": 34600000001}, "to"),
        ({"to": ""}, "to"),
        ({"to": " \t"}, "to"),
        ({"to": "1", "text": None}, "text"),
        ({"to": "1", "schedule_at": datetime(2030, 1, 31)}, "schedule_at"),
        ({"to": "1", "not_after": datetime(2030, 1, 31)}, "not_after"),
    ],
)
def test_what_no_vendor_could_take_is_refused_at_once(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ScheduleError if field in {"schedule_at", "not_after"} else ValidationError) as refused:
        Message(**arguments)
    assert refused.value.field == field


async def test_the_docs_name_each_outcome_that_has_an_id_to_ask_the_vendor_by(box: Sandbox) -> None:
    """Of two requests one is answered without ids, and the answer to the other is lost."""
    described = re.search(r"vendor_id: (.*?)\n        code: ", Outcome.__doc__ or "", re.DOTALL)
    assert described is not None
    box.fail("smsgateway24", function="addalotofsms", fault=Fault.RESET, when="after", nth=2)
    async with SmsGateway24Client(
        **box.credentials("smsgateway24"), base_url=box.base_url("smsgateway24"), device_id="260", bulk="many"
    ) as client:
        sender = BatchSender(client, max_recipients=1, max_in_flight=1, breaker=None)
        sent = [one async for one in sender.stream([Message("+34600000001", "a"), Message("+34600000002", "a")])]
    assert [one.kind for one in sent] == [OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN]
    for one in sent:
        assert (one.vendor_id or "").startswith("customerid:")
        assert one.kind.name in described[1]


def test_messages_and_outcomes_hash_whatever_their_variables() -> None:
    one = Message("+34600000001", "Hola {a} {b}", variables={"a": "1", "b": "2"})
    same = Message("+34600000001", "Hola {a} {b}", variables={"b": "2", "a": "1"})
    other = Message("+34600000001", "Hola {a} {b}", variables={"a": "1", "b": "3"})
    assert one == same
    assert hash(one) == hash(same)
    assert len({one, same, other}) == 2
    outcomes = {Outcome(OutcomeKind.ACCEPTED, message, vendor="mensatek") for message in (one, same, other)}
    assert len(outcomes) == 2


def test_a_message_survives_copies_and_is_still_frozen() -> None:
    one = Message("+34600000001", "x", variables={"a": "1"}, reference="r", options=MensatekOptions(report=True))
    assert pickled(one) == copy.deepcopy(one) == evolve(one) == one
    assert evolve(one, text="y").text == "y"
    with pytest.raises(FrozenInstanceError):
        one.to = "+34600000002"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        evolve(one, to=" ")
    assert Message("1").variables is not Message("1").variables


def test_all_that_a_message_takes_is_a_field_of_it() -> None:
    """Its constructor is written out, and must not fall behind."""
    takes = inspect.signature(Message).parameters
    fields = fields_dict(Message)
    assert list(takes) == list(fields)
    for name, one in fields.items():
        assert (takes[name].kind is inspect.Parameter.KEYWORD_ONLY) is one.kw_only
        default = takes[name].default
        if name != "variables":
            assert (default if default is not inspect.Parameter.empty else NOTHING) == one.default


def test_an_outcome_that_is_made_quickly_is_like_any_other() -> None:
    message = Message("+34600000001", "x")
    quick = make_outcome(OutcomeKind.ACCEPTED, message, "mensatek", "7", None, "", 2, Decimal(1))
    slow = Outcome(OutcomeKind.ACCEPTED, message, vendor="mensatek", vendor_id="7", parts=2, credits=Decimal(1))
    assert type(quick) is Outcome
    assert quick == slow
    assert (hash(quick), repr(quick)) == (hash(slow), repr(slow))
    assert pickled(quick) == copy.copy(quick) == evolve(quick) == slow
    with pytest.raises(FrozenInstanceError):
        quick.code = "x"  # type: ignore[misc]
    assert list(inspect.signature(make_outcome).parameters) == [one.name for one in fields(Outcome)]


# Whose first fields say what it is by themselves; all others are given by name.
POSITIONAL: dict[type[Any], int] = {
    Message: 2,
    Recipient: 2,
    Outcome: 2,
    Delivery: 2,
    RateLimit: 2,
    RetryPolicy: 1,
    Timeouts: 2,
    CircuitBreaker: 0,
    EnviaSmsOptions: 2,
    EnviaTuSmsOptions: 1,
    MensatekOptions: 0,
    SmsGateway24Options: 1,
    BatchResult: 1,
}


@pytest.mark.parametrize("kind", POSITIONAL, ids=lambda kind: kind.__name__)
def test_values_take_names_but_for_the_first_one_or_two(kind: type[Any]) -> None:
    kinds = [one.kind is inspect.Parameter.KEYWORD_ONLY for one in inspect.signature(kind).parameters.values()]
    assert kinds == [False] * POSITIONAL[kind] + [True] * (len(kinds) - POSITIONAL[kind])
