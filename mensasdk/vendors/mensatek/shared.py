"""Values that the messages of one request of a batch share, and the request that is made from them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Final, NamedTuple

from mensasdk.vendors.batching import Prepared
from mensasdk.vendors.mensatek import rules
from mensasdk.vendors.mensatek.models import MensatekOptions, SendResult
from mensasdk.vendors.mensatek.requests import SendSms

__all__ = ["Shared", "request_of", "share_of", "shared_of", "took_all"]

_MONEY: Final = Context(prec=60, traps=[])  # an application's own context must not round money
_FINEST: Final = Decimal("0.000001")
_VARIABLES: Final = tuple(f"Variable_{index}" for index in range(1, rules.MAX_VARIABLES + 1))


class Shared(NamedTuple):
    """Values that all messages of one request share."""

    text: str
    variables: int
    sender: str
    schedule_at: str | None
    options: MensatekOptions


def shared_of(item: Prepared) -> Shared:
    """Return the values that a message shares with the others of its request."""
    assert isinstance(item.batch_key, Shared)  # made by `prepare`
    return item.batch_key


def request_of(batch: Sequence[Prepared], reference: str, group: str | None) -> SendSms:
    """Build the request for messages with one `Shared`, with a reference and, where one is given, in a group."""
    shared = shared_of(batch[0])
    options = shared.options
    return SendSms(
        sender=shared.sender,
        recipients=[_recipient(item) for item in batch],
        text=shared.text,
        schedule_at=shared.schedule_at,
        reference=reference,
        report=options.report,
        message_id=options.message_id if group is None else rules.message_id(group),
        fail_to_voice=options.fail_to_voice,
        voice_language=options.voice_language,
        voice_sender=rules.voice_number(options.voice_sender),
        unicode=options.unicode,
        skip_blacklist=options.skip_blacklist,
        fix_utf8=options.fix_utf8,
    )


def _recipient(item: Prepared) -> dict[str, str]:
    result = {"Movil": item.number[1:]}
    for index, value in enumerate(item.payload):
        result[_VARIABLES[index]] = value
    return result


def took_all(batch: Sequence[Prepared], result: SendResult) -> bool:
    """Return whether the vendor took all of these messages."""
    return result.accepted >= len(batch) and not result.not_sent


def share_of(total: Decimal | None, items: Sequence[Prepared]) -> Decimal | None:
    """Return the credits for each of the messages that were charged together.

    None unless all have equally many parts, and the total divides exactly to the sixth decimal.
    """
    if total is None or not items or any(item.parts != items[0].parts for item in items):
        return None
    count = len(items)
    share = _MONEY.divide(total, Decimal(count))
    exact = _MONEY.multiply(share, Decimal(count)) == total and share == _MONEY.quantize(share, _FINEST)
    return share if exact else None
