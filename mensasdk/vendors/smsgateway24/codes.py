"""SmsGateWay24's codes: where a message is (``status``), what it goes out through (``sim``), and what a refusal means.

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
    """``status``: where a message is. An open enum: a code that nobody has seen yet is a value too.

    A message goes through 1, 3, 2, 6 and 7, in this order. 4 is not documented. ``StatusCode(4)`` works all the same,
    and has `is_known` False.
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
        """The vendor-neutral state; UNKNOWN for an incoming message, and for a code that nobody has seen yet."""
        return _STATE.get(int(self), DeliveryState.UNKNOWN)

    @property
    def is_incoming(self) -> bool:
        """It is no status of a message of yours: somebody sent one to the phone."""
        return self is StatusCode.INCOMING

    @property
    def is_final(self) -> bool:
        """No further change is expected."""
        return self.state.is_final or self.is_incoming

    @property
    def meaning(self) -> str:
        """The meaning in plain words."""
        return _MEANING.get(int(self), f"status {int(self)}, which the vendor's documents do not name")


_STATE: Final = {
    # The phone may have taken it and still wait for its turn: nothing has left.
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
    """The state that a status in words means, as the second form of callbacks has it.

    Only ``delivered`` is documented; the others are the words that the vendor uses for its codes elsewhere.
    """
    return _WORDS.get(word.strip().lower().replace("_", " "), DeliveryState.UNKNOWN)


class SimSlot(OpenIntEnum):
    """``sim``: what a message goes out through. An open enum in answers; only these six are sent."""

    SIM_1 = 0
    SIM_2 = 1
    WHATSAPP_BUSINESS = 2
    WHATSAPP = 3
    RCS_1 = 4
    RCS_2 = 5

    @property
    def is_sms(self) -> bool:
        """It is a SIM card, so that a text counts in SMS parts."""
        return int(self) in (0, 1)

    @property
    def takes_images(self) -> bool:
        """It is one of the two kinds of WhatsApp."""
        return int(self) in (2, 3)


# The one published text is "Login or password incorrect"; that one about a token names it is an assumption. A phone
# has a token of its own for push messages, and trouble with that is not about our credentials.
_CREDENTIALS: Final = re.compile(
    r"(?<!device )(?<!push )(?<!firebase )\btoken\b|\b(?:login|password)\b|\bunauthori[sz]ed\b|\bauthenticat",
    re.IGNORECASE,
).search


def refusal_kind(words: str) -> type[VendorError]:
    """The error that an answer with ``error`` 1 becomes: there are no codes, so the words of ``message`` decide."""
    return AuthError if _CREDENTIALS(words) else VendorError
