"""The envelope in all its spellings, contradictions in it, and the samples of the document that are not JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from served import Answer
from tiers import examples

from mensasdk import (
    AmbiguousResponse,
    AuthError,
    DecodeError,
    HttpResponse,
    InsufficientCredits,
    MensaError,
    UnexpectedResponse,
    UnexpectedStatus,
    VendorError,
)
from mensasdk.vendors.envia_sms import EnviaSmsClient, GetCredits, SendCancel, SendSms
from mensasdk.vendors.envia_sms.repair import MAX_LENGTH, repair

from . import samples
from .served import (
    CALLS,
    CHANGING,
    DONE,
    IDENTIFIER,
    NUMBER,
    REJECTED,
    SPELLINGS,
    UNKNOWN,
    WIRE_NUMBER,
    Served,
    envelope,
    sent,
)


async def outcome_of(function: str, *answers: bytes | Answer) -> object:
    """Return what a call comes to: its value, or its error."""
    async with Served(*answers) as server, server.client() as client:
        try:
            return await CALLS[function][0](client)
        except MensaError as error:
            return error


# -------------------------------------------------------------------------------------------- spellings of a success

NO_CODE: list[Any] = [0, "0", "00", "", None, " ", False, 0.0]


@pytest.mark.slow
@pytest.mark.parametrize("code", NO_CODE, ids=repr)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("function", CALLS)
async def test_no_code_in_any_spelling_is_a_success(function: str, spelling: str, code: Any) -> None:
    response = json.loads(CALLS[function][1])["response"]
    for error in (False, 0, "false", "0"):
        body = envelope(response, error=error, code=code, words=None, spelling=spelling)
        async with Served(body) as server, server.client() as client:
            await CALLS[function][0](client)
        assert len(server.requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("code", ["05", "5", 5, 5.0, " 05 ", "005"], ids=repr)
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_code_in_any_spelling_is_the_same_code(spelling: str, code: Any) -> None:
    for error in (True, 1, "true", "1", False, None, ...):
        fields = json.loads(envelope(None, error=None, code=code, spelling=spelling))
        if error is ...:
            del fields["error"]
        else:
            fields["error"] = error
        failure = await outcome_of("send", json.dumps(fields).encode())
        assert type(failure) is InsufficientCredits
        assert failure.code == "05"


@pytest.mark.parametrize("function", CALLS)
async def test_the_envelope_may_stand_in_a_list_and_in_other_letters(function: str) -> None:
    body = CALLS[function][1]
    assert not isinstance(await outcome_of(function, b"[" + body + b"]"), MensaError)
    upper = json.loads(body)
    shouted = json.dumps({name.upper(): value for name, value in upper.items()}).encode()
    assert not isinstance(await outcome_of(function, shouted), MensaError)


@pytest.mark.parametrize("content_type", ["text/html; charset=UTF-8", "text/plain", None, "application/json"])
async def test_the_declared_type_does_not_matter(content_type: str | None) -> None:
    assert not isinstance(await outcome_of("send", Answer(sent(), content_type=content_type)), MensaError)


async def test_one_code_may_stand_there_under_two_names() -> None:
    body = b'{"error":true,"code_error":5,"error_code":"05","codigo_error":""}'
    assert type(await outcome_of("send", body)) is InsufficientCredits


# ---------------------------------------------------------------------------------------------------- contradictions

DOUBTFUL: dict[str, tuple[bytes, type[MensaError]]] = {
    "two codes": (b'{"error":true,"code_error":5,"error_code":3,"response":null}', AmbiguousResponse),
    "a code and its absence": (b'{"error":true,"code_error":0,"error_code":3}', AmbiguousResponse),
    "one key with two values": (b'{"error":true,"codigo_error":"05","codigo_error":"03"}', AmbiguousResponse),
    "a code and an identifier": (
        envelope({"identificador": {"0": "a"}}, error=True, code="05"),
        AmbiguousResponse,
    ),
    "a code and an identifier, no error": (envelope([{"IDENTIFICADOR": "a"}], code="05"), AmbiguousResponse),
    "an error without a code, with data": (envelope({"identificador": "a"}, error=True), AmbiguousResponse),
    "an error without a code": (envelope(None, error=True, words="Algo pasó"), VendorError),
    "a code that is a flag": (envelope(None, error=True, code=True), DecodeError),
    "a code that is an object": (envelope(None, error=True, code={"a": 1}), DecodeError),
    "a code that is a sentence": (envelope(None, error=True, code="no hay créditos"), DecodeError),
    "a flag that nobody knows": (envelope(None, error="quizás"), DecodeError),
    "no verdict": (b'{"error":null,"codigo_error":"","response":{"identificador":"a"}}', DecodeError),
    "no response": (b'{"error":false,"codigo_error":""}', DecodeError),
    "a list for a response": (envelope([]), DecodeError),
    "a text for a response": (envelope("60si864mv8o3b"), DecodeError),
    "two responses": (envelope([{"identificador": "a"}, {"identificador": "b"}]), DecodeError),
    "cut": (sent()[:-9], DecodeError),
    "a number": (b"1", UnexpectedResponse),
    "JSON of somebody else's": (b'{"message": "Forbidden"}', UnexpectedResponse),
    "an empty object": (b"{}", UnexpectedResponse),
    "a page": (b"<!DOCTYPE html><html><body>Mantenimiento</body></html>", UnexpectedResponse),
    "nothing": (b"", UnexpectedResponse),
    "blanks": (b" \r\n", UnexpectedResponse),
}


@pytest.mark.parametrize(("body", "kind"), DOUBTFUL.values(), ids=DOUBTFUL)
async def test_an_answer_to_a_send_that_leaves_doubt_is_unknown(body: bytes, kind: type[MensaError]) -> None:
    async with Served(body) as server, server.client() as client:
        with pytest.raises(MensaError) as caught:
            await client.send_sms(NUMBER, "01")
    assert type(caught.value) is kind
    assert caught.value.outcome is UNKNOWN
    assert len(server.requests) == 1


FOREIGN = {"a page", "nothing", "blanks", "a number", "JSON of somebody else's", "an empty object"}


@pytest.mark.parametrize("name", DOUBTFUL)
async def test_the_same_doubt_remains_under_status_400_which_proves_nothing(name: str) -> None:
    """109 and 117 come with 400, and an SMS may have gone out; what is not the vendor's answer at all is refused."""
    body, kind = DOUBTFUL[name]
    failure = await outcome_of("send", Answer(body, 400))
    assert isinstance(failure, MensaError)
    if name in FOREIGN:
        assert type(failure) is UnexpectedStatus
        assert failure.outcome is REJECTED
        assert failure.code == "400"
    else:
        assert type(failure) is kind
        assert failure.outcome is UNKNOWN


