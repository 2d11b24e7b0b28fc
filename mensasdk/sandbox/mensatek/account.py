"""Customer's account at the emulated Mensatek: credentials, credits, prices, limits and files."""

from __future__ import annotations

import secrets
from datetime import datetime
from decimal import Decimal

from attrs import define, field, frozen

__all__ = ["Account", "LibraryFile"]


@frozen
class LibraryFile:
    """File in the account's file library; ``at`` is the time of its upload (aware, UTC)."""

    name: str
    content: bytes = field(repr=False)
    at: datetime


@define(kw_only=True)
class Account:
    """Mensatek account. A test may change any attribute while the sandbox runs.

    Attributes:
        api_user, api_token: the credentials; random by default.
        credits: credits left.
        price: credits per SMS part, for numbers without an entry in ``prices``.
        prices: credits per SMS part by number prefix, such as ``"34"``; the longest prefix that fits is used.
        default_sender: sender of a message with a blank ``Remitente``.
        trial: whether the account is a trial account, which may not upload files.
        voice_senders: validated numbers for Fail2Voice, digits only.
        blacklist: numbers that get no message unless ``Obviarlistanegra=1``, digits only.
        max_files, max_bytes: largest count and total size of the files in the library.
        max_file_bytes: largest size of one file.
        upload_fails: whether uploads are refused with -17, an internal error of the vendor.
        files: the file library by file name.
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
        """Return the credits per SMS part for a number (digits)."""
        if self.prices:
            for length in range(len(number), 0, -1):
                if (price := self.prices.get(number[:length])) is not None:
                    return price
        return self.price
