"""The states of a message, their texts, and which of them a number ends in."""

from __future__ import annotations

import re

__all__ = ["DELIVERED", "INCOMING", "PENDING", "QUEUED", "SENT", "STATUS_TEXTS", "TAKEN", "digits_of", "final_status"]

PENDING, TAKEN, QUEUED, INCOMING, SENT, DELIVERED = 1, 2, 3, 5, 6, 7

STATUS_TEXTS = {
    1: "New",
    2: "sending",
    3: "queued",
    5: "income",
    6: "sent",
    7: "delivered",
    8: "not delivered",
    9: "generic failure",
    10: "no service",
    11: "null pdu",
    12: "radio off",
    100: "not allowed",
    101: "not allowed",
}
# The last two digits of a number decide what becomes of it, so that a test can choose.
_BY_ENDING = {8: 8, 9: 9, 10: 10, 11: 11, 12: 12, 94: 4, 96: SENT, 98: 100, 99: 101}


def digits_of(address: str) -> str:
    """The digits of a number however it is written; an address without digits as it is."""
    return re.sub(r"[^0-9]", "", address).removeprefix("00") or address


def final_status(address: str) -> int:
    """The last state of a message: the number's last two digits say (08 to 12 those states, 94 the undocumented 4,
    96 stays at 6, 98 gives 100 and 99 gives 101); 7, delivered, for all others."""
    ending = digits_of(address)[-2:]
    return _BY_ENDING.get(int(ending), DELIVERED) if ending.isdecimal() else DELIVERED
