"""The answer to a send: who was accepted, who was not, and whom nobody can sort out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import check_plain

from mensasdk import AmbiguousResponse, DecodeError, InvalidRequest, MensaError, OutcomeKind, ValidationError
from mensasdk.codec import encode_json
from mensasdk.transport import HttpResponse
from mensasdk.vendors.enviatusms import EnviaTuSmsClient, SendResult, SendSms
from mensasdk.vendors.enviatusms.convert import CONVERTER

from .served import KEY, SENT, talking

GOOD = "04241234567"
OTHER = "+58 414-1234567"
BAD = "0123 456 7896"  # the first one of the sample's ``ignored``
FORMS_OF_BAD = ["581234567896", "01234567896", "1234567896", "+581234567896"]


async def test_the_sample_of_sending_names_one_of_ours_and_a_stranger() -> None:
    """Its second ignored number has a digit too few to be ours; it may stand for any of the others."""
    async with talking(SENT) as (client, _):
        result = await client.send_sms([GOOD, OTHER, BAD], "Hola")
    assert result.campaign_id == "1234"
    assert result.message == "Mensaje enviado con exito. Numeros invalidos ignorados."
    assert result.ignored == ("581234567896", "58123456789")
    assert result.rejected == (BAD,)
    assert result.unmatched == ("58123456789",)
    assert result.unknown == (GOOD, OTHER)
    assert result.accepted == ()


@pytest.mark.parametrize("field", ["id", "campaign_id", "ID"])
@pytest.mark.parametrize("value", [1234, "1234"])
async def test_the_id_stands_under_either_name(field: str, value: int | str) -> None:
    """``campaign_id`` in the table, ``id`` in the sample."""
    async with talking({"status": "ok", field: value}) as (client, _):
        assert (await client.send_sms(GOOD, "Hola")).campaign_id == "1234"


async def test_with_both_names_the_tables_one_wins() -> None:
    async with talking({"status": "ok", "id": 9, "campaign_id": 1234}) as (client, _):
        assert (await client.send_sms(GOOD, "Hola")).campaign_id == "1234"


@pytest.mark.parametrize("written", [None, [], {}, "", False, 0])
async def test_nothing_ignored_may_be_written_in_any_way(written: Any) -> None:
    async with talking({"status": "ok", "id": 1, "ignored": written}) as (client, _):
        result = await client.send_sms([GOOD, OTHER], "Hola")
    assert (result.accepted, result.rejected, result.unknown, result.ignored) == ((GOOD, OTHER), (), (), ())


async def test_nothing_ignored_may_be_left_out() -> None:
    async with talking({"status": "ok", "id": 1}) as (client, _):
        assert (await client.send_sms([GOOD, OTHER], "Hola")).accepted == (GOOD, OTHER)


@pytest.mark.parametrize("spelling", [BAD, "+58 123-4567896", "581234567896", "1234567896"])
@pytest.mark.parametrize("form", [*FORMS_OF_BAD, 581234567896, " 581234567896 ", "+58 123 4567896"])
async def test_an_ignored_number_is_found_whichever_way_either_side_writes_it(form: str | int, spelling: str) -> None:
    async with talking({"status": "ok", "id": 1, "ignored": [form]}) as (client, _):
        result = await client.send_sms([GOOD, spelling], "Hola")
    assert (result.accepted, result.rejected, result.unmatched) == ((GOOD,), (spelling,), ())


@pytest.mark.parametrize(
    "written", [["581234567896"], {"1": "581234567896"}, "581234567896", "581234567896, 581234567896", 581234567896]
)
async def test_the_ignored_numbers_may_be_an_array_an_object_or_a_string(written: Any) -> None:
    """PHP writes an array with gaps as an object."""
    async with talking({"status": "ok", "id": 1, "ignored": written}) as (client, _):
        result = await client.send_sms([GOOD, BAD], "Hola")
    assert (result.accepted, result.rejected, result.unknown) == ((GOOD,), (BAD,), ())


async def test_a_number_that_stands_there_twice_is_sorted_out_twice() -> None:
    numbers = [GOOD, "4241234567", BAD, "581234567896"]
    texts = ["uno", "dos", "tres", "cuatro"]
    async with talking({"status": "ok", "id": 1, "ignored": ["581234567896"]}) as (client, _):
        result = await client.send_sms(numbers, texts, allow_duplicates=True)
    assert (result.accepted, result.rejected) == ((GOOD, "4241234567"), (BAD, "581234567896"))


EVERYTHING = [
    {"status": "ok", "id": 1, "ignored": ["581234567896"]},
    {"status": "ok", "ignored": ["581234567896"]},
    {"status": "ok", "id": 0, "ignored": ["581234567896"]},
]


@pytest.mark.parametrize("body", EVERYTHING)
async def test_ok_with_the_only_number_ignored_is_a_refusal(body: Mapping[str, Any]) -> None:
    async with talking(body) as (client, server):
        with pytest.raises(InvalidRequest, match=r"ignored the number \(\*\*\*896\).*nothing is charged") as caught:
            await client.send_sms(BAD, "Hola")
    assert caught.value.outcome is OutcomeKind.REJECTED
    assert caught.value.code == "ignored"
    assert not caught.value.retryable
    check_plain(caught.value, "enviatusms")
    assert len(server.requests) == 1


@pytest.mark.parametrize("more", [{"id": 1}, {}, {"id": None}])
async def test_ok_with_all_of_several_ignored_is_a_result_that_accepts_nobody(more: Mapping[str, Any]) -> None:
    body = {"status": "ok", "ignored": ["581234567896", "582121234567"], **more}
    async with talking(body) as (client, _):
        result = await client.send_sms([BAD, "0212 1234567"], "Hola")
    assert (result.accepted, result.rejected, result.unknown) == ((), (BAD, "0212 1234567"), ())
    assert result.campaign_id == ("1" if more.get("id") else None)


@pytest.mark.parametrize("stranger", ["58123456789", "34600000000", "584240000000", "", "abc", None])
async def test_an_ignored_number_that_was_not_sent_puts_the_others_in_doubt(stranger: str | None) -> None:
    """It is not lost: one of ours may be meant, so none of them can be called accepted."""
    async with talking({"status": "ok", "id": 1, "ignored": [stranger]}) as (client, _):
        result = await client.send_sms([GOOD, OTHER], "Hola")
    assert result.unmatched == (stranger or "",)
    assert (result.accepted, result.rejected, result.unknown) == ((), (), (GOOD, OTHER))


async def test_a_stranger_changes_nothing_where_all_of_ours_are_ignored_anyway() -> None:
    body = {"status": "ok", "ignored": ["581234567896", "582121234567", "58123456789"]}
    async with talking(body) as (client, _):
        result = await client.send_sms([BAD, "02121234567"], "Hola")
    assert (result.rejected, result.unknown) == ((BAD, "02121234567"), ())
    assert result.unmatched == ("58123456789",)


async def test_a_stranger_ignored_in_place_of_the_only_number_is_unknown_and_names_the_campaign() -> None:
    async with talking({"status": "ok", "id": 1234, "ignored": ["58123456789"]}) as (client, _):
        with pytest.raises(AmbiguousResponse, match=r"campaign 1234 .*get_campaign") as caught:
            await client.send_sms(GOOD, "Hola")
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    check_plain(caught.value, "enviatusms")


@pytest.mark.parametrize(
    "more", [{}, {"id": None}, {"id": ""}, {"id": 0}, {"id": "0"}, {"id": False}, {"id": [1]}, {"msg": "enviado"}]
)
@pytest.mark.parametrize("numbers", [[GOOD], [GOOD, BAD], [GOOD, OTHER]])
async def test_an_answer_that_accepts_and_has_no_id_is_unknown(numbers: list[str], more: Mapping[str, Any]) -> None:
    async with talking({"status": "ok", "ignored": ["581234567896"] if BAD in numbers else [], **more}) as (client, _):
        with pytest.raises(DecodeError) as caught:
            await client.send_sms(numbers, "Hola")
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    check_plain(caught.value, "enviatusms")


@pytest.mark.parametrize(
    "body",
    [
        {"id": 1},
        {"status": "pendiente", "id": 1},
        {"status": "ok", "success": False, "id": 1},
        {"status": "ok", "success": False},
        {"status": "error", "success": True},
        {"status": "ok", "success": "quizas", "id": 1},
        {"status": "error", "id": 1234, "msg": "Saldo insuficiente"},
        {"status": "error", "campaign_id": 1234},
        {"status": "ok", "id": 1, "ignored": [[1]]},
        {"status": "ok", "id": 1, "ignored": {"a": {"b": 1}}},
    ],
    ids=str,
)
async def test_an_answer_that_does_not_say_what_happened_is_unknown(body: Mapping[str, Any]) -> None:
    async with talking(body) as (client, server):
        with pytest.raises(DecodeError) as caught:
            await client.send_sms(GOOD, "Hola")
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    check_plain(caught.value, "enviatusms")
    assert len(server.requests) == 1


async def test_a_refusal_with_an_id_names_the_campaign() -> None:
    async with talking({"status": "error", "id": 1234}) as (client, _):
        with pytest.raises(AmbiguousResponse, match="campaign 1234"):
            await client.send_sms(GOOD, "Hola")


async def test_a_call_in_the_vendors_own_terms_names_numbers_as_they_were_sent() -> None:
    call = SendSms(numbers=["04241234567", "1234567896"], text="Hola")
    async with talking({"status": "ok", "id": 1, "ignored": ["581234567896"]}) as (client, _):
        result = await client.execute(call)
    assert (result.accepted, result.rejected) == (("04241234567",), ("1234567896",))


async def test_a_result_shows_no_numbers() -> None:
    async with talking({"status": "ok", "id": 1, "ignored": ["581234567896"]}) as (client, _):
        result = await client.send_sms([GOOD, BAD], "Hola")
    assert repr(result) == "SendResult(campaign_id='1', 1 accepted, 1 rejected, 0 unknown)"
    assert result.raw["ignored"] == ["581234567896"]


national = st.from_regex(r"[1-9][0-9]{9}", fullmatch=True)
forms = st.sampled_from(["58{}", "0{}", "{}", "+58{}", "+58 {}", "0058{}"])


@pytest.mark.slow
@given(
    people=st.lists(st.tuples(national, forms, forms, st.booleans()), min_size=2, unique_by=lambda one: one[0]),
    strangers=st.lists(national, max_size=2),
)
def test_nobody_is_lost_and_nobody_is_accepted_in_doubt(
    people: list[tuple[str, str, str, bool]], strangers: list[str]
) -> None:
    """Each number stands in just one tuple, in the caller's spelling and order, whatever is ignored in what form."""
    strangers = [one for one in strangers if one not in {number for number, *_ in people}]
    spelled = [form.format(number) for number, form, _, _ in people]
    wrong = [name for name, (*_, bad) in zip(spelled, people, strict=True) if bad]
    right = [name for name in spelled if name not in wrong]
    answer = CONVERTER.structure(
        {
            "status": "ok",
            "id": 1,
            "ignored": [back.format(number) for number, _, back, bad in people if bad] + strangers,
        },
        SendResult,
    )
    call = SendSms(numbers=[f"58{number}" for number, *_ in people], text="Hola", given=spelled)
    result = EnviaTuSmsClient(KEY)._sorted_out(call, answer)
    assert list(result.rejected) == wrong
    assert list(result.accepted) == ([] if strangers else right)
    assert list(result.unknown) == (right if strangers else [])
    assert list(result.unmatched) == strangers


