"""Wrong kinds of argument are refused where they are given: by name and position, with what is expected, at once."""

# What is wrong here is wrong for type checkers, too.
# mypy: disable-error-code="arg-type,list-item,dict-item,call-arg"

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, time, timedelta
from typing import Any

import pytest

from mensasdk import (
    AiohttpTransport,
    Budget,
    CircuitBreaker,
    EnviaSmsClient,
    EnviaTuSmsClient,
    Estimate,
    MensaError,
    MensatekClient,
    Message,
    OptOuts,
    OutcomeKind,
    Prices,
    RateLimit,
    Recipient,
    RetryPolicy,
    SendingHours,
    SmsGateway24Client,
    Spread,
    Timeouts,
)
from mensasdk.arguments import check_count, check_flag, check_seconds
from mensasdk.limits.window import WindowLimiter

BASE = "http://127.0.0.1:9"
PRICES = Prices({"ES": "1"})


def cl(**options: Any) -> Any:
    return MensatekClient("u", "t", base_url=BASE, **options)


def en(**options: Any) -> Any:
    return EnviaSmsClient("t", base_url=BASE, **options)


def et(**options: Any) -> Any:
    return EnviaTuSmsClient("t", base_url=BASE, **options)


def sg(**options: Any) -> Any:
    return SmsGateway24Client(token="t", device_id=1, base_url=BASE, **options)


CLIENTS = {"mensatek": cl, "envia_sms": en, "enviatusms": et, "smsgateway24": sg}
# What every client takes, with what is said of it.
SHARED: list[tuple[str, Any, str]] = [
    ("timeouts", 5, "timeouts must be Timeouts, as in Timeouts(total=5), not int"),
    ("retry", 3, "retry must be a RetryPolicy, as in RetryPolicy(attempts=3), not int"),
    ("hooks", print, "hooks must be a list of functions, as in hooks=[print], not builtin_function_or_method"),
    ("hooks", "abc", "hooks must be a list of functions"),
    ("hooks", [print, 5], "hooks[1] must be a function that takes an event, not int"),
    ("transport", 5, "transport must be a Transport, such as AiohttpTransport(), not int"),
    ("transport", AiohttpTransport, "transport must be a Transport, such as AiohttpTransport(), not type"),
    ("default_country", "Spain", "default_country 'Spain' is not a country; give its two letters by ISO 3166"),
    ("default_country", 34, 'default_country must be two letters by ISO 3166, such as "ES", or None, not int'),
    ("max_recipients", "10", "max_recipients must be a whole number, 1 or more, not str"),
    ("max_recipients", True, "max_recipients must be a whole number, 1 or more, not bool"),
    ("max_recipients", 0, "max_recipients must be 1 or more, not 0"),
]


@pytest.mark.parametrize("vendor", CLIENTS)
@pytest.mark.parametrize(("name", "value", "words"), SHARED, ids=[f"{name}={value!r}" for name, value, _ in SHARED])
def test_a_client_refuses_what_it_cannot_use(vendor: str, name: str, value: Any, words: str) -> None:
    if (vendor, name) == ("envia_sms", "max_recipients"):
        return  # it takes one, always
    with pytest.raises(MensaError) as caught:
        CLIENTS[vendor](**{name: value})
    assert caught.value.message.startswith(words)
    assert caught.value.outcome is OutcomeKind.NOT_SENT


def test_hooks_may_come_from_anything_that_can_be_gone_through() -> None:
    assert cl(hooks=(one for one in [print]))._pipeline.hooks == (print,)


