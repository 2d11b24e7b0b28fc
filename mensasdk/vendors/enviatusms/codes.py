"""EnvíaTuSMS's codes: where a number of a campaign stands, and what a refusal means.

Source: EnvíaTuSMS, "Documentación de la API". It publishes no texts and no codes for errors, so a refusal is told by
its HTTP status, and keeps the vendor's words.
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
"""By HTTP status: the error that a refusal becomes. `VendorError` itself for every other one, 200 included."""


# The vendor publishes no texts either. These words are a guess at what it says under status 200 about the account, and
# the guess is on the safe side: whichever error it becomes, nothing was sent, but a campaign must not go on and on.
_ACCOUNT: Final[Sequence[tuple[re.Pattern[str], type[VendorError]]]] = (
    (re.compile(r"saldo|insuficiente|sin cr[eé]dito|insufficient|recarg", re.IGNORECASE), InsufficientCredits),
    (re.compile(r"api[ _-]?key|no autorizad|unauthori[sz]ed|autenticaci", re.IGNORECASE), AuthError),
)


def refusal_kind(status: int, words: str) -> type[VendorError]:
    """The error that a refusal becomes, by its HTTP status, and where that says nothing by the vendor's words."""
    kind = REFUSALS.get(status)
    if kind is None:
        kind = next((found for pattern, found in _ACCOUNT if pattern.search(words)), VendorError)
    return kind


class NumberStatus(OpenIntEnum):
    """``numbers_stats.status``: where the SMS to one number stands.

    An open enum: the four members are those of the document; ``NumberStatus(9)`` works as well and has `is_known`
    False.
    """

    PENDING = 0
    DELIVERED = 1
    REMOVED = 4
    REJECTED = 7

    @property
    def state(self) -> DeliveryState:
        """The vendor-neutral state; UNKNOWN for a code that nobody has seen yet."""
        return _STATE.get(int(self), DeliveryState.UNKNOWN)

    @property
    def is_delivered(self) -> bool:
        """The operator has delivered it."""
        return self is NumberStatus.DELIVERED

    @property
    def is_final(self) -> bool:
        """No later answer is expected to say something else."""
        return self.state.is_final

    @property
    def meaning(self) -> str:
        """The meaning in plain words."""
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
