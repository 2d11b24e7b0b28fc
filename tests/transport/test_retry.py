"""Making an attempt again is a pure decision: a table of cases, and laws that hold for all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensasdk.errors import (
    AuthError,
    ConfigurationError,
    ConnectError,
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    MensaError,
    OutcomeKind,
    ProxyError,
    RateLimited,
    ResponseTooLarge,
    TLSError,
    UnexpectedRedirect,
    UnexpectedResponse,
    UnexpectedStatus,
)
from mensasdk.transport import RetryBudget, RetryPolicy, next_delay, parse_retry_after

NOW = datetime(2030, 1, 31, 9, 0, tzinfo=UTC)
POLICY = RetryPolicy(attempts=3, base=1.0, cap=8.0, max_retry_after=60.0)


def decide(
    error: MensaError, *, safe: bool = True, attempt: int = 1, remaining: float = 1000.0, policy: RetryPolicy = POLICY
) -> float | None:
    return next_delay(policy, error, attempt=attempt, safe=safe, remaining=remaining, random=lambda: 0.5)


@pytest.mark.parametrize(
    ("error", "read", "send"),
    [
        # nothing left: both are repeated
        (ConnectError("x"), 0.5, 0.5),
        (ProxyError("x", code="502"), 0.5, 0.5),
        (DeadlineExceeded("x", outcome=OutcomeKind.NOT_SENT), 0.5, 0.5),
        # nothing left, and it will be no better
        (TLSError("x"), None, None),
        (ProxyError("x", code="407", retryable=False), None, None),
        (ConfigurationError("x"), None, None),
        # bytes left: only what reads is repeated
        (ConnectionLost("x"), 0.5, None),
        (UnexpectedStatus("x", status=503, retryable=True), 0.5, None),
        (UnexpectedResponse("x"), 0.5, None),
        (DecodeError("x"), 0.5, None),  # a body that ends with the connection may have been cut
        # final in itself
        (ResponseTooLarge("x"), None, None),
        (UnexpectedRedirect("x"), None, None),
        (AuthError("x"), None, None),
        (UnexpectedStatus("x", status=404, outcome=OutcomeKind.REJECTED), None, None),
        # 429: the vendor did nothing, so both are repeated, after what it asks for plus the jitter
        (RateLimited("x"), 0.5, 0.5),
        (RateLimited("x", retry_after=0.0), 0.5, 0.5),
        (RateLimited("x", retry_after=7.0), 7.5, 7.5),
        (RateLimited("x", retry_after=60.0), 60.5, 60.5),
        (RateLimited("x", retry_after=60.1), None, None),
    ],
    ids=repr,
)
def test_what_is_repeated_for_a_read_and_for_a_send(error: MensaError, read: float | None, send: float | None) -> None:
    assert decide(error, safe=True) == read
    assert decide(error, safe=False) == send


@pytest.mark.parametrize(("attempt", "delay"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 4.0), (6, None)])
def test_waits_double_up_to_the_cap_and_end_with_the_attempts(attempt: int, delay: float | None) -> None:
    policy = RetryPolicy(attempts=6, base=1.0, cap=8.0)
    assert decide(ConnectError("x"), attempt=attempt, policy=policy) == delay


def test_one_attempt_means_no_repetition() -> None:
    assert decide(ConnectError("x"), policy=RetryPolicy(attempts=1)) is None


def test_a_wait_that_does_not_fit_the_deadline_is_not_begun() -> None:
    assert decide(ConnectError("x"), remaining=0.5) is None
    assert decide(ConnectError("x"), remaining=0.51) == 0.5
    assert decide(RateLimited("x", retry_after=30.0), remaining=30.0) is None


def test_a_page_where_data_was_due_gets_one_more_look_only() -> None:
    policy = RetryPolicy(attempts=9, base=1.0)
    assert decide(UnexpectedResponse("x"), attempt=1, policy=policy) is not None
    assert decide(UnexpectedResponse("x"), attempt=2, policy=policy) is None
    assert decide(ConnectionLost("x"), attempt=2, policy=policy) is not None


@given(
    error=st.sampled_from(
        [ConnectError("x"), ConnectionLost("x"), RateLimited("x"), RateLimited("x", retry_after=3.0)]
    ),
    attempt=st.integers(1, 60),
    attempts=st.integers(1, 60),
    safe=st.booleans(),
    remaining=st.floats(-5, 500),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_every_decision_keeps_the_laws(
    error: MensaError, attempt: int, attempts: int, safe: bool, remaining: float, chance: float
) -> None:
    policy = RetryPolicy(attempts=attempts, base=0.25, cap=8.0)
    delay = next_delay(policy, error, attempt=attempt, safe=safe, remaining=remaining, random=lambda: chance)
    if delay is not None:
        asked = getattr(error, "retry_after", None) or 0.0
        assert attempt < attempts
        assert asked <= delay <= asked + policy.cap
        assert delay < remaining
        assert safe or error.outcome is OutcomeKind.NOT_SENT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        ("  7 ", 7.0),
        ("0" * 30 + "5", 5.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        ("Thu, 31 Jan 2030 09:01:30 -0000", 90.0),  # a date without a known zone counts as UTC
        ("Thu, 31 Jan 2030 10:01:30 +0100", 90.0),
        (format_datetime(NOW - timedelta(days=400), usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("-1", None),
        ("+5", None),
        ("1.5", None),
        ("1e3", None),
        ("1000000000", None),
        ("9" * 6000, None),
        ("soon", None),
        ("Thu, 99 Jan 2030 09:01:30 GMT", None),
        ("Thu, 31 Jan 2030 09:01:30 +9999999999", None),
        ("５", None),
        ("٣", None),
        ("²", None),
        ("\x00", None),
        ("5, 5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == seconds


def test_a_date_to_come_back_at_is_measured_on_the_servers_own_clock() -> None:
    """Ours may be an hour off, or be set while we wait for the answer."""
    later, said = "Thu, 31 Jan 2030 09:00:30 GMT", "Thu, 31 Jan 2030 09:00:00 GMT"
    for ours in (NOW - timedelta(hours=1), NOW, NOW + timedelta(hours=1)):
        assert parse_retry_after(later, date=said, now=ours) == 30.0
        assert parse_retry_after(said, date=later, now=ours) == 0.0
        assert parse_retry_after("7", date=said, now=ours) == 7.0
    assert parse_retry_after(later, date="yesterday", now=NOW) == 30.0


@given(st.one_of(st.text(max_size=60), st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ [-+A-Z0-9]+")))
def test_no_retry_after_raises_or_is_negative_or_absurd(value: str) -> None:
    seconds = parse_retry_after(value, now=NOW)
    assert seconds is None or 0 <= seconds <= 1e8


def test_the_budget_runs_out_and_is_earned_back() -> None:
    budget = RetryBudget(capacity=10, cost=5)
    assert [budget.take() for _ in range(3)] == [True, True, False]
    for _ in range(4):
        budget.earn()
    assert not budget.take()
    budget.earn()
    assert budget.take()
    for _ in range(100):
        budget.earn()
    assert budget.tokens == 10


@pytest.mark.parametrize(
    "arguments",
    [{"attempts": 0}, {"base": -1.0}, {"cap": float("inf")}, {"max_retry_after": float("nan")}],
    ids=repr,
)
def test_a_policy_that_makes_no_sense_is_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        RetryPolicy(**arguments)  # type: ignore[arg-type]
