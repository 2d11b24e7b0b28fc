"""EnvíaTuSMS's codes: statuses of the numbers of a campaign, and the errors that refusals become.

Source: EnvíaTuSMS, "Documentación de la API". It publishes no texts and no codes for errors, so the HTTP status of a
refusal decides, and the error keeps the vendor's words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from mensasdk.errors import AuthError, InsufficientCredits, InvalidRequest, NotFound, VendorError
from mensasdk.messages import DeliveryState
from mensasdk.vendors.open_enum import OpenIntEnum

__all__ = ["REFUSALS", "NumberStatus", "refusal_kind"]

REFUSALS: Final[Mapping[int, type[VendorError]]] = {
    400: InvalidRequest,
    401: AuthError,
    402: InsufficientCredits,
    403: AuthError,
    404: NotFound,
    422: InvalidRequest,
}
"""Error class of a refusal, by HTTP status; `VendorError` for every other status, 200 included."""


# The vendor publishes no texts either. These words are a guess at how it refuses an account with status 200. The guess
# is safe: the request was refused whichever error it becomes, and a campaign must not go on and on.
_ACCOUNT: Final[Sequence[tuple[re.Pattern[str], type[VendorError]]]] = (
    (re.compile(r"saldo|insuficiente|sin cr[eé]dito|insufficient|recarg", re.IGNORECASE), InsufficientCredits),
    (re.compile(r"api[ _-]?key|no autorizad|unauthori[sz]ed|autenticaci", re.IGNORECASE), AuthError),
)


def refusal_kind(status: int, words: str) -> type[VendorError]:
    """Return the error class of a refusal, by its HTTP status, or where that says nothing by the vendor's words."""
    kind = REFUSALS.get(status)
    if kind is None:
        kind = next((found for pattern, found in _ACCOUNT if pattern.search(words)), VendorError)
    return kind


class NumberStatus(OpenIntEnum):
    """Status of the SMS to one number (``numbers_stats.status``). An open enum: an undocumented code is a value too.

    The four members are those of the document; ``NumberStatus(9)`` works as well, and its `is_known` is False.
    """

    PENDING = 0
    DELIVERED = 1
    REMOVED = 4
    REJECTED = 7

    @property
    def state(self) -> DeliveryState:
        """Vendor-neutral state; UNKNOWN for an undocumented code."""
        return _STATE.get(int(self), DeliveryState.UNKNOWN)

    @property
    def is_delivered(self) -> bool:
        """True where the operator has delivered the SMS."""
        return self is NumberStatus.DELIVERED

    @property
    def is_final(self) -> bool:
        """True where no later answer is expected to have another status."""
        return self.state.is_final

    @property
    def meaning(self) -> str:
        """Meaning in plain words."""
        return _MEANING.get(int(self), f"status {int(self)}, which the vendor's document does not name")


_STATE: Final[Mapping[int, DeliveryState]] = {
    0: DeliveryState.PENDING,
    1: DeliveryState.DELIVERED,
    4: DeliveryState.CANCELLED,
    7: DeliveryState.FAILED,
}
_MEANING: Final[Mapping[int, str]] = {
    0: "waiting to be sent",
    1: "delivered by the operator",
    4: "removed; it will not be sent",
    7: "rejected by the operator",
}
