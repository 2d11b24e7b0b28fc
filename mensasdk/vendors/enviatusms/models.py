"""EnvíaTuSMS's requests and answers as frozen values.

Source: EnvíaTuSMS, "Documentación de la API". Each attribute names the vendor's field that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from attrs import frozen

from mensasdk import phone
from mensasdk.codec import make_converter, raw_field, to_id, to_str, wire
from mensasdk.messages import Delivery, VendorOptions
from mensasdk.schedule import parse_wall_clock, reads_plain_times, zone
from mensasdk.vendors.base import Call
from mensasdk.vendors.enviatusms.codes import NumberStatus
from mensasdk.vendors.enviatusms.rules import VENDOR, ZONE, canonical

__all__ = [
    "Balance",
    "Campaign",
    "CampaignNumber",
    "CampaignStats",
    "EnviaTuSmsOptions",
    "GetBalance",
    "GetCampaign",
    "Quote",
    "QuoteSms",
    "SendResult",
    "SendSms",
    "ShortLink",
    "ShortLinkStats",
    "ShortenUrl",
]

CONVERTER: Final = make_converter()
"""The converter that reads EnvíaTuSMS's answers."""


@frozen
class EnviaTuSmsOptions(VendorOptions):
    """What only EnvíaTuSMS has, for a `Message`.

    Attributes:
        allow_duplicates: ``permitir_duplicados``, as in `EnviaTuSmsClient.send_sms`. `BatchSender` never puts one
            number twice into a request, so it needs this only where the vendor counts beyond one request.
    """

    allow_duplicates: bool = False


def _flag(value: bool) -> bool | None:
    """True, or nothing: false is the vendor's default."""
    return value or None


def _items(value: Any) -> list[Any]:
    """A list; PHP writes one with gaps as an object, and an empty or absent one as null, false or an empty text."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list):
        return value
    return [value] if value else []


# ------------------------------------------------------------------------------------------------------ balance


def _per_operator(value: Any) -> dict[str, int]:
    """``sms``: an object, which the document calls an array; so a list of such objects is read as well."""
    if not isinstance(value, Mapping):
        value = {name: count for item in _items(value) for name, count in item.items()}
    return CONVERTER.structure(value, dict[str, int])


@frozen(kw_only=True)
class Balance:
    """Answer of ``/balance``.

    Attributes:
        balance: ``balance``, US dollars in the account.
        sms: ``sms``, messages that the balance pays for, by operator in the vendor's spelling
            (``{"movistar": 100}``). Operators may change; empty in the older form.
        credits: ``creditos``, messages that the balance pays for, in the older form of the answer; None in the
            present one.
        raw: all fields as received.
    """

    balance: Decimal = wire("balance")
    sms: Mapping[str, int] = wire("sms", factory=dict, convert=_per_operator)
    credits: Decimal | None = wire("creditos", default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class GetBalance(Call[Balance]):
    """``/balance``."""

    function: ClassVar[str] = "balance"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Balance


# ------------------------------------------------------------------------------------------------------ sending


def campaign_id(value: Any) -> str | None:
    """The id of a new campaign; zero, false and nothing are what PHP has when it made none."""
    text = "" if value is None or isinstance(value, bool) else to_id(value)
    return None if text in {"", "0"} else text


def _ignored(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [one.strip() for one in re.split("[,;]", value)] if value.strip() else []
    # An entry that names nobody is kept: it stands for somebody.
    return tuple("" if one is None else to_str(one) for one in _items(value))


@frozen(kw_only=True, repr=False)
class SendResult:
    """Answer of ``/sms-multi``, sorted out by recipient. Every number stands in just one of the three tuples.

    Attributes:
        campaign_id: ``campaign_id`` by the document's table, ``id`` by its sample. None only where all were ignored.
        message: ``msg``, in Spanish.
        accepted: numbers that the vendor took, in the caller's spelling.
        rejected: numbers that the vendor ignored as no mobile numbers, in the caller's spelling. Not charged.
        in_doubt: numbers that nobody can sort out, in the caller's spelling: the vendor ignored ``unmatched``, and
            that may mean any of them. `EnviaTuSmsClient.get_campaign` shows who is in the campaign. Empty, unless
            the vendor names a number that was not sent.
        ignored: ``ignored``, as the vendor spells it.
        unmatched: those of ``ignored`` that are none of the numbers sent.
        raw: all fields as received.
    """

    campaign_id: str | None = wire("campaign_id", "id", default=None, convert=campaign_id)
    message: str = wire("msg", default="")
    ignored: tuple[str, ...] = wire("ignored", default=(), convert=_ignored)
    accepted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    in_doubt: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    raw: Mapping[str, Any] = raw_field()

    def __repr__(self) -> str:
        # Numbers are people; values end up in logs by way of repr.
        return (
            f"SendResult(campaign_id={self.campaign_id!r}, {len(self.accepted)} accepted, "
            f"{len(self.rejected)} rejected, {len(self.in_doubt)} in doubt)"
        )


@frozen(kw_only=True, repr=False)
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


@frozen(kw_only=True)
class Quote:
    """Answer of ``/sms-costo``.

    Attributes:
        price: ``precio_usd``, US dollars for all.
        valid_numbers: ``numeros_validos``.
        invalid_numbers: ``numeros_invalidos``; not in the price.
        messages: ``cantidad_mensajes``, SMS to be sent: one for each valid number, or the parts of longer texts.
        raw: all fields as received.
    """

    price: Decimal = wire("precio_usd")
    valid_numbers: int = wire("numeros_validos")
    invalid_numbers: int = wire("numeros_invalidos")
    messages: int = wire("cantidad_mensajes")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True, repr=False)
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


# ---------------------------------------------------------------------------------------------------- campaigns


@reads_plain_times(lambda: zone(ZONE))
def _local_time(value: Any) -> datetime | None:
    """``YYYY-MM-DD H:m:s`` on Venezuela's clock; an assumption, the document names no zone."""
    return parse_wall_clock(str(value), zone(ZONE))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(to_str(one) for one in _items(value))


