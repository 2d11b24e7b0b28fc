"""Functions sms-multi and sms-costo: choose the recipients of a request, and count the cost."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import define, field

from mensasdk.sandbox.enviatusms.account import Account
from mensasdk.sandbox.enviatusms.message import Campaign
from mensasdk.sandbox.enviatusms.params import flag
from mensasdk.sandbox.enviatusms.refusals import (
    ALL_IGNORED,
    BAD_NUMBER,
    BAD_TEXT,
    COUNTS_DIFFER,
    FORBIDDEN,
    NO_BALANCE,
    NO_NUMBERS,
    NO_TEXT,
    NOT_AN_ARRAY,
    TOO_LONG,
    Refused,
)
from mensasdk.sandbox.enviatusms.state import State
from mensasdk.sandbox.enviatusms.text import ignored, national, parts_of, plain
from mensasdk.sandbox.ledger import LedgerMessage

__all__ = ["SENT", "SENT_TO_SOME", "quote", "send"]

SENT = "Mensaje enviado con exito."
SENT_TO_SOME = "Mensaje enviado con exito. Numeros invalidos ignorados."


@define
class _Plan:
    """Messages of a request: one for each valid number, without duplicates.

    Attributes:
        given, sent: the texts before and after the removal of accents.
        numbers: the recipient's number of each message, digits with 58.
        which: index of each message's text.
        parts: count of SMS of each message.
        costs: USD of each message.
        ignored: the invalid numbers as they came.
    """

    given: Sequence[str]
    sent: Sequence[str]
    numbers: array[int] = field(factory=lambda: array("Q"))
    which: list[int] = field(factory=list)
    parts: list[int] = field(factory=list)
    costs: list[Decimal] = field(factory=list)
    ignored: list[str] = field(factory=list)

    @property
    def cost(self) -> Decimal:
        """USD of all messages together."""
        return sum(self.costs, Decimal(0))


def quote(state: State, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer sms-costo: the price and the counts of a request; nothing is sent or charged.

    Raises:
        Refused: sms-multi would refuse the request, too.
    """
    plan = _plan(state.account, params, long_texts=True)
    return {
        "precio_usd": plan.cost,
        "numeros_validos": len(plan.numbers),
        "numeros_invalidos": len(plan.ignored),
        "cantidad_mensajes": sum(plan.parts),
    }


def send(state: State, params: Mapping[str, Any], *, from_api: bool = True) -> tuple[Mapping[str, Any], int]:
    """Answer sms-multi: return the data of the answer and the count of messages accepted.

    Raises:
        Refused: nothing was sent or charged.
    """
    account, quirks = state.account, state.quirks
    plan = _plan(account, params, long_texts=quirks.long_texts)
    dropped = [ignored(number, quirks.ignored_form) for number in plan.ignored]
    if not plan.numbers and quirks.all_ignored == "error":
        raise Refused(ALL_IGNORED, ignored=dropped)
    cost = plan.cost
    if cost > account.balance:
        raise Refused(NO_BALANCE)

    account.balance -= cost
    now = datetime.now(UTC)
    campaign = Campaign(
        id=state.next_campaign_id(),
        numbers=plan.numbers,
        parts=plan.parts,
        texts=plan.sent if len(plan.sent) == 1 else [plan.sent[index] for index in plan.which],
        cost=cost,
        created=now,
        send_at=now,
        due=None if account.moderation else time.monotonic(),
        from_api=from_api,
        link=state.links.used_in(plan.sent),
    )
    state.campaigns.add(campaign)
    state.box.ledger.accept(len(plan.numbers), cost, _entries(state.name, campaign, plan))
    fields: dict[str, Any] = {"status": "ok", "id": campaign.id}
    if not plan.numbers and quirks.all_ignored == "no_id":
        del fields["id"]
    fields |= {"msg": SENT_TO_SOME if dropped else SENT, "ignored": dropped}
    return fields, len(plan.numbers)


def _plan(account: Account, params: Mapping[str, Any], *, long_texts: bool) -> _Plan:
    numbers = _numbers(params.get("numeros"))
    given = _texts(params.get("texto"), len(numbers))
    twice = flag(params.get("permitir_duplicados"))
    sent = [plain(text) for text in given]
    parts = [parts_of(text) for text in sent]
    for index, count in enumerate(parts):
        if count > 1 and not long_texts:
            raise Refused(TOO_LONG, sms_contenido=given[index])
    for text in given:
        if any(word in text for word in account.forbidden):
            raise Refused(FORBIDDEN, sms_contenido=text)

    plan = _Plan(given, sent)
    prices = account.prefix_prices()
    costs: dict[tuple[Decimal, int], Decimal] = {}
    seen: set[int | tuple[int, str]] = set()
    own = len(given) > 1
    for index, number in enumerate(numbers):
        local = national(number)
        price = None if local is None else prices.get(local[:3])
        if local is None or price is None:
            plan.ignored.append(number)
            continue
        which = index if own else 0
        digits = int(f"58{local}")
        # The document allows several different messages to a number. The same message twice is sent once.
        key = (digits, sent[which]) if twice else digits
        if key in seen:
            continue
        seen.add(key)
        count = parts[which]
        cost = costs.get((price, count))
        if cost is None:
            cost = costs[price, count] = price * count
        plan.numbers.append(digits)
        plan.which.append(which)
        plan.parts.append(count)
        plan.costs.append(cost)
    return plan


def _numbers(value: Any) -> Sequence[str]:
    if not isinstance(value, list):
        raise Refused(NOT_AN_ARRAY)
    if not value:
        raise Refused(NO_NUMBERS)
    numbers: list[str] = []
    for number in value:
        if isinstance(number, str):
            numbers.append(number)
        elif type(number) is int:
            numbers.append(str(number))
        else:
            raise Refused(BAD_NUMBER)
    return numbers


def _texts(value: Any, count: int) -> Sequence[str]:
    """Return the texts: one for all numbers, or one for each of ``count`` numbers."""
    if value is None:
        raise Refused(NO_TEXT)
    texts = value if isinstance(value, list) else [value]
    if isinstance(value, list) and len(texts) != count:
        raise Refused(COUNTS_DIFFER)
    for text in texts:
        if not isinstance(text, str):
            raise Refused(BAD_TEXT)
        if not text.strip():
            raise Refused(NO_TEXT, sms_contenido=text)
    return texts


def _entries(vendor: str, campaign: Campaign, plan: _Plan) -> Iterator[LedgerMessage]:
    message_id, at = str(campaign.id), campaign.created
    # A campaign that waits for approval has not been sent.
    state = "scheduled" if campaign.due is None else "sent"
    for index, number in enumerate(plan.numbers):
        yield LedgerMessage(
            vendor,
            message_id,
            f"{message_id}-{index}",
            str(number),
            plan.given[plan.which[index]],
            "",
            plan.parts[index],
            plan.costs[index],
            at,
            None,
            "",
            state,
        )
