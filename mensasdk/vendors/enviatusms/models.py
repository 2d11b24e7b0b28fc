"""EnvíaTuSMS's answers as frozen values, and the options that only EnvíaTuSMS has.

Source: EnvíaTuSMS, "Documentación de la API". Each attribute names the vendor's field that it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import frozen

from mensasdk import phone
from mensasdk.codec import raw_field, to_known_id, wire
from mensasdk.messages import Delivery, VendorOptions
from mensasdk.vendors.enviatusms.codes import NumberStatus
from mensasdk.vendors.enviatusms.convert import (
    CONVERTER,
    e164,
    ignored,
    local_time,
    locations,
    per_operator,
    texts,
)
from mensasdk.vendors.enviatusms.rules import VENDOR, canonical

__all__ = [
    "Balance",
    "Campaign",
    "CampaignNumber",
    "CampaignStats",
    "EnviaTuSmsOptions",
    "Quote",
    "SendResult",
    "ShortLink",
    "ShortLinkStats",
]


@frozen
class EnviaTuSmsOptions(VendorOptions):
    """Options of a `Message` that only EnvíaTuSMS has.

    Attributes:
        allow_duplicates: ``permitir_duplicados``, as in `EnviaTuSmsClient.send_sms`. `BatchSender` never puts a number
            twice into a request, so this is needed only if the vendor looks for duplicates in earlier requests too.
    """

    allow_duplicates: bool = False


# ------------------------------------------------------------------------------------------------------ balance


@frozen(kw_only=True)
class Balance:
    """Answer to ``/balance``.

    Attributes:
        balance: ``balance``, US dollars in the account.
        sms: ``sms``, how many messages the balance pays for, by operator in the vendor's spelling
            (``{"movistar": 100}``). Operators may change; empty in the older form of the answer.
        credits: ``creditos``, how many messages the balance pays for, in the older form of the answer; None in the
            present form.
        raw: all fields as received.
    """

    balance: Decimal = wire("balance")
    sms: Mapping[str, int] = wire("sms", factory=dict, convert=per_operator)
    credits: Decimal | None = wire("creditos", default=None)
    raw: Mapping[str, Any] = raw_field()


# ------------------------------------------------------------------------------------------------------ sending


@frozen(kw_only=True, repr=False)
class SendResult:
    """Answer to ``/sms-multi``. Every number sent is in either ``accepted``, ``rejected`` or ``unknown``.

    Attributes:
        campaign_id: ``campaign_id`` by the document's table, ``id`` by its sample. None only where all numbers were
            ignored.
        message: ``msg``, in Spanish.
        ignored: ``ignored``, numbers as the vendor spells them.
        accepted: numbers that the vendor took, in the caller's spelling.
        rejected: numbers that the vendor ignored because they are no mobile numbers, in the caller's spelling. Not
            charged.
        unknown: numbers whose outcome is unknown, in the caller's spelling: the vendor ignored ``unmatched``, which
            may stand for any of them. `EnviaTuSmsClient.get_campaign` shows which are in the campaign. Empty, unless
            the vendor names a number that was not sent.
        unmatched: numbers of ``ignored`` that were not sent.
        raw: all fields as received.
    """

    campaign_id: str | None = wire("campaign_id", "id", default=None, convert=to_known_id)
    message: str = wire("msg", default="")
    ignored: tuple[str, ...] = wire("ignored", default=(), convert=ignored)
    accepted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    raw: Mapping[str, Any] = raw_field()

    def __repr__(self) -> str:
        # Numbers are personal data, and a repr ends up in logs.
        return (
            f"SendResult(campaign_id={self.campaign_id!r}, {len(self.accepted)} accepted, "
            f"{len(self.rejected)} rejected, {len(self.unknown)} unknown)"
        )


@frozen(kw_only=True)
class Quote:
    """Answer to ``/sms-costo``.

    Attributes:
        price: ``precio_usd``, US dollars for all messages.
        valid_numbers: ``numeros_validos``, how many there are.
        invalid_numbers: ``numeros_invalidos``, how many there are; not in the price.
        messages: ``cantidad_mensajes``, how many SMS would be sent: one for each valid number, or the parts of longer
            texts.
        raw: all fields as received.
    """

    price: Decimal = wire("precio_usd")
    valid_numbers: int = wire("numeros_validos")
    invalid_numbers: int = wire("numeros_invalidos")
    messages: int = wire("cantidad_mensajes")
    raw: Mapping[str, Any] = raw_field()


# ---------------------------------------------------------------------------------------------------- campaigns


def _numbers(value: Any) -> tuple[CampaignNumber, ...]:
    """Read ``numbers_stats``: an array of objects, or one object, perhaps keyed by number.

    The document calls it an object, but shows an array.
    """
    if isinstance(value, Mapping) and all(isinstance(item, Mapping) for item in value.values()):
        value = [item if canonical(key) is None else {"mobile_number": key, **item} for key, item in value.items()]
    return CONVERTER.structure(value or [], tuple[CampaignNumber, ...])


@frozen(kw_only=True)
class CampaignStats:
    """Counts of a campaign (``stats``).

    Attributes:
        total_numbers: ``total_numbers``, numbers in the campaign.
        total_sms: ``total_sms``, SMS in the campaign.
        pending: ``pending``, SMS still to be sent; 0 when the campaign is complete.
        delivered: ``delivered``, SMS that were delivered.
        failed: ``failed``, SMS that failed.
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
    """Number of a campaign, with its status (``numbers_stats``).

    Attributes:
        number: ``mobile_number`` in E.164; the vendor writes it as an integer. Unchanged where it is no phone number.
        status: ``status``.
        processed: ``processed``, True where the vendor's platform has processed the message.
        raw: all fields as received.
    """

    number: str = wire("mobile_number", convert=e164)
    status: NumberStatus = wire("status")
    processed: bool | None = wire("processed", default=None)
    raw: Mapping[str, Any] = raw_field()

    def __repr__(self) -> str:
        return f"CampaignNumber({phone.mask(self.number)}, {self.status!r})"


