"""What a batch asks of a vendor's client, and the values that pass between the two."""

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
    """One message, checked and brought into the vendor's terms by `BatchClient.prepare`.

    Attributes:
        message: the message; where a screen or a route changed it, the sender puts back the one that the caller gave,
            so that its outcome names that.
        number: the recipient in E.164, which also tells duplicates.
        batch_key: messages with equal keys may share a request.
        payload: what the vendor's client needs again in `send_batch`.
        parts: SMS parts that it will count as.
        seq: its place in the campaign's journal. The sender gives it.
        key: what tells it from all others of the campaign, for the journal. The sender gives it.
    """

    message: Message
    number: str
    batch_key: Hashable
    payload: Any
    parts: int
    seq: int = -1
    key: bytes = b""


@value
class BatchResult:
    """What one request of a batch came to.

    Attributes:
        outcomes: one for each message, in order.
        credits: what the request cost, where the vendor says so.
        balance: credits left in the account, where the vendor says so.
    """

    outcomes: Sequence[Outcome]
    credits: Decimal | None = field(default=None, kw_only=True)
    balance: Decimal | None = field(default=None, kw_only=True)


@frozen
class Doubt:
    """A message of which it is not known whether the vendor has it, and what is known about it.

    Attributes:
        item: the message, prepared once more by this client.
        vendor_id: what an answer called it, if one came.
        request_id: what an answer or a delivery report called another message of the same request, if one came.
        position: the most messages that stood before it in its request.
        group: the vendor's id of the group that it went out in, within which the vendor takes no number twice.
        screened: the message as the sender's screens would have it go out now; None where they change nothing.
        asked_at: when it went out, aware, in UTC, by this machine's clock.
        reported: what the vendor reported about it, under the reference of its request or its id.
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
    """What a client has to offer for `BatchSender` to work with it."""

    @property
    def vendor(self) -> str: ...

    @property
    def max_recipients(self) -> int:
        """The most messages that one request may carry."""

    @property
    def default_country(self) -> str | None:
        """ISO 3166 alpha-2 code of the country that national numbers belong to; None to take none."""

    @property
    def text_rule(self) -> TextRule | None:
        """What the vendor does to a text before it is cut into parts; None where nothing is known of it."""

    def prepare(self, message: Message) -> Prepared:
        """Check a message by the vendor's rules, before anything is sent.

        Raises:
            ValidationError: names the field and the remedy.
        """

    def group_key(self, item: Prepared) -> Hashable | None:
        """What the messages of one group have in common, where the vendor takes no number twice within a group.

        `BatchSender` then opens a group for each key with a request of one message, and gives the id that it got to
        `send_batch` for all later ones: what is in doubt can be sent again within the group. None for no groups.
        """

    async def send_batch(
        self, batch: Sequence[Prepared], *, reference: str, gate: Gate, group: str | None = None
    ) -> BatchResult:
        """Send messages of one ``batch_key`` in one request, and tell the outcome of each.

        Args:
            batch: at most `max_recipients` messages with equal keys and different numbers.
            reference: of the request; comes back in delivery reports where the vendor supports it.
            gate: passed before each attempt.
            group: the id of the group that the messages belong to.

        Raises:
            MensaError: the whole request ended this way; ``outcome`` holds for each message.
        """

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        """Find out what became of messages of one request, by whatever means the vendor has.

        Args:
            doubts: messages that went out in one request and are in doubt.
            reference: of that request.
            gate: passed before each attempt of a call that may send.
            repeat: such calls are allowed, where the vendor itself keeps them from making a second SMS.

        Returns:
            For each, its outcome with a ``code`` that names the means, such as ``"report"``, and a ``detail`` for a
            person: ACCEPTED, REJECTED, or NOT_SENT where that is certain; None where nothing was found out.

        Raises:
            MensaError: the vendor could not be asked; all that was in doubt still is.
        """


def code_of(error: MensaError) -> str:
    """Find the code that an outcome has for an error: see `Code`.

    The error's own; or else, for a value that breaks a rule, which one it is (``invalid_to``), and for all others the
    name of the error in small letters: ``ConnectionLost`` becomes ``connection_lost``.
    """
    if error.code:
        return error.code
    if isinstance(error, ValidationError):
        return f"invalid_{error.field}"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def options_of(message: Message, default: Options, *, vendor: str) -> Options:
    """The vendor's own options of a message; ``default`` where it brings none.

    Raises:
        ValidationError: it brings those of another vendor.
    """
    options = message.options
    if options is None:
        return default
    if isinstance(options, type(default)):
        return options
    name = type(default).__name__
    raise ValidationError(f"options must be {name}, not {type(options).__name__}", field="options", vendor=vendor)