@pytest.mark.parametrize("function", CHANGING)
async def test_what_looks_like_a_success_under_a_status_of_failure_is_unknown(function: str) -> None:
    for status in (400, 401, 403, 404):
        failure = await outcome_of(function, Answer(CALLS[function][1], status))
        assert type(failure) is AmbiguousResponse
        assert failure.outcome is UNKNOWN


@pytest.mark.parametrize(
    ("status", "kind", "outcome"),
    [(401, AuthError, REJECTED), (403, AuthError, REJECTED), (404, UnexpectedStatus, REJECTED),
     (414, UnexpectedStatus, REJECTED), (500, UnexpectedStatus, UNKNOWN), (502, UnexpectedStatus, UNKNOWN)],
)  # fmt: skip
async def test_other_statuses_speak_for_themselves(status: int, kind: type[MensaError], outcome: object) -> None:
    for body in (b"<html>", b'{"message": "Forbidden"}', b"", sent()[:-9]):
        failure = await outcome_of("send", Answer(body, status))
        assert type(failure) is kind
        assert failure.outcome is outcome
        assert failure.code == str(status)


# ------------------------------------------------------------------------------------------- what is not quite JSON

NOT_JSON = {
    "GENERAL": samples.GENERAL,
    "TEST_MODE": samples.TEST_MODE,
    "SENT": samples.SENT,
    "SCHEDULED": samples.SCHEDULED,
}


def test_just_these_samples_of_the_document_are_not_json() -> None:
    for name in samples.__all__:
        try:
            json.loads(getattr(samples, name))
            strict = True
        except ValueError:
            strict = False
        assert strict is (name not in NOT_JSON)


async def test_the_general_sample_lacks_its_end_and_is_never_a_success() -> None:
    """Nothing tells it from an answer that was cut."""
    for function in CALLS:
        failure = await outcome_of(function, samples.GENERAL)
        assert type(failure) is DecodeError
        assert failure.outcome is UNKNOWN
        assert "end" in str(failure)


async def test_in_the_shape_of_the_general_sample_a_refusal_is_read() -> None:
    for code in (b"5", b'"05"'):
        body = samples.GENERAL.replace(b"false", b"true").replace(b"0", code)
        for status in (200, 400):
            assert type(await outcome_of("send", Answer(body, status))) is InsufficientCredits


@pytest.mark.parametrize("function", CALLS)
async def test_an_answer_in_the_brackets_of_a_list_is_read(function: str) -> None:
    body = CALLS[function][1]
    assert body[:1] + body[-1:] == b"{}"
    value = await outcome_of(function, b"[" + body[1:-1] + b"]")
    assert not isinstance(value, MensaError)


async def test_a_refusal_in_the_brackets_of_a_list_is_read() -> None:
    body = b'[ "error": true, "codigo_error": "05", "mensaje_error": "[x]", "response": [ ] ]'
    assert type(await outcome_of("send", Answer(body, 400))) is InsufficientCredits


