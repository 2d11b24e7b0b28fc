"""What the vendor posts to the customer: as its reference page says, or as its article shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mensasdk.sandbox.smsgateway24.dates import php_date, plain
from mensasdk.sandbox.smsgateway24.statuses import STATUS_TEXTS

if TYPE_CHECKING:
    from mensasdk.sandbox.smsgateway24.message import Sms
    from mensasdk.sandbox.smsgateway24.service import SmsGateway24

__all__ = ["article_delivery", "article_incoming", "delivery", "incoming", "reference_delivery", "reference_incoming"]

# The article shows "delivered" only; the other words are the plain ones.
_WORDS = {1: "pending", 2: "sending", 3: "queued", 6: "sent", 7: "delivered"}


def delivery(sms: Sms, status: int) -> Mapping[str, Any]:
    """A delivery report, in the form that the quirks choose."""
    form = article_delivery if sms.vendor.quirks.article_webhooks else reference_delivery
    return form(sms, status)


def incoming(sms: Sms, image_url: str | None) -> Mapping[str, Any]:
    """A received message, in the form that the quirks choose."""
    if sms.vendor.quirks.article_webhooks:
        return article_incoming(sms, image_url)
    return reference_incoming(sms, image_url)


def reference_delivery(sms: Sms, status: int) -> Mapping[str, Any]:
    """A delivery report after the reference page."""
    return {
        "sms_id": sms.id,
        "status_id": status,
        "status_message": STATUS_TEXTS.get(status, ""),
        "sendto": sms.sendto,
        "senttime": _date(sms.vendor, sms.sent_at(status)),
        "channel_id": sms.sim,
        "device_id": sms.device.id,
    }


def reference_incoming(sms: Sms, image_url: str | None) -> Mapping[str, Any]:
    """A received text or image after the reference page."""
    date = _date(sms.vendor, sms.created)
    common = {"address": sms.sendto, "date": date, "date_sent": date}
    if image_url is not None:
        image = {"body": "", "internal_id": None, "sim": sms.sim, "sms_id": sms.id, "type": "img", "img_url": image_url}
        return {**common, **image}
    text = {
        "body": sms.body,
        "internal_id": sms.id % 100_000,
        "channel_id": sms.sim,
        "sms_id": sms.id,
        "device_id": sms.device.id,
        "device_name": sms.device.title,
    }
    return {**common, **text} if sms.vendor.quirks.old_webhooks else {**common, **text, "type": "text"}


def article_delivery(sms: Sms, status: int) -> Mapping[str, Any]:
    """A delivery report after the article."""
    return {
        "event": "delivery_status",
        "message_id": str(sms.id),
        "phone": sms.sendto,
        "status": _WORDS.get(status, "failed"),
        "timestamp": _instant(sms.sent_at(status) or sms.created),
        "device_id": str(sms.device.id),
    }


def article_incoming(sms: Sms, image_url: str | None) -> Mapping[str, Any]:
    """A received message after the article."""
    return {
        "event": "incoming_sms",
        "phone": sms.sendto,
        "message": sms.body if image_url is None else image_url,
        "timestamp": _instant(sms.created),
        "device_id": str(sms.device.id),
    }


def _date(vendor: SmsGateway24, moment: datetime | None) -> Any:
    if moment is None:
        return None
    if vendor.quirks.webhook_date_objects:
        return php_date(moment, vendor.zone, vendor.quirks.timezone_type)
    return plain(moment, vendor.zone)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