MADE: list[tuple[Callable[[], object], str]] = [
    (lambda: MensatekClient("u", "t", base_url=5), "base_url must be a"),
    (lambda: MensatekClient(5, "t"), "api_user must be a"),
    (lambda: MensatekClient("u", "t", report_waits=0.5), "report_waits must be a list of seconds"),
    (lambda: MensatekClient("u", "t", report_waits=()), "report_waits must be a list of seconds"),
    (lambda: MensatekClient("u", "t", report_waits=[0, -1]), "report_waits must be zero or a positive number"),
    (lambda: EnviaTuSmsClient("k", campaign_waits=["1"]), "campaign_waits must be zero or a positive number"),
    (lambda: MensatekClient("u", None), "api_token must be a"),
    (lambda: EnviaSmsClient(5), "token must be a"),
    (lambda: EnviaTuSmsClient(None), "api_key must be a"),
    (lambda: SmsGateway24Client(token=5), "token must be a"),
    (lambda: SmsGateway24Client(email=5, password="x"), "email must be a"),
    (lambda: cl(group_sends="yes"), "group_sends must be True"),
    (lambda: en(test_mode="no"), "test_mode must be True"),
    (lambda: cl(answer_format=5), 'answer_format must be "json",'),
    (lambda: cl(answer_format=["json"]), 'answer_format must be "json",'),
    (lambda: cl(body_format=[1]), 'body_format must be "json"'),
    (lambda: sg(bulk=[1]), 'bulk must be "auto",'),
    (lambda: sg(sim="a"), "sim must be 0"),
    (lambda: sg(sim=True), "sim must be 0"),
    (lambda: Timeouts("5"), "Timeouts.total must be a"),
    (lambda: Timeouts(None), "Timeouts.total must be a"),
    (lambda: Timeouts(True), "Timeouts.total must be a"),
    (lambda: RetryPolicy("3"), "RetryPolicy.attempts must be a"),
    (lambda: RetryPolicy(2.5), "RetryPolicy.attempts must be a"),
    (lambda: RetryPolicy(True), "RetryPolicy.attempts must be a"),
    (lambda: RetryPolicy(base="1"), "RetryPolicy.base must be zero"),
    (lambda: RateLimit("5"), "permits of a rate"),
    (lambda: WindowLimiter(5), "limit must be a"),
    (lambda: CircuitBreaker(failures="5"), "failures of a circuit"),
    (lambda: CircuitBreaker(pause="5"), "pause of a circuit"),
    (lambda: CircuitBreaker(failures=2.5), "failures of a circuit"),
    (lambda: CircuitBreaker(failures=True), "failures of a circuit"),
    (lambda: CircuitBreaker(probes="x"), "probes of a circuit"),
    (lambda: Budget("5", 5), "prices must be Prices,"),
    (lambda: Budget(5.0, PRICES), "limit is a float,"),
    (lambda: Budget(max_messages="5"), "max_messages must be a whole number"),
    (lambda: Budget("5", {"ES": "1"}), "prices must be Prices,"),
    (lambda: AiohttpTransport(pool_size="5"), "pool_size must be a"),
    (lambda: AiohttpTransport(max_body=None), "max_body must be a"),
    (lambda: AiohttpTransport(proxy=5), "proxy must be a"),
    (lambda: AiohttpTransport(proxy_headers={"a": "b"}), "proxy_headers['a'] must be a"),
    (lambda: AiohttpTransport(session=5), "session must be an"),
    (lambda: AiohttpTransport(ca_file=5), "ca_file must be the"),
    (lambda: AiohttpTransport(pool_size=True), "pool_size must be a"),
    (lambda: AiohttpTransport(proxy_headers=[1]), "proxy_headers must be a"),
    (lambda: Message("1", "x", sender=5), "sender must be a"),
    (lambda: Message("1", "x", template=5), "template must be a"),
    (lambda: Message("1", "x", reference=5), "reference must be a"),
    (lambda: Message("1", "x", variables=5), "variables must be a"),
    (lambda: Message("1", "x", variables=["a"]), "variables must be a"),
    (lambda: Message("1", "x", schedule_at="tomorrow"), "schedule_at must be an"),
    (lambda: Message("1", "x", not_after=5), "not_after must be an"),
    (lambda: Message("1", "x", options={"a": 1}), "options must be the"),
    (lambda: Message("1", "x", schedule_at=date(2030, 1, 1)), "schedule_at must be an"),
    (lambda: Recipient(5), "number must be a"),
    (lambda: Recipient("1", 5), "variables must be a"),
    (lambda: Recipient("1", "abc"), "variables must be a"),
    (lambda: OptOuts(5), "opt-outs come from a"),
    (lambda: OptOuts(["+34600000001"], default_country=34), "default_country '34' is no"),
    (lambda: OptOuts([5]), "item 1: number must"),
    (lambda: OptOuts(["+34600000001"], default_country="Spain"), "default_country 'Spain' is no"),
    (lambda: SendingHours("09:00", "21:00"), "start must be a"),
    (lambda: SendingHours(time(9), time(21), days="mon"), "days must be some"),
    (lambda: SendingHours(time(9), time(21), zone=5), "time_zone must be an"),
    (lambda: SendingHours(windows=[time(9)]), "windows[0] must be a"),
    (lambda: SendingHours(time(9), time(21), choices=["a"]), "choices must be a"),
    (lambda: SendingHours(time(9), time(21), holidays={1}), "holidays must be a"),
    (lambda: SendingHours(time(9), time(21), clock=5), "clock must be a"),
    (lambda: SendingHours(9, 21), "start must be a"),
    (lambda: SendingHours(time(9), time(21), days=5), "days must be some"),
    (lambda: SendingHours(windows=5), "windows must be pairs"),
    (lambda: SendingHours(time(9), time(21), choices={"MX": 5}), "time_zone must be an"),
    (lambda: Spread(5, total=1), "over must be a"),
    (lambda: Spread(timedelta(hours=1), total="5"), "total must be a"),
    (lambda: Spread(timedelta(hours=1), total=5, start="now"), "start must be an"),
    (lambda: Spread(timedelta(hours=1), total=5, step=5), "step must be a"),
    (lambda: Spread(timedelta(hours=1), total=5, hours=5), "hours must be SendingHours,"),
    (lambda: Spread(timedelta(hours=1), total=True), "total must be a"),
    (lambda: Spread(timedelta(hours=1), total=5, clock=5), "clock must be a"),
    (lambda: Prices(5), "prices must map countries"),
    (lambda: Prices({"ES": "1"}, default=1.0), "the default price is"),
    (lambda: Prices.from_csv(5), "path must be the"),
    (lambda: Estimate(5), "prices must be Prices,"),
]


