"""States of a message, their texts, and the choice of the final state by the number."""

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
# Final states by the last two digits of a number, so that a test can choose; all other numbers are delivered.
_BY_ENDING = {8: 8, 9: 9, 10: 10, 11: 11, 12: 12, 94: 4, 96: SENT, 98: 100, 99: 101}


def digits_of(address: str) -> str:
    """Return the digits of a number without a leading 00; an address without digits is returned as it is."""
    return re.sub(r"[^0-9]", "", address).removeprefix("00") or address


def final_status(address: str) -> int:
    """Return the final state of a message, chosen by the last two digits of its number.

    08 to 12 give states 8 to 12, 94 gives the undocumented 4, 96 stays at 6 (sent), 98 gives 100, 99 gives 101, and all
    others 7 (delivered).
    """
    ending = digits_of(address)[-2:]
    return _BY_ENDING.get(int(ending), DELIVERED) if ending.isdecimal() else DELIVERED
