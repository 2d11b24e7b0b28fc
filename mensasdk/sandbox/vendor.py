"""Base class of the emulated vendors, and the values that they exchange with the sandbox."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from attrs import define, field, frozen

from mensasdk.sandbox.callbacks import CallbackPool
from mensasdk.sandbox.ledger import Ledger

__all__ = ["FilePart", "Incoming", "Reply", "Services", "Vendor"]


@frozen
class FilePart:
    """File that came in a multipart form."""

    filename: str
    content_type: str
    content: bytes


@define
class Incoming:
    """HTTP request that has arrived in full.

    ``headers`` are keyed in lower case. `Vendor.decode` fills in ``params``, ``secrets`` (the credentials that came
    among the parameters, which must not reach the ledger) and ``malformed`` (the reason why a body cannot be read).
    """

    method: str
    path: str
    query: str = field(repr=False)  # holds the credentials of some vendors
    headers: Mapping[str, str] = field(repr=False)  # hold credentials
    body: bytes = field(repr=False)
    params: Mapping[str, Any] = field(factory=dict)
    secrets: Mapping[str, str] = field(factory=dict, repr=False)
    malformed: str | None = None


@frozen
class Reply:
    """Answer of an emulated vendor: its data, and the bytes made of that data.

    ``fields`` is kept beside ``body`` because some faults rebuild the answer from its data. ``outcome`` is the result
    code as text, and ``accepted`` the count of messages accepted; both go into the ledger.
    """

    fields: Mapping[str, Any]
    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    outcome: str | None = None
    accepted: int = 0


@define
class Services:
    """Parts of a sandbox that its vendors use: ledger, callbacks and time settings."""

    ledger: Ledger
    callbacks: CallbackPool
    time_scale: float = 1.0
    delivery_delay: float = 0.0


class Vendor(ABC):
    """Emulated vendor, the base class of them all.

    `handle` is not a coroutine, on purpose: no other task can run between the check of the credits and the charge,
    so the ledger is exact.
    """

    name: ClassVar[str]
    """Short name of the vendor, the same as the client's ``vendor``."""
    base_path: ClassVar[str]
    """Path under which the vendor's functions are served, such as ``"/mensatek/v7"``."""
    result_field: ClassVar[str]
    """Field of an answer that tells success from refusal; the faults that spoil a field spoil this one by default."""
    result_values: ClassVar[tuple[str, str]]
    """JSON values of that field on success and on refusal; a fault may put both into one answer."""
    json_frame: ClassVar[tuple[str, str]] = ("{", "}")
    """Text before and after the members of a JSON answer."""
    functions: ClassVar[Mapping[str, frozenset[str]]]
    """HTTP methods that each function takes, by function name."""
    send_options: ClassVar[tuple[str, ...]] = ()
    """Options and values that `mensasdk send` needs for a fresh account, besides a list and a text."""

    box: Services

    def attach(self, services: Services) -> None:
        """Connect the vendor to a sandbox, once.

        Raises:
            ValueError: the vendor belongs to a sandbox already.
        """
        if hasattr(self, "box"):
            raise ValueError(f"this emulated {self.name} already belongs to a sandbox; make one for each sandbox")
        self.box = services

    def resolve(self, tail: str) -> str | None:
        """Return the function that answers the path ``base_path + "/" + tail``, or None."""
        return tail if tail in self.functions else None

    def result(self, function: str) -> tuple[str, str, str]:
        """Return the ``result_field`` and both ``result_values`` of a function, for vendors whose functions differ."""
        return (self.result_field, *self.result_values)

    @abstractmethod
    def credentials(self) -> Mapping[str, str]:
        """Return the arguments for the constructor of the vendor's client."""

    @abstractmethod
    def fund(self, amount: Decimal) -> None:
        """Set the balance of the account, in the vendor's own unit; do nothing where the vendor keeps no balance."""

    @abstractmethod
    def decode(self, function: str, request: Incoming) -> None:
        """Fill in ``request.params`` (without secrets), ``request.secrets`` and ``request.malformed``; never raise."""

    @abstractmethod
    def handle(self, function: str, request: Incoming) -> Reply:
        """Carry out the request and return the answer."""

    @abstractmethod
    def answer(self, function: str, request: Incoming, fields: Mapping[str, Any]) -> Reply:
        """Build an answer from its data, in the format that the request asks for."""

    @abstractmethod
    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        """Build the data of the refusal that the vendor documents for a result code; change no state."""

    @abstractmethod
    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        """Build data that looks like success, for a fault ``"before"`` to spoil; change no state."""

    def inbound(
        self, number: str, text: str, *, to: str, reply_to: str | None, certified: bool, at: datetime
    ) -> Mapping[str, Any]:
        """Build the callback for a received SMS.

        Raises:
            NotImplementedError: the vendor has no such callback.
        """
        raise NotImplementedError(f"{self.name} has no callback for received messages")