answers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=15),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(["ok", "error", "OK", "", None, True, False, 1, 0])


@given(
    status=words | answers,
    campaign=st.sampled_from([1, "1", 0, None, ""]) | answers,
    ignored=st.lists(st.sampled_from(FORMS_OF_BAD)) | answers,
    more=st.dictionaries(st.sampled_from(["msg", "success", "campaign_id", "sms_contenido", "error"]), answers),
)
def test_whatever_is_answered_ends_in_a_result_or_an_error_of_ours(
    status: Any, campaign: Any, ignored: Any, more: dict[str, Any]
) -> None:
    """No other exception, and never accepted without ok and an id."""
    fields = {"status": status, "id": campaign, "ignored": ignored, **more}
    try:
        body = encode_json(fields)
    except ValidationError:  # half a surrogate pair, an integer beyond 64 bits
        return
    call = SendSms(numbers=["584241234567", "581234567896"], text="Hola")
    result: SendResult | MensaError
    try:
        result = EnviaTuSmsClient(KEY)._read(call, HttpResponse(200, {}, body))
    except MensaError as error:
        result = error
    if isinstance(result, SendResult):
        assert status not in ("error", "")
        assert len(result.accepted) + len(result.rejected) + len(result.unknown) == 2
        assert result.campaign_id or len(result.rejected) == 2
    elif result.outcome is OutcomeKind.REJECTED:
        assert status not in ("ok", "OK")
    else:
        assert result.outcome is OutcomeKind.UNKNOWN
