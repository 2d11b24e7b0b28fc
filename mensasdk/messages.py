"""Values that are the same for all vendors: messages, their outcomes, and delivery reports."""

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
_NO_PLACE: Final = 2**63  # the first number that a database cannot hold
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
    """Base of the options classes: each holds the options that only one vendor has; see `VendorInfo.options_class`.

    Attributes:
        unicode: whether the vendor is told to send Unicode; None if the client decides by the text. False for a vendor
            without such an option.
    """

    __slots__ = ()

    unicode: bool | None = False


@frozen
class Message:
    """One SMS to one person.

    Args:
        to: the recipient's number in any common spelling: ``"+34 600 00 00 00"``, ``"0034600000000"``, or a
            national number if the client has a default country. Kept as it is given.
        text: the text, in Unicode. With ``variables``, each ``{name}`` in it is replaced by the variable of that name,
            and ``{{`` and ``}}`` stand for braces. Without variables the text is sent as it is.
        sender: the sender that the handset shows, by the vendor's rules; None for the account's default.
        template: id of a vendor's own template, for vendors that send from templates.
        variables: values by name, for ``{name}`` placeholders and vendors' templates.
        schedule_at: aware datetime at which the vendor is to send; None for now.
        not_after: aware datetime after which the message is not sent any more; None for no limit.
        reference: your own id of this message. It comes back in outcomes, and is not sent to the vendor. A campaign
            recognises a message by its number and this reference.
        options: options that only one vendor has; see `VendorInfo.options_class`.
        place: where the message stands in its list: the command's line of the file, or a number of your choice. It
            comes back in outcomes and in the journal, and makes no message another one: two messages that differ in
            nothing else are equal.

    Raises:
        ValidationError: a value is of a wrong kind, or ``to`` is empty.
        ScheduleError: ``schedule_at`` or ``not_after`` is naive, or not a datetime.
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
    place: int | None = field(default=None, kw_only=True, eq=False)

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
        place: int | None = None,
    ) -> None:
        # Checked here and not by validators: millions of messages are made, and each validator costs a call.
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
        if place is not None and (place.__class__ is not int or not 0 <= place < _NO_PLACE):
            raise _wrong("place", "a whole number from 0 on, such as the line in the list", place)
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
        set_field("place", place)

    def __attrs_post_init__(self) -> None:
        """Check the values of a subclass, whose constructor is made by attrs and does not call the one above."""
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
            place=self.place,
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
    """Recipient of a vendor's own call for many recipients.

    Args:
        number: the number in any common spelling.
        variables: values to personalise the text, in order (the first is the vendor's first variable) or by the
            vendor's own names.

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
    """Outcome that is being made; see `make_outcome`."""

    __slots__ = ("__weakref__", "code", "credits", "detail", "kind", "message", "parts", "vendor", "vendor_id")


@frozen
class Outcome(_Blank):
    """Outcome of one message.

    Attributes:
        kind: ACCEPTED, REJECTED, NOT_SENT or UNKNOWN.
        message: the message as it was given.
        vendor: the vendor's short name; ``"router"`` for a message that no route takes; empty if it is not known.
        vendor_id: the vendor's id of the message, or of the request, group or campaign that the message was sent in. If
            the answer had no ids, or no answer came, it may be another key to ask the vendor by, such as
            ``"customerid:17"``. ACCEPTED outcomes mostly have an id. UNKNOWN outcomes have one if the vendor can be
            asked. REJECTED and NOT_SENT outcomes have none, unless a person decided the outcome of an UNKNOWN message.
        code: the vendor's code of a refusal, an HTTP status, or a `Code` of ours such as ``"duplicate"``; None if there
            is no code.
        detail: one sentence for a person, or empty.
        parts: SMS parts that the message counts as; None if not known.
        credits: credits that the vendor charged for this message; None if it does not say. A charge for several
            messages together is divided only if all have equally many parts and it divides exactly.
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
    """Make an `Outcome` in half the time of its constructor, for campaigns with thousands of outcomes.

    Most of the time of the constructor goes into keywords, and into setting the fields of a frozen class. So the fields
    are set on an object of the base class, which is not frozen, and then the class of the object is changed.
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
    """State of a message on its way to the handset, the same for all vendors."""

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
        """True if no later report is expected to change this state."""
        return self in _FINAL


_FINAL = frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.CANCELLED})


@frozen
class Delivery:
    """Delivery report, from a callback or from polling.

    Attributes:
        vendor: the vendor's short name.
        vendor_id: the vendor's id of the message, or of the request, group or campaign that the message was sent in;
            None if the report has no id.
        number: the recipient's number in E.164; as the vendor wrote it if it cannot be read.
        state: the state of the message, in the same words for all vendors.
        code: the vendor's own status code as text, or its word for the state if it has no codes.
        at: aware datetime at which the state was reached; None if the vendor does not say.
        reference: the reference that the vendor was given with the request, if the vendor returns it: yours for a
            single send; in a campaign the reference of the request (see `mensasdk.journal.Record`) or a customer id,
            never the message's ``reference``.
        raw: the fields as they were received; empty if the report comes from a journal.
    """

    vendor: str
    vendor_id: str | None
    number: str = field(kw_only=True)
    state: DeliveryState = field(kw_only=True)
    code: str = field(kw_only=True)
    at: datetime | None = field(default=None, kw_only=True)
    reference: str | None = field(default=None, kw_only=True)
    raw: Mapping[str, Any] = field(factory=dict, eq=False, repr=False, kw_only=True)