REPAIRED: dict[str, tuple[str, Any]] = {
    "objects in brackets, one in another": ('["a": ["0": "x"], "b": []]', {"a": {"0": "x"}, "b": []}),
    "lists stay lists": ('["a": ["x", "y"], "b": [[1], {"c": [2]}]]', {"a": ["x", "y"], "b": [[1], {"c": [2]}]}),
    "a date": ('{"a": 2022-06-03}', {"a": "2022-06-03"}),
    "a time without seconds": ('{"a": 2022-06-03 00:00 }', {"a": "2022-06-03 00:00"}),
    "dates in a list": (
        '["a": [2022-06-03 00:00:00,2022-06-04 00:00]]', {"a": ["2022-06-03 00:00:00", "2022-06-04 00:00"]},
    ),
    "brackets and dates in texts": ('["a": "] } [ { 2022-06-03, \\" x"]', {"a": '] } [ { 2022-06-03, " x'}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), REPAIRED.values(), ids=REPAIRED)
def test_what_is_repaired(text: str, tree: Any) -> None:
    repaired = repair(text)
    assert repaired is not None
    assert repaired.whole
    assert json.loads(repaired.text) == tree


NOT_REPAIRED = [
    "",
    "x",
    "[",
    "{",
    '"a": 1',
    '{"a": 1}',  # in order already
    "[1, 2]",
    '["a": 1',
    '["a": 1}',
    '{"a": 1]',
    '["a": {"b": 1]',
    '["a": "b]',
    '["a": 1]]',
    '{"a": 2022-06-03',
    '{"error": false, "response": {"a": 1}',
    '{"error": false, "data": {}',
    '{"a": {"response": {}',
    '["error": false, "response": {}',
    "[" * 500 + '"a": 1' + "]" * 500,
    '["a": ' * 500 + "1" + "]" * 500,
    '["a": "' + "x" * MAX_LENGTH + '"]',
]


@pytest.mark.parametrize("text", NOT_REPAIRED, ids=lambda text: text[:40])
def test_what_is_not_repaired(text: str) -> None:
    assert repair(text) is None


# ------------------------------------------------------------------------------------------------ answers that are cut


def reader() -> EnviaSmsClient:
    """Return a client of which only the reading is used."""
    return EnviaSmsClient("TOKEN")


SEND = SendSms(template="01", number=WIRE_NUMBER)
CANCEL = SendCancel(action="cancel", message_id=IDENTIFIER)


def succeeds(call: Any, body: bytes, status: int = 200) -> bool:
    try:
        reader()._read(call, HttpResponse(status, {}, body))
    except MensaError:
        return False
    return True


@pytest.mark.parametrize("body", [samples.TEST_MODE, samples.SENT, samples.SCHEDULED, samples.SHORT_LINK])
def test_a_sample_that_is_cut_anywhere_is_never_a_success(body: bytes) -> None:
    body = body.strip()
    assert succeeds(SEND, body)
    for length in range(len(body)):
        assert not succeeds(SEND, body[:length]), length
        assert not succeeds(SEND, body[:length].replace(b"[", b"{", 1)), length


def test_the_answer_to_a_cancellation_that_is_cut_anywhere_is_never_a_success() -> None:
    for body in (samples.CANCELLED.strip(), DONE, b'{"error": false, "error_code": "0", "response": {}}'):
        assert succeeds(CANCEL, body)
        for length in range(len(body)):
            assert not succeeds(CANCEL, body[:length]), length


def test_credits_that_are_cut_anywhere_are_never_read() -> None:
    body = samples.CREDITS.strip()
    assert succeeds(GetCredits(), body)
    for length in range(len(body)):
        assert not succeeds(GetCredits(), body[:length]), length


brackets = st.text(st.sampled_from('[]{}":,\\ 0a2022-06-03'), max_size=30)


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(text="]}]", cut=0)
@given(text=brackets, cut=st.integers(0, 400))
def test_no_text_of_a_message_makes_a_cut_answer_a_whole_one(text: str, cut: int) -> None:
    """In the shapes that the repair knows, with texts that look like what it looks for."""
    whole = sent(mensaje_enviado=text, identificador={"0": "a"}, mensaje=text)
    listed = b"[" + whole[1:-1] + b"]"
    dated = listed.replace(b"null", b"2022-06-03 00:00:00", 1)
    for body in (whole, listed, dated):
        assert succeeds(SEND, body)
        assert not succeeds(SEND, body[: cut % len(body)])


@pytest.mark.slow
@settings(max_examples=examples(200), deadline=None)
@given(st.one_of(st.binary(max_size=200), brackets.map(str.encode), st.text(max_size=100).map(str.encode)))
def test_any_bytes_end_in_a_value_or_in_an_error_of_ours(body: bytes) -> None:
    for status in (200, 400, 403, 500):
        for call in (SEND, CANCEL, GetCredits()):
            assert not succeeds(call, body, status)
