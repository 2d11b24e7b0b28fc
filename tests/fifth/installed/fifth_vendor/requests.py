"""The fifth vendor's requests as frozen values, in its own terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from fifth_vendor.models import Account, Taken
from mensasdk.codec import wire
from mensasdk.vendors.base import Call

__all__ = ["GetAccount", "ListMessages", "SendMessages"]


@frozen(kw_only=True)
class GetAccount(Call[Account]):
    """``GET account``."""

    function: ClassVar[str] = "account"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Account


@frozen(kw_only=True)
class ListMessages(Call[Taken]):
    """``GET list``: what came under a reference."""

    function: ClassVar[str] = "list"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Taken

    reference: str = wire("batch")


@frozen(kw_only=True, repr=False)
class SendMessages(Call[Taken]):
    """``POST messages``: each with ``to`` and ``text``."""

    function: ClassVar[str] = "messages"
    answer: ClassVar[type[Any]] = Taken

    messages: Sequence[Mapping[str, str]] = wire("messages")
    reference: str = wire("batch")
    label: str | None = wire("label", default=None)
