"""The customer's account: who it is, what it may do and what it owns."""

from __future__ import annotations

import secrets
from datetime import datetime
from decimal import Decimal

from attrs import define, field, frozen

__all__ = ["Account", "LibraryFile"]


@frozen
class LibraryFile:
    """One file of the library."""

    name: str
    content: bytes = field(repr=False)
    at: datetime


@define(kw_only=True)
class Account:
    """A Mensatek account. A test may change any attribute while the box runs.

    Attributes:
        api_user, api_token: the credentials; random.
        credits: what is left.
        price: credits per SMS part.
        prices: number prefix (``"34"``) to credits per part; the longest prefix wins over ``price``.
        default_sender: what a blank ``Remitente`` becomes.
        trial: a trial account may not upload files.
        voice_senders: validated phones for Fail2Voice, digits only.
        blacklist: numbers that get nothing unless ``Obviarlistanegra=1``, digits only.
        max_files, max_bytes: what the library holds.
        max_file_bytes: the largest single file.
        upload_fails: uploads end in -17, the vendor's own trouble.
        files: the library, by name.
        templates: (name, text) pairs, the oldest first.
    """

    api_user: str = field(factory=lambda: f"user{secrets.token_hex(4)}")
    api_token: str = field(factory=lambda: secrets.token_hex(16), repr=False)
    credits: Decimal = field(default=Decimal(100_000), converter=Decimal)
    price: Decimal = field(default=Decimal(1), converter=Decimal)
    prices: dict[str, Decimal] = field(factory=dict)
    default_sender: str = "MENSASDK"
    trial: bool = False
    voice_senders: set[str] = field(factory=set)
    blacklist: set[str] = field(factory=set)
    max_files: int = 100
    max_bytes: int = 50 << 20
    max_file_bytes: int = 5 << 20
    upload_fails: bool = False
    files: dict[str, LibraryFile] = field(factory=dict)
    templates: list[tuple[str, str]] = field(factory=list)

    def price_of(self, number: str) -> Decimal:
        """Credits per part for a number."""
        if self.prices:
            for length in range(len(number), 0, -1):
                if (price := self.prices.get(number[:length])) is not None:
                    return price
        return self.price