@frozen(kw_only=True)
class ShortLinkStats:
    """Clicks on a campaign's short link (``shortlink_stats``).

    Attributes:
        short_url: ``short_url``.
        original_url: ``orig_url``.
        total_clicks: ``total_clicks``.
        unique_clicks: ``unique_clicks``, clicks from different IP addresses.
        total_views: ``total_views``, counted where the reader's phone and connection allow it.
        clicks_by_location: ``location_unique_clicks``, unique clicks by country, region and city. The document does
            not show how they are nested, so the value is as received; an empty mapping where there are none.
        raw: all fields as received.
    """

    short_url: str = wire("short_url")
    original_url: str = wire("orig_url", default="")
    total_clicks: int | None = wire("total_clicks", default=None)
    unique_clicks: int | None = wire("unique_clicks", default=None)
    total_views: int | None = wire("total_views", default=None)
    clicks_by_location: Any = wire("location_unique_clicks", factory=dict, convert=locations)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True, repr=False)
class Campaign:
    """Answer to ``/campaign/{id}``.

    Attributes:
        texts: ``message_text``: the text, or all texts if the answer has several. The document does not say what it
            holds where each number has a text of its own.
        created_at: ``created_at``, aware, on Venezuela's clock (an assumption, the document names no zone).
        send_at: ``send_at``, scheduled time of sending; aware, on the same clock.
        approved: ``approved``, False while the campaign waits for the vendor's moderation.
        cancelled: ``cancelled``, True where the vendor's administrator cancelled the campaign.
        from_api: ``from_api``, True where the campaign was made by this API and not in the panel.
        stats: ``stats``.
        numbers: ``numbers_stats``.
        short_link: ``shortlink_stats``; None without a short link.
        campaign_id: the id that was asked for; the answer has none.
        raw: all fields as received.
    """

    texts: tuple[str, ...] = wire("message_text", default=(), convert=texts)
    created_at: datetime | None = wire("created_at", default=None, convert=local_time)
    send_at: datetime | None = wire("send_at", default=None, convert=local_time)
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
        """True when no SMS of the campaign waits to be sent. An SMS that was sent may still change its status."""
        return self.stats.pending == 0

    def to_deliveries(self) -> tuple[Delivery, ...]:
        """Return a delivery report for each number, in vendor-neutral terms. The vendor tells no times."""
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


# -------------------------------------------------------------------------------------------------- short links


@frozen(kw_only=True)
class ShortLink:
    """Answer to ``/acortar-url``.

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
