"""Codes of SmsGateWay24: message statuses (``status``), slots (``sim``), and the errors of refusals.

Sources: the vendor's repository SmsGateWay24, "API/v1.0", and its page on webhooks for the statuses; the API
documentation v1.0 for the slots.
"""

from __future__ import annotations

import re
from typing import Final

from mensasdk.errors import AuthError, VendorError
from mensasdk.messages import DeliveryState
from mensasdk.vendors.open_enum import OpenIntEnum

__all__ = ["SimSlot", "StatusCode", "refusal_kind", "word_state"]


class StatusCode(OpenIntEnum):
    """Delivery status of a message (``status``). Codes outside the documents are accepted as well.

    A message goes through 1, 3, 2, 6 and 7, in this order. 4 is not documented, but ``StatusCode(4)`` works, and its
    `is_known` is False.
    """

    PENDING = 1
    TAKEN_BY_PHONE = 2
    QUEUED = 3
    INCOMING = 5
    SENT = 6
    DELIVERED = 7
    NOT_DELIVERED = 8
    GENERIC_FAILURE = 9
    NO_SERVICE = 10
    NULL_PDU = 11
    RADIO_OFF = 12
    NOT_ALLOWED_100 = 100
    NOT_ALLOWED_101 = 101

    @property
    def state(self) -> DeliveryState:
        """Vendor-neutral state; UNKNOWN for an incoming message, and for a code that the documents do not name."""
        return _STATE.get(int(self), DeliveryState.UNKNOWN)

    @property
    def is_incoming(self) -> bool:
        """Tell whether the message is one that the phone received, and not one that you sent."""
        return self is StatusCode.INCOMING

    @property
    def is_final(self) -> bool:
        """Tell whether no further change is expected."""
        return self.state.is_final or self.is_incoming

    @property
    def meaning(self) -> str:
        """Meaning of the code in plain words."""
        return _MEANING.get(int(self), f"status {int(self)}, which the vendor's documents do not name")


_STATE: Final = {
    # With 2, the phone has taken the message but may not have sent it yet.
    **dict.fromkeys((1, 2, 3), DeliveryState.PENDING),
    6: DeliveryState.SENT,
    7: DeliveryState.DELIVERED,
    **dict.fromkeys((8, 9, 10, 11, 12, 100, 101), DeliveryState.FAILED),
}
_MEANING: Final = {
    1: "waiting at the gateway",
    2: "taken by the phone, being sent",
    3: "queued for sending",
    5: "an incoming message",
    6: "sent by the phone, no news of its delivery yet",
    7: "delivered",
    8: "not delivered",
    9: "not sent: generic failure, such as a blocked SIM or no balance on it",
    10: "not sent: the phone has no service",
    11: "not sent: null PDU",
    12: "not sent: the phone's radio is off",
    100: "not sent: the app may not send SMS",
    101: "not sent: the app may not send SMS at all",
}

_WORDS: Final = {
    **dict.fromkeys(("new", "pending", "queued", "taken", "sending"), DeliveryState.PENDING),
    "scheduled": DeliveryState.SCHEDULED,
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    **dict.fromkeys(("not delivered", "undelivered", "not sent", "failed", "error"), DeliveryState.FAILED),
}


def word_state(word: str) -> DeliveryState:
    """Return the state for a status in words, as in the second form of callbacks.

    Only ``delivered`` is documented; the other words are those that the vendor uses elsewhere for its codes. Any other
    word is UNKNOWN.
    """
    return _WORDS.get(word.strip().lower().replace("_", " "), DeliveryState.UNKNOWN)


class SimSlot(OpenIntEnum):
    """Slot that sends a message (``sim``). Answers may have other numbers too; requests have these six only."""

    SIM_1 = 0
    SIM_2 = 1
    WHATSAPP_BUSINESS = 2
    WHATSAPP = 3
    RCS_1 = 4
    RCS_2 = 5

    @property
    def is_sms(self) -> bool:
        """Tell whether the slot is a SIM card, so that a text counts in SMS parts."""
        return int(self) in (0, 1)

    @property
    def takes_images(self) -> bool:
        """Tell whether the slot is WhatsApp or WhatsApp Business, which take images."""
        return int(self) in (2, 3)


# The only published text is "Login or password incorrect"; it is an assumption that a text about our token has the word
# "token". A phone has tokens of its own, for push messages: an error about those says nothing of our credentials.
_CREDENTIALS: Final = re.compile(
    r"(?<!device )(?<!push )(?<!firebase )\btoken\b|\b(?:login|password)\b|\bunauthori[sz]ed\b|\bauthenticat",
    re.IGNORECASE,
).search


def refusal_kind(words: str) -> type[VendorError]:
    """Return the error class for an answer with ``error`` 1, by the words of ``message``, as there are no codes."""
    return AuthError if _CREDENTIALS(words) else VendorError
