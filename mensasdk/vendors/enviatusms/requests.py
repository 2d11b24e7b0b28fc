"""EnvíaTuSMS's requests as frozen values, in the vendor's own terms.

Source: EnvíaTuSMS, "Documentación de la API". `EnviaTuSmsClient` makes them from friendlier values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mensasdk._value import value
from mensasdk.codec import wire
from mensasdk.vendors.base import Call
from mensasdk.vendors.enviatusms.models import Balance, Campaign, Quote, SendResult, ShortLink

__all__ = ["GetBalance", "GetCampaign", "QuoteSms", "SendSms", "ShortenUrl"]


def _flag(value: bool) -> bool | None:
    """Return True for True, and None for False: a missing flag is false at the vendor's."""
    return value or None


@value(kw_only=True)
class GetBalance(Call[Balance]):
    """Parameters of ``/balance``: none."""

    function: ClassVar[str] = "balance"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Balance


@value(kw_only=True, repr=False)
class SendSms(Call[SendResult]):
    """Parameters of ``/sms-multi``. `EnviaTuSmsClient.send_sms` makes them from friendlier values.

    Attributes:
        numbers: ``numeros``, always a list.
        text: ``texto``: one for all, or one for each number.
        allow_duplicates: ``permitir_duplicados``.
        given: ``numbers`` in the caller's spelling, for the result; by default as sent. Not sent itself.
    """

    function: ClassVar[str] = "sms-multi"
    answer: ClassVar[type[Any]] = SendResult

    numbers: Sequence[str] = wire("numeros")
    text: str | Sequence[str] = wire("texto")
    allow_duplicates: bool = wire("permitir_duplicados", default=False, encode=_flag)
    given: Sequence[str] | None = None

    def __repr__(self) -> str:
        return f"SendSms({len(self.numbers)} numbers)"


@value(kw_only=True, repr=False)
class QuoteSms(Call[Quote]):
    """Parameters of ``/sms-costo``, as in `SendSms`. Nothing is sent to the numbers."""

    function: ClassVar[str] = "sms-costo"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Quote

    numbers: Sequence[str] = wire("numeros")
    text: str | Sequence[str] = wire("texto")
    allow_duplicates: bool = wire("permitir_duplicados", default=False, encode=_flag)

    def __repr__(self) -> str:
        return f"QuoteSms({len(self.numbers)} numbers)"


@value(kw_only=True)
class GetCampaign(Call[Campaign]):
    """Parameters of ``/campaign/{id}``: the id, as a part of the path."""

    function: ClassVar[str] = "campaign"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Campaign

    campaign_id: str


@value(kw_only=True, repr=False)
class ShortenUrl(Call[ShortLink]):
    """Parameters of ``/acortar-url``: ``link``.

    The document's Python sample sends ``url`` instead; its table and other samples have ``link``. Each call makes a
    link, and ten a day are allowed, so a call that may have left is not repeated.
    """

    function: ClassVar[str] = "acortar-url"
    answer: ClassVar[type[Any]] = ShortLink

    link: str = wire("link")

    def __repr__(self) -> str:
        return "ShortenUrl(***)"  # the link's query may hold a secret
