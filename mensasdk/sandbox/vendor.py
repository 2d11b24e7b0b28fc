"""What an emulated vendor is to the box: a class with a name, a path and a way to answer."""

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
    """A file as it came in a multipart form."""

    filename: str
    content_type: str
    content: bytes


@define
class Incoming:
    """A request whose last byte has arrived.

    ``headers`` are keyed in lower case. `Vendor.decode` fills in ``params``, ``secrets`` (the credentials that came
    among the parameters, which the ledger must not see) and ``malformed`` (what is wrong with a body that cannot be
    read).
    """

    method: str
    path: str
    query: str = field(repr=False)  # some vendors take credentials there
    headers: Mapping[str, str] = field(repr=False)  # they hold credentials
    body: bytes = field(repr=False)
    params: Mapping[str, Any] = field(factory=dict)
    secrets: Mapping[str, str] = field(factory=dict, repr=False)
    malformed: str | None = None


@frozen
class Reply:
    """A vendor's answer: the data and the bytes made of it.

    ``fields`` is kept beside ``body`` because some faults rebuild the answer from its data.
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
    """What the box lends to its vendors."""

    ledger: Ledger
    callbacks: CallbackPool
    time_scale: float = 1.0
    delivery_delay: float = 0.0


class Vendor(ABC):
    """One emulated vendor.

    `handle` is a plain function on purpose: nothing else runs between the check of the credits and the
    charge, so what the ledger holds is exact.
    """

    name: ClassVar[str]
    """The short name, the same as the client's ``vendor``."""
    base_path: ClassVar[str]
    """Where its functions live, such as ``"/mensatek/v7"``."""
    result_field: ClassVar[str]
    """The field that says success; the faults that spoil a field spoil this one."""
    result_values: ClassVar[tuple[str, str]]
    """JSON of what that field holds on success and on refusal; a fault may make an answer say both."""
    json_frame: ClassVar[tuple[str, str]] = ("{", "}")
    """What stands around the members of a JSON answer."""
    functions: ClassVar[Mapping[str, frozenset[str]]]
    """Function name to the HTTP methods that it takes."""
    send_options: ClassVar[tuple[str, ...]] = ()
    """What `mensasdk send` needs beside a list and a text for the account as it is made: options and their values."""

    box: Services

    def attach(self, services: Services) -> None:
        """Lend the box's services to this vendor; a vendor lives in one box."""
        if hasattr(self, "box"):
            raise ValueError(f"this {self.name} already belongs to a sandbox; make one for each")
        self.box = services

    def resolve(self, tail: str) -> str | None:
        """The function that answers ``base_path + "/" + tail``."""
        return tail if tail in self.functions else None

    def result(self, function: str) -> tuple[str, str, str]:
        """The field that says success in this function's answers, and JSON of what it holds on success and on
        refusal; for a vendor whose functions differ."""
        return (self.result_field, *self.result_values)

    @abstractmethod
    def credentials(self) -> Mapping[str, str]:
        """The client's constructor arguments."""

    @abstractmethod
    def fund(self, amount: Decimal) -> None:
        """Set what is left in the account, in the vendor's own unit; does nothing where nothing is counted."""

    @abstractmethod
    def decode(self, function: str, request: Incoming) -> None:
        """Fill in ``request.params`` (free of secrets) and ``request.malformed``; never raises."""

    @abstractmethod
    def handle(self, function: str, request: Incoming) -> Reply:
        """Carry the request out."""

    @abstractmethod
    def answer(self, function: str, request: Incoming, fields: Mapping[str, Any]) -> Reply:
        """Put data into the format that the request asks for."""

    @abstractmethod
    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        """The documented data of a result code, without doing anything."""

    @abstractmethod
    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        """Data that looks like success, without doing anything; what a fault "before" accepting spoils."""

    def inbound(
        self, number: str, text: str, *, to: str, reply_to: str | None, certified: bool, at: datetime
    ) -> Mapping[str, Any]:
        """The callback for a received SMS."""
        raise NotImplementedError(f"{self.name} has no callback for received messages")
