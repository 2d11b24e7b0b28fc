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
    """True, or nothing: false is the vendor's default."""
    return value or None


@value(kw_only=True)
class GetBalance(Call[Balance]):
    """``/balance``."""

    function: ClassVar[str] = "balance"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Balance


@value(kw_only=True, repr=False)
class SendSms(Call[SendResult]):
    """``/sms-multi`` in the vendor's own terms. `EnviaTuSmsClient.send_sms` makes one from friendlier values.

    Attributes:
        numbers: ``numeros``, always a list.
        text: ``texto``: one for all, or one for each number.
        allow_duplicates: ``permitir_duplicados``.
        given: ``numbers`` as the caller spelled them, which is how the result names them; by default as sent.
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
    """``/sms-costo``: parameters as in `SendSms`. It sends nothing."""

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
    """``/campaign/{id}``: the id is part of the path."""

    function: ClassVar[str] = "campaign"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Campaign

    campaign_id: str


@value(kw_only=True, repr=False)
class ShortenUrl(Call[ShortLink]):
    """``/acortar-url``: ``link``. The document's Python sample sends ``url`` instead; its table and the others do not.

    Each call makes a link, and ten a day are allowed, so it is not repeated once it may have left.
    """

    function: ClassVar[str] = "acortar-url"
    answer: ClassVar[type[Any]] = ShortLink

    link: str = wire("link")

    def __repr__(self) -> str:
        return "ShortenUrl(***)"  # a query may hold a secret