def _e164(value: Any) -> str:
    text = to_str(value)
    return canonical(text) or text


def _numbers(value: Any) -> tuple[CampaignNumber, ...]:
    """``numbers_stats``: called an object, shown as an array; an object may also be keyed by number."""
    if isinstance(value, Mapping) and all(isinstance(item, Mapping) for item in value.values()):
        value = [item if canonical(key) is None else {"mobile_number": key, **item} for key, item in value.items()]
    return CONVERTER.structure(value or [], tuple[CampaignNumber, ...])


def _locations(value: Any) -> Any:
    return value or {}


@frozen(kw_only=True)
class CampaignStats:
    """``stats`` of a campaign.

    Attributes:
        total_numbers: ``total_numbers``.
        total_sms: ``total_sms``, SMS to be sent.
        pending: ``pending``, SMS still to be sent; 0 when the campaign is complete.
        delivered: ``delivered``, SMS.
        failed: ``failed``, SMS.
        raw: all fields as received.
    """

    total_numbers: int = wire("total_numbers")
    total_sms: int = wire("total_sms")
    pending: int = wire("pending")
    delivered: int = wire("delivered")
    failed: int = wire("failed")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True, repr=False)
class CampaignNumber:
    """One number of a campaign (``numbers_stats``).

    Attributes:
        number: ``mobile_number`` in E.164, which the vendor writes as an integer; as the vendor wrote it where it is
            no phone number.
        status: ``status``.
        processed: ``processed``, the vendor's platform has dealt with the message.
        raw: all fields as received.
    """

    number: str = wire("mobile_number", convert=_e164)
    status: NumberStatus = wire("status")
    processed: bool | None = wire("processed", default=None)
    raw: Mapping[str, Any] = raw_field()

    def __repr__(self) -> str:
        return f"CampaignNumber({phone.mask(self.number)}, {self.status!r})"


