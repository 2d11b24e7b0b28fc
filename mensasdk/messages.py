"""Vendor-neutral values: what is sent, what became of it, and what a handset's network later says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from mensasdk.arguments import not_this
from mensasdk.errors import OutcomeKind, ScheduleError, ValidationError

__all__ = ["Delivery", "DeliveryState", "Message", "Outcome", "OutcomeKind", "Recipient", "VendorOptions"]


def _wrong(name: str, what: str, value: object) -> ValidationError:
    return ValidationError(not_this(name, what, value), field=name)


def _no_text(name: str, value: object) -> ValidationError:
    return _wrong(name, "a string", value)


def _check_texts(message: Message) -> None:
    for name in ("sender", "template", "reference"):
        value: object = getattr(message, name)
        if value is not None and not isinstance(value, str):
            raise _wrong(name, "a string or None", value)


def _check_aware(name: str, value: datetime) -> None:
    given: object = value
    if not isinstance(given, datetime):
        raise ScheduleError(
            not_this(
                name, 'an aware datetime, as in datetime(2030, 1, 31, 9, 0, tzinfo=ZoneInfo("Europe/Madrid"))', given
            ),
            field=name,
        )
    if value.tzinfo is None:
        raise ScheduleError(
            f"{name} is a naive datetime; give it a zone, as in "
            'datetime(2030, 1, 31, 9, 0, tzinfo=ZoneInfo("Europe/Madrid"))',
            field=name,
        )


class VendorOptions:
    """Base of the frozen classes that hold what only one vendor has; see `VendorInfo.options_class`."""

    __slots__ = ()


@frozen
class Message:
    """One SMS to one person.

    Args:
        to: the recipient's number in any common spelling: ``"+34 600 00 00 00"``, ``"0034600000000"``, or a
            national number where the client has a default country. Kept as it is given.
        text: the text, in Unicode. With ``variables``, each ``{name}`` in it is replaced by the variable of that name
            (``{{`` and ``}}`` stand for braces); without variables it is sent to the letter.
        sender: what the handset shows, by the vendor's rules; None for the account's default.
        template: the id of a vendor's own template, for vendors that send from templates.
        variables: name to value, for ``{name}`` placeholders and vendors' templates.
        schedule_at: aware datetime at which the vendor shall send; None for now.
        not_after: aware datetime after which the message is worthless and is not sent any more.
        reference: your own id for this message; comes back in outcomes and, where the vendor supports it,
            in delivery reports. Also what a resumed campaign recognises the message by.
        options: a frozen options class of the vendor for what only that vendor has.

    Raises:
        ValidationError: a value is of a wrong kind, or ``to`` is empty.
        ScheduleError: ``schedule_at`` or ``not_after`` is naive, or no datetime.
    """

    to: str
    text: str = ""
    sender: str | None = field(default=None, kw_only=True)
    template: str | None = field(default=None, kw_only=True)
    variables: Mapping[str, str] = field(factory=dict, kw_only=True)
    schedule_at: datetime | None = field(default=None, kw_only=True)
    not_after: datetime | None = field(default=None, kw_only=True)
    reference: str | None = field(default=None, kw_only=True)
    options: VendorOptions | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        # In one place and not as validators: millions of these are made, and each validator is a call of its own.
        to: object = self.to
        if not isinstance(to, str):
            raise _no_text("to", to)
        text: object = self.text
        if not isinstance(text, str):
            raise _no_text("text", text)
        if not self.sender is self.template is self.reference is None:
            _check_texts(self)
        variables: object = self.variables
        if variables.__class__ is not dict and not isinstance(variables, Mapping):
            raise _wrong("variables", 'a mapping of names to texts, such as {"name": "Ana"}', variables)
        options: object = self.options
        if options is not None and not isinstance(options, VendorOptions):
            raise _wrong("options", "the options class of a vendor", options)
        if self.schedule_at is not None:
            _check_aware("schedule_at", self.schedule_at)
        if self.not_after is not None:
            _check_aware("not_after", self.not_after)
        if not self.to or self.to.isspace():
            raise ValidationError("to is empty; give the recipient's number", field="to")


@frozen
class Recipient:
    """One recipient of a vendor's own multi-recipient call.

    Args:
        number: the number in any common spelling.
        variables: values to personalise the text with: in order (the first is the vendor's first variable), or by
            the vendor's own names.

    Raises:
        ValidationError: a value is of a wrong kind.
    """

    number: str
    variables: Sequence[str] | Mapping[str, str] = ()

    def __attrs_post_init__(self) -> None:
        number: object = self.number
        if not isinstance(number, str):
            raise _no_text("number", number)
        variables: object = self.variables
        if variables != () and (isinstance(variables, str) or not isinstance(variables, Sequence | Mapping)):
            raise _wrong("variables", "a list of texts, or a mapping of names to texts", variables)


@frozen
class Outcome:
    """What became of one message.

    Attributes:
        kind: ACCEPTED, REJECTED, NOT_SENT or UNKNOWN.
        message: the message as it was given.
        vendor: the vendor's short name.
        vendor_id: the vendor's id for the message or for the group that it went out in; None unless accepted.
        code: the vendor's code for a refusal, or a short word of ours in lower case such as ``"duplicate"``.
        detail: one sentence for a person.
        parts: SMS parts that the message counts as, where known.
        credits: what the vendor charged for this one message, where it says so or where it can be divided exactly.
    """

    kind: OutcomeKind
    message: Message
    vendor: str
    vendor_id: str | None = None
    code: str | None = None
    detail: str = ""
    parts: int | None = None
    credits: Decimal | None = None


class DeliveryState(StrEnum):
    """Where a message is on its way to the handset, in words that all vendors share."""

    SCHEDULED = "scheduled"
    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """No later report is expected to change this state."""
        return self in _FINAL


_FINAL = frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.CANCELLED})


@frozen
class Delivery:
    """One delivery report, from a callback or from polling.

    Attributes:
        vendor: the vendor's short name.
        vendor_id: the id that the vendor gave when it accepted the message (or its group).
        number: the recipient, in E.164 where it can be told, else as the vendor wrote it.
        state: vendor-neutral state.
        code: the vendor's own status code, as text.
        at: when the state was reached, as an aware datetime; None where the vendor does not say.
        reference: your own reference, where the vendor returns it.
        raw: the fields as they were received.
    """

    vendor: str
    vendor_id: str | None
    number: str
    state: DeliveryState
    code: str
    at: datetime | None = None
    reference: str | None = None
    raw: Mapping[str, Any] = field(factory=dict, eq=False, repr=False)
