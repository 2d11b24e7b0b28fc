"""What all vendor clients share: executing a request value, being closed once, and taking part in a batch."""

from __future__ import annotations

import logging
import re
from abc import abstractmethod
from collections.abc import Hashable, Sequence
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from attrs import define, frozen

from mensasdk import phone
from mensasdk.codec import Format, decode
from mensasdk.errors import AmbiguousResponse, MensaError, VendorError
from mensasdk.messages import Delivery, Message, Outcome
from mensasdk.transport import (
    AiohttpTransport,
    Gate,
    Hook,
    HttpRequest,
    HttpResponse,
    Pipeline,
    RetryPolicy,
    Timeouts,
    Transport,
    check_base_url,
    refusal_by_status,
    status_error,
)

__all__ = ["BatchClient", "BatchResult", "Call", "Doubt", "Prepared", "VendorClient", "code_of"]

T = TypeVar("T")
# Apart, so that whoever lives with a vendor's habits can silence just these.
answers = logging.getLogger("mensasdk.answers")


@frozen
class Call(Generic[T]):
    """One request of one vendor function, as a value. ``T`` is what executing it returns.

    Class attributes:
        function: the vendor's own name of the function.
        safe: it only reads, so that it may be repeated after its bytes have left.
        answer: the class that the answer is structured into.
    """

    function: ClassVar[str]
    safe: ClassVar[bool] = False
    answer: ClassVar[type[Any]]


class VendorClient:
    """Base of the four clients. Use a client as ``async with Client(...) as client``, or call `aclose`.

    Args:
        base_url: the vendor's address; ``http://`` is taken for this machine only.
        transport: a transport to borrow; it is left open. None for an own one, which is closed with the client.
        timeouts: the deadline of each call, over all its attempts, and of connecting.
        retry: how failed attempts are repeated.
        hooks: called with each `Event`, for tracing and metrics.
    """

    vendor: str
    """The vendor's short name. Set by each class; no ClassVar, so that it fits `BatchClient` for every type checker."""

    def __init__(
        self,
        *,
        base_url: str,
        transport: Transport | None,
        timeouts: Timeouts | None,
        retry: RetryPolicy | None,
        hooks: Sequence[Hook],
    ) -> None:
        self.base_url = check_base_url(base_url)
        phone.load()  # rather than in the loop, when the first number comes
        self._owned = transport is None
        self._pipeline = Pipeline(
            vendor=self.vendor,
            transport=AiohttpTransport() if transport is None else transport,
            timeouts=timeouts or Timeouts(),
            retry=retry or RetryPolicy(),
            hooks=hooks,
        )
        self._noted: set[tuple[str, str]] = set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the client's own transport. Calling it again does nothing; a borrowed transport stays open."""
        if self._owned:
            await self._pipeline.transport.aclose()

    async def execute(self, call: Call[T], *, gate: Gate | None = None, deadline: float | None = None) -> T:
        """Make the call that a request value describes. The client's methods are sugar over this.

        Args:
            call: the request.
            gate: a rate limiter, passed before each attempt.
            deadline: on the loop's clock; by default `Timeouts.total` from now.

        Raises:
            ValidationError: a value in it breaks a rule; nothing was sent.
            MensaError: see `mensasdk.errors`; ``outcome`` says what became of the request.
        """
        return await self._pipeline.run(
            self._encode(call),
            lambda response: self._read(call, response),
            function=call.function,
            safe=call.safe,
            gate=gate,
            deadline=deadline,
        )

    def group_key(self, item: Prepared) -> Hashable | None:
        """See `BatchClient.group_key`: most vendors have no groups within which they take no number twice."""
        return None

    @abstractmethod
    def _encode(self, call: Call[Any]) -> HttpRequest:
        """Turn a request value into bytes terms."""

    @abstractmethod
    def _understand(self, call: Call[T], response: HttpResponse, notes: list[str]) -> T:
        """Turn a body into the call's answer, or raise the vendor's refusal, or a `ResponseError`.

        What is out of order and does not matter goes into ``notes``: clauses of ours, without anything of the body.
        """

    def _tree(self, call: Call[Any], response: HttpResponse, expect: Format, notes: list[str]) -> Any:
        """Decode a body; a list of one thing is that thing. What it says about money is read exactly."""
        decoded = decode(
            response.body,
            expect=expect,
            content_type=response.headers.get("content-type", ""),
            exact=not call.safe,
            vendor=self.vendor,
        )
        notes += decoded.notes
        tree = decoded.tree
        return tree[0] if isinstance(tree, list) and len(tree) == 1 else tree

    def _read(self, call: Call[T], response: HttpResponse) -> T:
        error = status_error(response)
        if error is None:
            if response.status < 400:
                notes: list[str] = []
                answer = self._understand(call, response, notes)
                if notes:
                    self._warn(call.function, "; ".join(dict.fromkeys(notes)))
                return answer
            error = self._refusal_of(call, response)
        raise error

    def _warn(self, function: str, oddities: str) -> None:
        """Log that an answer was taken although it was not in order.

        A warning the first time and for debugging after that: what a vendor does in every answer need not be said of
        each. There is a handful of oddities, so what is remembered of them does not grow.
        """
        known = (function, oddities) in self._noted
        self._noted.add((function, oddities))
        level = logging.DEBUG if known else logging.WARNING
        answers.log(level, "%s %s: the answer was taken, and is not in order: %s", self.vendor, function, oddities)

    def _refusal_of(self, call: Call[Any], response: HttpResponse) -> MensaError:
        """What a 4xx means: a refusal that the vendor documents, or else what its status says."""
        try:
            self._understand(call, response, [])
        except (VendorError, AmbiguousResponse) as verdict:
            return verdict
        except MensaError:  # no data of the vendor's, such as a firewall's page
            return refusal_by_status(response.status)
        status = response.status
        return AmbiguousResponse(f"the body tells of success, under status {status}", status=status, code=str(status))


@define(eq=False)
class Prepared:
    """One message, checked and brought into the vendor's terms by `BatchClient.prepare`.

    Attributes:
        message: as the caller gave it.
        number: the recipient in E.164, which also tells duplicates.
        key: messages with equal keys may share a request.
        payload: what the vendor's client needs again in `send_batch`.
        parts: SMS parts that it will count as.
        lane: the way out that the sender chose for it; a client leaves it alone.
        screened: the message as a screen of the sender changed it; a client leaves it alone.
    """

    message: Message
    number: str
    key: Hashable
    payload: Any
    parts: int
    lane: Any = None
    screened: Message | None = None


@frozen
class BatchResult:
    """What one request of a batch came to.

    Attributes:
        outcomes: one for each message, in order.
        credits: what the request cost, where the vendor says so.
        balance: credits left in the account, where the vendor says so.
    """

    outcomes: Sequence[Outcome]
    credits: Decimal | None = None
    balance: Decimal | None = None


@frozen
class Doubt:
    """A message of which it is not known whether the vendor has it, and what is known about it.

    Attributes:
        item: the message, prepared once more by this client.
        vendor_id: what an answer called it, if one came.
        request_id: what an answer or a delivery report called another message of the same request, if one came.
        position: the most messages that stood before it in its request.
        group: the vendor's id of the group that it went out in, within which the vendor takes no number twice.
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
        """Send messages of one ``key`` in one request, and tell the outcome of each.

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
    """The vendor's code, or the error's name in small letters: ``ConnectionLost`` becomes ``connection_lost``."""
    return error.code or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