@pytest.mark.parametrize(("make", "words"), MADE, ids=[f"{index} {words}" for index, (_, words) in enumerate(MADE)])
def test_a_value_refuses_what_it_cannot_be_made_of(make: Callable[[], object], words: str) -> None:
    with pytest.raises(MensaError) as caught:
        make()
    assert caught.value.message.startswith(words)
    assert caught.value.outcome is OutcomeKind.NOT_SENT


CALLED: list[tuple[Callable[..., Any], Callable[[Any], Awaitable[object]], str]] = [
    (cl, lambda c: c.send_sms(5, "x"), "recipients must be a"),
    (cl, lambda c: c.send_sms(["+34600000001", 5], "x"), "recipients[1] must be a"),
    (cl, lambda c: c.send_sms("+34600000001", 5), "text must be a"),
    (cl, lambda c: c.send_sms("+34600000001", "x", sender=5), "sender must be a"),
    (cl, lambda c: c.send_sms("+34600000001", "x", schedule_at="x"), "schedule_at must be an"),
    (cl, lambda c: c.send_sms("+34600000001", "x", message_id=1.5), "message_id must be the"),
    (cl, lambda c: c.get_report(None), "message_id must be the"),
    (cl, lambda c: c.delete_file(5), "name must be a"),
    (cl, lambda c: c.upload_file(5), "file must be a"),
    (cl, lambda c: c.upload_file(b"x", name=5), "name must be a"),
    (cl, lambda c: c.reschedule_sms(1, "x"), "schedule_at must be an"),
    (cl, lambda c: c.send_sms("+34600000001", "x", fail_to_voice=True, voice_language=5), "voice_language must be a"),
    (cl, lambda c: c.send_sms("+34600000001", "x", fail_to_voice=True, voice_sender=5), "voice_sender must be a"),
    (cl, lambda c: c.send_sms("+34600000001", "x", reference=5), "reference must be a"),
    (en, lambda c: c.send_sms(5, "01"), "number must be a"),
    (en, lambda c: c.send_sms("+525510000001", 1), "template must be a"),
    (en, lambda c: c.send_sms("+525510000001", "01", variables=5), "variables must map names"),
    (en, lambda c: c.send_sms("+525510000001", "01", variables={"a": 5}), "variable 'a' must be"),
    (en, lambda c: c.send_sms("+525510000001", "01", schedule_at=5), "schedule_at must be an"),
    (en, lambda c: c.cancel_scheduled(5), "message_id must be the"),
    (en, lambda c: c.get_status("a", 5), "number must be a"),
    (en, lambda c: c.prices(["x"]), "plan must be one"),
    (et, lambda c: c.send_sms(5, "x"), "numbers must be a"),
    (et, lambda c: c.send_sms(["+584241000001", 5], "x"), "numbers[1] must be a"),
    (et, lambda c: c.send_sms("+584241000001", 5), "text must be a"),
    (et, lambda c: c.send_sms(["+584241000001"], [5]), "text[0] must be a"),
    (et, lambda c: c.get_campaign(None), "campaign_id must be the"),
    (et, lambda c: c.shorten_url(5), "link must be a"),
    (et, lambda c: c.quote_messages([5]), "messages[0] must be a"),
    (et, lambda c: c.quote_messages(5), "messages must be messages,"),
    (sg, lambda c: c.send_sms(5, "x"), "number must be a"),
    (sg, lambda c: c.send_sms("+393331000001", 5), "text must be a"),
    (sg, lambda c: c.send_sms("+393331000001", "x", device_id=1.5), "device_id must be a"),
    (sg, lambda c: c.send_sms("+393331000001", "x", sim="1"), "sim must be 0"),
    (sg, lambda c: c.send_sms("+393331000001", "x", schedule_at=5), "schedule_at must be an"),
    (sg, lambda c: c.send_sms("+393331000001", "x", customer_id=1.5), "customer_id must be a"),
    (sg, lambda c: c.send_sms("+393331000001", image=5), "image must be a"),
    (sg, lambda c: c.send_many([5]), "items[0] must be a"),
    (sg, lambda c: c.send_many(5), "items must be a"),
    (sg, lambda c: c.list_sms(begin=5), "begin must be an"),
    (sg, lambda c: c.list_sms(status="a"), "status must be a"),
    (sg, lambda c: c.list_sms(time_zone=5), "time_zone must be an"),
    (sg, lambda c: c.list_sms(number=5), "number must be one"),
    (sg, lambda c: c.get_status(None), "sms_id must be the"),
    (sg, lambda c: c.create_tag(5), "title must be a"),
    (sg, lambda c: c.save_contact(5, 1, "x"), "phone must be a"),
    (sg, lambda c: c.save_contact("+393331000001", 1, 5), "full_name must be a"),
    (sg, lambda c: c.create_newsletter("a", "b", tag_ids=1.5), "tag_ids must be an"),
    (sg, lambda c: c.create_newsletter("a", "b", tag_ids=[None]), "tag_ids must be the"),
    (sg, lambda c: c.resolve(5), "outcome must be an"),
    (sg, lambda c: c.execute(5), "call must be a"),
]


@pytest.mark.parametrize(
    ("client", "call", "words"), CALLED, ids=[f"{index} {words}" for index, (_, _, words) in enumerate(CALLED)]
)
async def test_a_call_refuses_what_it_cannot_send(
    client: Callable[..., Any], call: Callable[[Any], Awaitable[object]], words: str
) -> None:
    """Nobody listens there: what is refused with other words than these was sent."""
    async with client() as ours:
        with pytest.raises(MensaError) as caught:
            await call(ours)
    assert caught.value.message.startswith(words)
    assert caught.value.outcome is OutcomeKind.NOT_SENT


def test_no_value_is_shown_that_may_be_a_secret() -> None:
    for check in (check_flag, check_count, check_seconds):
        with pytest.raises(MensaError) as caught:
            check("name", "secret-canary")
        assert "canary" not in caught.value.message
        assert caught.value.message.endswith("not str")
