"""Vendor-neutral values: what is sent, what became of it, and what a handset's network later says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from attrs import field, frozen

from mensasdk.arguments import not_this
from mensasdk.errors import OutcomeKind, ScheduleError, ValidationError

__all__ = [
    "Delivery",
    "DeliveryState",
    "Message",
    "Outcome",
    "OutcomeKind",
    "Recipient",
    "VendorOptions",
    "make_outcome",
]


_NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})
_set_field: Final = object.__setattr__.__get__


def _wrong(name: str, what: str, value: object) -> ValidationError:
    return ValidationError(not_this(name, what, value), field=name)


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise _wrong(name, "a string", value)


def _checked_variables(variables: object) -> Mapping[str, str]:
    if variables is _NO_VARIABLES:
        return {}
    if not isinstance(variables, Mapping):
        raise _wrong("variables", 'a mapping of names to texts, such as {"name": "Ana"}', variables)
    return variables


def _check_options(options: object) -> None:
    if not isinstance(options, VendorOptions):
        raise _wrong("options", "the options class of a vendor", options)


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
    """Base of the frozen classes that hold what only one vendor has; see `VendorInfo.options_class`.

    Attributes:
        unicode: whether the vendor is told to send Unicode; None where the client does so when a text needs it. Where a
            vendor has no such option it is False.
    """

    __slots__ = ()

    unicode: bool | None = False


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
        reference: your own id for this message; comes back in outcomes, and no vendor is told it. With the number it
            is also what a campaign recognises the message by.
        options: what only one vendor has; see `VendorInfo.options_class`.

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

    def __init__(
        self,
        to: str,
        text: str = "",
        *,
        sender: str | None = None,
        template: str | None = None,
        variables: Mapping[str, str] = _NO_VARIABLES,
        schedule_at: datetime | None = None,
        not_after: datetime | None = None,
        reference: str | None = None,
        options: VendorOptions | None = None,
    ) -> None:
        # Written out, and not as validators: millions of these are made, and each validator is a call of its own.
        if to.__class__ is not str or text.__class__ is not str:
            _check_text("to", to)
            _check_text("text", text)
        if sender is not None:
            _check_text("sender", sender)
        if template is not None:
            _check_text("template", template)
        if variables.__class__ is not dict:
            variables = _checked_variables(variables)
        if schedule_at is not None:
            _check_aware("schedule_at", schedule_at)
        if not_after is not None:
            _check_aware("not_after", not_after)
        if reference is not None and reference.__class__ is not str:
            _check_text("reference", reference)
        if options is not None:
            _check_options(options)
        if not to or to.isspace():
            raise ValidationError("to is empty; give the recipient's number", field="to")
        set_field = _set_field(self)
        set_field("to", to)
        set_field("text", text)
        set_field("sender", sender)
        set_field("template", template)
        set_field("variables", variables)
        set_field("schedule_at", schedule_at)
        set_field("not_after", not_after)
        set_field("reference", reference)
        set_field("options", options)

    def __attrs_post_init__(self) -> None:
        """Check what a subclass was made of, whose own constructor attrs has written."""
        Message.__init__(
            self,
            self.to,
            self.text,
            sender=self.sender,
            template=self.template,
            variables=self.variables,
            schedule_at=self.schedule_at,
            not_after=self.not_after,
            reference=self.reference,
            options=self.options,
        )

    def __hash__(self) -> int:
        return hash(
            (
                *(self.to, self.text, self.sender, self.template, tuple(sorted(self.variables.items()))),
                *(self.schedule_at, self.not_after, self.reference, self.options),
            )
        )


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
            raise _wrong("number", "a string", number)
        variables: object = self.variables
        if variables != () and (isinstance(variables, str) or not isinstance(variables, Sequence | Mapping)):
            raise _wrong("variables", "a list of texts, or a mapping of names to texts", variables)


class _Blank:
    """An outcome that is being made; see `make_outcome`."""

    __slots__ = ("__weakref__", "code", "credits", "detail", "kind", "message", "parts", "vendor", "vendor_id")


@frozen
class Outcome(_Blank):
    """What became of one message.

    Attributes:
        kind: ACCEPTED, REJECTED, NOT_SENT or UNKNOWN.
        message: the message as it was given.
        vendor: the vendor's short name; ``"router"`` for a message that none of several routes takes, and empty where
            nobody said.
        vendor_id: the vendor's id for the message, or for the request, group or campaign that it went out in. Where an
            answer has no ids, or none came, it may be what the vendor can be asked by, such as ``"customerid:17"``.
            An outcome that is ACCEPTED mostly has one, and one that is UNKNOWN has one where there is something to ask
            by. REJECTED and NOT_SENT have none, unless a person decided so about a message that was UNKNOWN.
        code: the vendor's code for a refusal, an HTTP status, or a short word of ours in lower case such as
            ``"duplicate"``; None where there is nothing to say.
        detail: one sentence for a person, or nothing.
        parts: SMS parts that the message counts as, where known.
        credits: what the vendor charged for this one message, where it says so or where it can be divided exactly.
    """

    kind: OutcomeKind
    message: Message
    vendor: str = field(kw_only=True)
    vendor_id: str | None = field(default=None, kw_only=True)
    code: str | None = field(default=None, kw_only=True)
    detail: str = field(default="", kw_only=True)
    parts: int | None = field(default=None, kw_only=True)
    credits: Decimal | None = field(default=None, kw_only=True)


def make_outcome(
    kind: OutcomeKind,
    message: Message,
    vendor: str,
    vendor_id: str | None,
    code: str | None,
    detail: str,
    parts: int | None,
    credits: Decimal | None,  # noqa: A002 - as the attribute
) -> Outcome:
    """Make an `Outcome`, for where there is one for each of thousands: it takes half of the time.

    Keywords, and fields that are set past the lock of a frozen class, cost more than all else in it. So one is filled
    in while it is still of the class below, which is not frozen.
    """
    made: Any = _Blank()
    made.kind = kind
    made.message = message
    made.vendor = vendor
    made.vendor_id = vendor_id
    made.code = code
    made.detail = detail
    made.parts = parts
    made.credits = credits
    made.__class__ = Outcome
    outcome: Outcome = made
    return outcome


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
        vendor_id: the vendor's id for the message, or for the request, group or campaign that it went out in; None
            where the report does not tell it.
        number: the recipient, in E.164 where it can be told, else as the vendor wrote it.
        state: vendor-neutral state.
        code: the vendor's own status code, as text, or its word where it has no code.
        at: when the state was reached, as an aware datetime; None where the vendor does not say.
        reference: what the vendor was given to know the message again by, where it returns it: yours for a single send;
            in a campaign that of the request (see `mensasdk.journal.Record`) or a customer id, never the message's.
        raw: the fields as they were received; empty where a journal kept the report.
    """

    vendor: str
    vendor_id: str | None
    number: str = field(kw_only=True)
    state: DeliveryState = field(kw_only=True)
    code: str = field(kw_only=True)
    at: datetime | None = field(default=None, kw_only=True)
    reference: str | None = field(default=None, kw_only=True)
    raw: Mapping[str, Any] = field(factory=dict, eq=False, repr=False, kw_only=True)