@frozen(kw_only=True)
class ShortLinkStats:
    """``shortlink_stats`` of a campaign.

    Attributes:
        short_url: ``short_url``.
        original_url: ``orig_url``.
        total_clicks: ``total_clicks``.
        unique_clicks: ``unique_clicks``, by IP address.
        total_views: ``total_views``, where the reader's phone and connection can tell.
        clicks_by_location: ``location_unique_clicks``, unique clicks by country, region and city. The document does
            not show how they are nested, so this is what was received; an empty mapping where there is nothing.
        raw: all fields as received.
    """

    short_url: str = wire("short_url")
    original_url: str = wire("orig_url", default="")
    total_clicks: int | None = wire("total_clicks", default=None)
    unique_clicks: int | None = wire("unique_clicks", default=None)
    total_views: int | None = wire("total_views", default=None)
    clicks_by_location: Any = wire("location_unique_clicks", factory=dict, convert=_locations)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True, repr=False)
class Campaign:
    """Answer of ``/campaign/{id}``.

    Attributes:
        campaign_id: the id that was asked for; the answer has none.
        texts: ``message_text``: the text. The document does not say what it holds where each number has its own;
            several are all here.
        created_at: ``created_at``, aware, on Venezuela's clock (an assumption, the document names no zone).
        send_at: ``send_at``, when it is or was to be sent; as ``created_at``.
        approved: ``approved``. Campaigns may have to pass moderation, and wait for it with False.
        cancelled: ``cancelled``, by the vendor's administrator.
        from_api: ``from_api``, made by this API and not in the panel.
        stats: ``stats``.
        numbers: ``numbers_stats``.
        short_link: ``shortlink_stats``; None without a short link.
        raw: all fields as received.
    """

    texts: tuple[str, ...] = wire("message_text", default=(), convert=_texts)
    created_at: datetime | None = wire("created_at", default=None, convert=_local_time)
    send_at: datetime | None = wire("send_at", default=None, convert=_local_time)
    approved: bool | None = wire("approved", default=None)
    cancelled: bool | None = wire("cancelled", default=None)
    from_api: bool | None = wire("from_api", default=None)
    stats: CampaignStats = wire("stats")
    numbers: tuple[CampaignNumber, ...] = wire("numbers_stats", default=(), convert=_numbers)
    short_link: ShortLinkStats | None = wire("shortlink_stats", default=None)
    campaign_id: str = ""
    raw: Mapping[str, Any] = raw_field()

    def __repr__(self) -> str:
        return f"Campaign({self.campaign_id!r}, {len(self.numbers)} numbers, {self.stats.pending} pending)"

    @property
    def is_complete(self) -> bool:
        """Nothing is waiting to be sent any more. What was sent may still change its status."""
        return self.stats.pending == 0

    def to_deliveries(self) -> tuple[Delivery, ...]:
        """Each number in vendor-neutral terms. The vendor does not say when a status was reached."""
        return tuple(
            Delivery(
                vendor=VENDOR,
                vendor_id=self.campaign_id,
                number=one.number,
                state=one.status.state,
                code=str(int(one.status)),
                raw=one.raw,
            )
            for one in self.numbers
        )


@frozen(kw_only=True)
class GetCampaign(Call[Campaign]):
    """``/campaign/{id}``: the id is part of the path."""

    function: ClassVar[str] = "campaign"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Campaign

    campaign_id: str


# -------------------------------------------------------------------------------------------------- short links


@frozen(kw_only=True)
class ShortLink:
    """Answer of ``/acortar-url``.

    Attributes:
        link: ``link``, such as ``https://etsms.me/XYZ``.
        without_scheme: ``link_no_protocol``, such as ``etsms.me/XYZ``.
        link_id: ``id``, the characters after ``etsms.me/``.
        original_url: ``orig_link``.
        raw: all fields as received.
    """

    link: str = wire("link")
    without_scheme: str = wire("link_no_protocol", default="")
    link_id: str = wire("id", default="")
    original_url: str = wire("orig_link", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True, repr=False)
class ShortenUrl(Call[ShortLink]):
    """``/acortar-url``: ``link``. The document's Python sample sends ``url`` instead; its table and the others do not.

    Each call makes a link, and ten a day are allowed, so it is not repeated once it may have left.
    """

    function: ClassVar[str] = "acortar-url"
    answer: ClassVar[type[Any]] = ShortLink

    link: str = wire("link")

    def __repr__(self) -> str:
        return "ShortenUrl(***)"  # a query may hold a secret
