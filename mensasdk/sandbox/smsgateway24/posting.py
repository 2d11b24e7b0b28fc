"""Webhooks that smsgateway24 posts to the customer: delivery reports and received messages.

The vendor documents two formats, one on its reference page and one in an article.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from mensasdk.sandbox.callbacks import Step
from mensasdk.sandbox.smsgateway24.dates import php_date, plain
from mensasdk.sandbox.smsgateway24.message import Sms
from mensasdk.sandbox.smsgateway24.state import State
from mensasdk.sandbox.smsgateway24.statuses import SENT, STATUS_TEXTS

__all__ = [
    "Posting",
    "article_delivery",
    "article_incoming",
    "delivery",
    "incoming",
    "reference_delivery",
    "reference_incoming",
]

# The article shows "delivered" only; the other words are the sandbox's own.
_WORDS = {1: "pending", 2: "sending", 3: "queued", 6: "sent", 7: "delivered"}


@frozen(eq=False)
class Posting:
    """Source of the delivery webhooks of one message."""

    state: State
    sms: Sms

    def start(self) -> None:
        """Submit the webhooks of a new message to the callback pool."""
        self._submit(0 if self.sms.scheduled_at is not None else 1)

    def resume(self) -> None:
        """Submit the webhooks again that were kept back while the phone was offline."""
        self._submit(2)

    def callback(self, index: int, step: int) -> Step:
        """Return a step: 0 to 2 only wait (for the schedule, the phone and the sending), 3 and 4 post.

        Step 3 posts state 6 (sent), if the phone sends the message; step 4 posts the final state.
        """
        state, sms = self.state, self.sms
        third = state.box.delivery_delay * state.box.time_scale / 3
        match step:
            case 0:
                return Step(None, then=max(0.0, sms.due - time.monotonic()), far=True)
            case 1:
                return Step(None, then=third)
            case 2 if not sms.device.online:
                state.hold(sms)
                return Step(None)
            case 2:
                return Step(None, then=third)
            case 3:
                fields = delivery(state, sms, SENT) if sms.is_sent else None
                return Step(fields, then=None if sms.final == SENT else third)
            case _:
                return Step(delivery(state, sms, sms.final))

    def _submit(self, step: int) -> None:
        self.state.box.callbacks.submit(self.state.name, self, range(1), step)


def delivery(state: State, sms: Sms, status: int) -> Mapping[str, Any]:
    """Build a delivery report in the format that the quirks choose."""
    form = article_delivery if state.quirks.article_webhooks else reference_delivery
    return form(state, sms, status)


def incoming(state: State, sms: Sms, image_url: str | None) -> Mapping[str, Any]:
    """Build the webhook of a received message in the format that the quirks choose."""
    if state.quirks.article_webhooks:
        return article_incoming(sms, image_url)
    return reference_incoming(state, sms, image_url)


def reference_delivery(state: State, sms: Sms, status: int) -> Mapping[str, Any]:
    """Build a delivery report in the format of the reference page."""
    return {
        "sms_id": sms.id,
        "status_id": status,
        "status_message": STATUS_TEXTS.get(status, ""),
        "sendto": sms.sendto,
        "senttime": _date(state, sms.sent_at(state.box, status)),
        "channel_id": sms.sim,
        "device_id": sms.device.id,
    }


def reference_incoming(state: State, sms: Sms, image_url: str | None) -> Mapping[str, Any]:
    """Build the webhook of a received text or image in the format of the reference page."""
    date = _date(state, sms.created)
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
    return {**common, **text} if state.quirks.old_webhooks else {**common, **text, "type": "text"}


def article_delivery(state: State, sms: Sms, status: int) -> Mapping[str, Any]:
    """Build a delivery report in the format of the article."""
    return {
        "event": "delivery_status",
        "message_id": str(sms.id),
        "phone": sms.sendto,
        "status": _WORDS.get(status, "failed"),
        "timestamp": _instant(sms.sent_at(state.box, status) or sms.created),
        "device_id": str(sms.device.id),
    }


def article_incoming(sms: Sms, image_url: str | None) -> Mapping[str, Any]:
    """Build the webhook of a received message in the format of the article."""
    return {
        "event": "incoming_sms",
        "phone": sms.sendto,
        "message": sms.body if image_url is None else image_url,
        "timestamp": _instant(sms.created),
        "device_id": str(sms.device.id),
    }


def _date(state: State, moment: datetime | None) -> Any:
    if moment is None:
        return None
    if state.quirks.webhook_date_objects:
        return php_date(moment, state.zone, state.quirks.timezone_type)
    return plain(moment, state.zone)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
