"""Interface between a batch and a vendor's client, and the values that pass between the two."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from attrs import define, field, frozen

from mensasdk._value import value
from mensasdk.errors import MensaError, ValidationError
from mensasdk.messages import Delivery, Message, Outcome, VendorOptions
from mensasdk.text import TextRule
from mensasdk.transport import Gate

__all__ = ["BatchClient", "BatchResult", "Doubt", "Prepared", "code_of", "options_of"]

Options = TypeVar("Options", bound=VendorOptions)


@define(eq=False)
class Prepared:
    """Message that `BatchClient.prepare` has checked and converted to the vendor's terms.

    Attributes:
        message: the message. Where a screen or a route changed it, the sender puts the caller's message back here, so
            that the outcome names that one.
        number: the recipient in E.164; equal numbers are duplicates.
        batch_key: messages with equal keys may share a request.
        payload: data that the vendor's client needs in `send_batch`.
        parts: count of SMS parts.
        seq: position in the campaign's journal; set by the sender.
        key: identifies the message in the campaign, for the journal; set by the sender.
        place: position in the campaign's list, from 0; set by the sender.
    """

    message: Message
    number: str
    batch_key: Hashable
    payload: Any
    parts: int
    seq: int = -1
    key: bytes = b""
    place: int = -1


@value
class BatchResult:
    """Outcomes of one request of a batch, and its cost.

    Attributes:
        outcomes: one for each message, in order.
        credits: cost of the request, where the vendor says so.
        balance: credits left in the account, where the vendor says so.
    """

    outcomes: Sequence[Outcome]
    credits: Decimal | None = field(default=None, kw_only=True)
    balance: Decimal | None = field(default=None, kw_only=True)


@frozen
class Doubt:
    """Unknown message: nobody knows whether the vendor took it. Holds the facts that help to find out.

    Attributes:
        item: the message, prepared again by this client.
        vendor_id: the vendor's id of the message, from an answer, if one came.
        request_id: the vendor's id of another message of the same request, from an answer or a delivery report, if
            one came.
        position: how many messages stood before this one in its request, at most.
        group: the vendor's id of the group that the message was sent in; the vendor takes no number twice in a group.
        screened: the message as the sender's screens would change it if it were sent now; None for no change.
        asked_at: time of sending, aware, in UTC, by this machine's clock.
        reported: the vendor's delivery report about the message, found by the reference of its request or by its id.
    """

    item: Prepared
    vendor_id: str | None = None
    request_id: str | None = None
    position: int = 0
    group: str | None = None
    asked_at: datetime | None = None
    reported: Delivery | None = None
    screened: Message | None = None


class BatchClient(Protocol):
    """Interface that `BatchSender` needs of a client."""

    @property
    def vendor(self) -> str:
        """Short name of the vendor."""

    @property
    def max_recipients(self) -> int:
        """Maximum count of messages in one request."""

    @property
    def default_country(self) -> str | None:
        """ISO 3166 alpha-2 code of the country that national numbers belong to; None to refuse national numbers."""

    @property
    def text_rule(self) -> TextRule | None:
        """Changes that the vendor makes to a text before it is split into parts; None where they are not known."""

    def prepare(self, message: Message) -> Prepared:
        """Check a message by the vendor's rules, before anything is sent, and convert it to the vendor's terms.

        Raises:
            ValidationError: a value breaks a rule; the error names the field and the remedy.
        """

    def group_key(self, item: Prepared) -> Hashable | None:
        """Return the key that all messages of one group share; None where the vendor has no groups.

        A group is one of the vendor's, in which the vendor takes no number twice. `BatchSender` opens a group for each
        key with a request of one message, and passes the id from the answer to `send_batch` for all later messages
        with this key. A message that ended UNKNOWN can then be sent again within the group.
        """

    async def send_batch(
        self, batch: Sequence[Prepared], *, reference: str, gate: Gate, group: str | None = None
    ) -> BatchResult:
        """Send messages with equal ``batch_key`` in one request, and return their outcomes.

        Args:
            batch: at most `max_recipients` messages with equal keys and different numbers.
            reference: of the request; comes back in delivery reports where the vendor supports it.
            gate: a rate limiter, passed before each attempt.
            group: id of the group that the messages belong to; None for no group.

        Raises:
            MensaError: the whole request failed; the error's ``outcome`` holds for each message.
        """

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        """Find out the outcomes of unknown messages of one request, by the means that the vendor has.

        Args:
            doubts: unknown messages that were sent in one request.
            reference: of that request.
            gate: a rate limiter, passed before each attempt of a call that may send.
            repeat: True to allow calls that send again, where the vendor itself prevents a second SMS.

        Returns:
            For each message, its outcome: ACCEPTED, REJECTED, or NOT_SENT where that is certain. Its ``code`` names
            the means, such as ``"report"``, and its ``detail`` is for a person. None where nothing was found out.

        Raises:
            MensaError: the vendor could not be asked; all the messages stay unknown.
        """


def code_of(error: MensaError) -> str:
    """Return the code of an outcome that an error led to; see `Code`.

    This is the error's own code, if it has one. Else it is ``invalid_`` with the field for a value that breaks a rule
    (``invalid_to``), and the error's name in small letters for all other errors: ``ConnectionLost`` becomes
    ``connection_lost``.
    """
    if error.code:
        return error.code
    if isinstance(error, ValidationError):
        return f"invalid_{error.field}"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def options_of(message: Message, default: Options, *, vendor: str) -> Options:
    """Return the options of a message for this vendor; ``default`` where the message has none.

    Raises:
        ValidationError: the options are those of another vendor.
    """
    options = message.options
    if options is None:
        return default
    if isinstance(options, type(default)):
        return options
    name = type(default).__name__
    raise ValidationError(f"options must be {name}, not {type(options).__name__}", field="options", vendor=vendor)
