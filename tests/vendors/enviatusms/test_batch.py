"""EnvíaTuSMS under `BatchSender`: what shares a request, and an outcome for each recipient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from served import Answer, Given

from mensasdk import (
    BatchReport,
    BatchSender,
    MensatekOptions,
    Message,
    Outcome,
    OutcomeKind,
    ValidationError,
)
from mensasdk.vendors.enviatusms import EnviaTuSmsClient, EnviaTuSmsOptions

from .served import KEY, Served, talking

OK = {"status": "ok", "id": 1234}


def number(index: int) -> str:
    return f"0424{index:07}"


async def sending(
    messages: Sequence[Message], *answers: Given, campaign: str | None = None, **options: Any
) -> tuple[BatchReport, list[Outcome], Served]:
    """Send messages, and give the report and the outcomes in the order of the messages."""
    outcomes: list[Outcome] = []
    async with talking(*answers, **options) as (client, server):
        sender = BatchSender(client, max_in_flight=1)
        outcomes = [outcome async for outcome in sender.stream(messages, campaign=campaign)]
        report = sender.report
    assert report is not None
    order = {id(message): index for index, message in enumerate(messages)}
    return report, sorted(outcomes, key=lambda one: order[id(one.message)]), server


async def test_recipients_of_one_text_share_a_request_and_the_text_is_sent_once() -> None:
    messages = [Message(number(index), "Hola", reference=str(index)) for index in range(3)]
    report, outcomes, server = await sending(messages, OK)
    (request,) = server.requests
    assert request.json == {"numeros": ["584240000000", "584240000001", "584240000002"], "texto": "Hola"}
    assert (report.total, report.accepted) == (3, 3)
    assert [(one.kind, one.vendor, one.vendor_id, one.parts, one.credits) for one in outcomes] == [
        (OutcomeKind.ACCEPTED, "enviatusms", "1234", 1, None)
    ] * 3
    assert report.credits == {}  # the answer does not tell


async def test_different_texts_share_a_request_with_a_text_for_each() -> None:
    messages = [
        Message(number(0), "Hola {name}", variables={"name": "Ana"}),
        Message(number(1), "Hola {name}", variables={"name": "José"}),
        Message(number(2), "Otra cosa"),
    ]
    report, _, server = await sending(messages, OK)
    (request,) = server.requests
    assert request.json["texto"] == ["Hola Ana", "Hola José", "Otra cosa"]
    assert report.accepted == 3


async def test_other_options_go_out_in_another_request() -> None:
    messages = [
        Message(number(0), "Hola"),
        Message(number(1), "Hola", options=EnviaTuSmsOptions(allow_duplicates=True)),
        Message(number(2), "Hola", options=EnviaTuSmsOptions()),
    ]
    _, _, server = await sending(messages, OK)
    sent = sorted((request.json for request in server.requests), key=len)
    assert sent == [
        {"numeros": ["584240000000", "584240000002"], "texto": "Hola"},
        {"numeros": ["584240000001"], "texto": "Hola", "permitir_duplicados": True},
    ]


async def test_one_number_never_stands_twice_in_a_request() -> None:
    messages = [Message("04240000001", "uno"), Message("+58 424 0000001", "dos"), Message("04240000002", "tres")]
    report, _, server = await sending(messages, OK)
    assert [request.json["numeros"] for request in server.requests] == [
        ["584240000001", "584240000002"],
        ["584240000001"],
    ]
    assert report.accepted == 3


async def test_a_request_carries_as_many_as_the_client_says_500_by_default() -> None:
    messages = [Message(number(index), "Hola") for index in range(1001)]
    _, _, server = await sending(messages, OK)
    assert [len(request.json["numeros"]) for request in server.requests] == [500, 500, 1]
    _, _, server = await sending(messages[:5], OK, max_recipients=2)
    assert [len(request.json["numeros"]) for request in server.requests] == [2, 2, 1]


REFUSED_HERE: dict[str, tuple[dict[str, Any], str, str]] = {
    "schedule": ({"schedule_at": datetime(2099, 1, 1, tzinfo=UTC)}, "schedule_at", "cannot schedule; leave it out"),
    "template": ({"template": "7"}, "template", "no templates; put the text itself into text"),
    "sender": ({"sender": "ACME"}, "sender", "takes no sender, .*leave it out"),
    "options": ({"options": MensatekOptions()}, "options", "must be EnviaTuSmsOptions, not MensatekOptions"),
    "foreign": ({"to": "+34 600 00 00 00"}, "to", r"calling code \+34.*another vendor"),
    "number": ({"to": "0424"}, "to", "too short"),
    "empty": ({"text": ""}, "text", "is empty"),
    "long": ({"text": "x{a}", "variables": {"a": "y" * 160}}, "text", "161 characters"),
    "variable": ({"text": "Hola {name}", "variables": {"other": "x"}}, "variables", "add it"),
}


@pytest.mark.parametrize(("fields", "field", "remedy"), REFUSED_HERE.values(), ids=REFUSED_HERE)
async def test_what_the_vendor_cannot_do_is_refused_here_and_the_rest_goes_out(
    fields: dict[str, Any], field: str, remedy: str
) -> None:
    message = Message(**{"to": number(1), "text": "Hola", **fields})
    with pytest.raises(ValidationError, match=remedy) as caught:
        EnviaTuSmsClient(KEY).prepare(message)
    assert caught.value.field == field
    report, outcomes, server = await sending([Message(number(0), "Hola"), message], OK)
    assert (report.accepted, report.not_sent) == (1, 1)
    assert outcomes[1].kind is OutcomeKind.NOT_SENT
    assert outcomes[1].code == f"invalid_{field}"
    assert len(server.requests) == 1


@pytest.mark.parametrize(("text", "parts"), [("x" * 160, 1), ("á" * 160, 1), ("한" * 71, 2), ("€" * 100, 2)])
def test_parts_are_those_of_the_text_without_its_accents(text: str, parts: int) -> None:
    assert EnviaTuSmsClient(KEY).prepare(Message(number(0), text)).parts == parts


# --------------------------------------------------------------------------------------------- ignored numbers


async def test_ignored_numbers_are_rejected_and_the_others_accepted() -> None:
    messages = [Message(number(0), "Hola"), Message("0123-4567896", "Hola"), Message(number(2), "Hola")]
    for form in ("581234567896", "01234567896", "1234567896", "+581234567896"):
        report, outcomes, server = await sending(messages, {**OK, "ignored": [form]})
        assert [one.kind for one in outcomes] == [OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.ACCEPTED]
        assert [one.vendor_id for one in outcomes] == ["1234", None, "1234"]
        assert outcomes[1].code == "ignored"
        assert (report.accepted, report.rejected, report.unknown) == (2, 1, 0)
        assert len(server.requests) == 1


@pytest.mark.parametrize("count", [1, 2])
async def test_ok_with_everything_ignored_rejects_all(count: int) -> None:
    messages = [Message(f"0212000000{index}", "Hola") for index in range(count)]
    body = {"status": "ok", "ignored": [f"58212000000{index}" for index in range(count)]}
    report, outcomes, _ = await sending(messages, body)
    assert (report.rejected, report.total) == (count, count)
    assert {(one.kind, one.code, one.vendor_id) for one in outcomes} == {(OutcomeKind.REJECTED, "ignored", None)}


STATS = {"total_numbers": 1, "total_sms": 1, "pending": 1, "delivered": 0, "failed": 0}
STRANGER = "58123456789"


def campaign(*numbers: str) -> Mapping[str, Any]:
    lines = [{"mobile_number": int(f"58{one[1:]}"), "status": 0, "processed": 0} for one in numbers]
    return {"status": "ok", "stats": STATS, "numbers_stats": lines}


async def test_a_stranger_among_the_ignored_is_found_out_by_the_campaign() -> None:
    """One of ours is missing from it, and one was ignored: that is the one."""
    messages = [Message(number(index), "Hola") for index in range(3)] + [Message("01234567896", "Hola")]
    body = {**OK, "ignored": ["581234567896", STRANGER]}
    report, outcomes, server = await sending(messages, body, campaign(number(0), number(2)))
    assert [one.kind.value for one in outcomes] == ["accepted", "rejected", "accepted", "rejected"]
    assert [(one.method, one.path) for one in server.requests] == [
        ("POST", "/api/sms-multi"),
        ("GET", "/api/campaign/1234"),
    ]
    assert report.unknown == 0


CAMPAIGNS_THAT_DO_NOT_ADD_UP: dict[str, Given] = {
    "all are in it": campaign(number(0), number(1)),
    "nobody is in it": campaign(),
    "somebody else is in it": campaign(number(0), number(7)),
    "only somebody else is in it": campaign(number(7)),
    "it cannot be read": b"{",
    "it is refused": {"status": "error"},
    "the server fails": Answer(b"oops", 500),
}


@pytest.mark.parametrize("answer", CAMPAIGNS_THAT_DO_NOT_ADD_UP.values(), ids=CAMPAIGNS_THAT_DO_NOT_ADD_UP)
async def test_what_the_campaign_cannot_settle_is_unknown(answer: Given) -> None:
    """The ignored entry is not lost, and nobody is called accepted or rejected without a reason."""
    messages = [Message(number(0), "Hola"), Message(number(1), "Hola"), Message("01234567896", "Hola")]
    body = {**OK, "ignored": ["581234567896", STRANGER]}
    report, outcomes, server = await sending(messages, body, answer)
    assert [one.kind.value for one in outcomes] == ["unknown", "unknown", "rejected"]
    assert [one.code for one in outcomes] == ["partial", "partial", "ignored"]
    assert outcomes[0].vendor_id == "1234"
    assert report.unknown == 2
    assert {request.path for request in server.requests} == {"/api/sms-multi", "/api/campaign/1234"}
    assert [request.path for request in server.requests].count("/api/sms-multi") == 1


async def test_a_campaign_that_lags_behind_is_asked_again() -> None:
    messages = [Message(number(0), "Hola"), Message(number(1), "Hola")]
    body = {**OK, "ignored": [STRANGER]}
    _, outcomes, server = await sending(messages, body, campaign(), campaign(number(1)))
    assert [one.kind.value for one in outcomes] == ["rejected", "accepted"]
    assert len(server.requests) == 3


async def test_the_only_recipient_of_a_request_is_found_out_by_the_campaign_as_well() -> None:
    for listed, kind in ((campaign(), "rejected"), (campaign(number(0)), "unknown")):
        _, outcomes, _ = await sending([Message(number(0), "Hola")], {**OK, "ignored": [STRANGER]}, listed)
        assert [one.kind.value for one in outcomes] == [kind]


# ------------------------------------------------------------------------------------------------ whole requests


WHOLE: dict[str, tuple[Given, OutcomeKind, str]] = {
    "refused": ({"status": "error", "msg": "no"}, OutcomeKind.REJECTED, "error"),
    "a text is at fault": ({"status": "error", "sms_contenido": "Hola"}, OutcomeKind.REJECTED, "error"),
    "invalid": (Answer({"status": "error"}, 422), OutcomeKind.REJECTED, "422"),
    "no id": ({"status": "ok"}, OutcomeKind.UNKNOWN, "decode_error"),
    "cut": (b'{"status":"ok","id":12', OutcomeKind.UNKNOWN, "decode_error"),
    "refused with an id": ({"status": "error", "id": 1}, OutcomeKind.UNKNOWN, "ambiguous_response"),
    "the server fails": (Answer(b"oops", 500), OutcomeKind.UNKNOWN, "500"),
    "the connection breaks": (None, OutcomeKind.UNKNOWN, "connection_lost"),
}


@pytest.mark.parametrize(("answer", "kind", "code"), WHOLE.values(), ids=WHOLE)
async def test_what_becomes_of_a_request_holds_for_all_in_it(answer: Given, kind: OutcomeKind, code: str) -> None:
    answers = answer if isinstance(answer, Answer) or answer is not None else Answer(None)
    report, outcomes, server = await sending([Message(number(index), "Hola") for index in range(3)], answers)
    assert {(one.kind, one.code) for one in outcomes} == {(kind, code)}
    assert report.total == 3
    assert len(server.requests) == 1


async def test_a_refused_key_ends_the_campaign_after_one_request() -> None:
    messages = [Message(number(index), "Hola") for index in range(10)]
    refusal = Answer({"status": "error", "msg": "api_key invalida"}, 401)
    report, _, server = await sending(messages, refusal, max_recipients=2)
    assert (report.rejected, report.not_sent) == (2, 8)
    assert len(server.requests) == 1


async def test_a_campaign_that_waits_for_moderation_is_accepted() -> None:
    """``approved`` is 0 until then; nothing takes ACCEPTED back."""
    waiting = {**campaign(number(0)), "approved": 0}
    async with Served(OK, waiting) as server, EnviaTuSmsClient(KEY, base_url=server.url) as client:
        report = await BatchSender(client).send([Message(number(0), "Hola")])
        found = await client.get_campaign("1234")
    assert report.accepted == 1
    assert found.approved is False
    assert not found.is_complete
