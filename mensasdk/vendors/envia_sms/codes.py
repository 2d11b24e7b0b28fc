"""Codes of envia-sms.com: refusals, message statuses, and reasons for failed deliveries.

Source: envia-sms.com, "API SMS" (5 August 2022), "Códigos de Error API" and "Ver estado del mensaje enviado".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple, Self

from mensasdk.errors import (
    AccessDenied,
    AddressBlocked,
    AuthError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    OutcomeKind,
    VendorError,
)
from mensasdk.messages import DeliveryState

__all__ = ["REFUSALS", "Reason", "Refusal", "Status", "refusal", "tells_of_duplicate"]


class Refusal(NamedTuple):
    """Error that an error code of the vendor's is turned into.

    Attributes:
        kind: the class of the error.
        meaning: the meaning in plain words.
        outcome: REJECTED where the vendor found the mistake before it sent anything; UNKNOWN where it failed while
            sending, or does not say what failed.
        retryable: the same call is likely to work later.
    """

    kind: type[VendorError]
    meaning: str
    outcome: OutcomeKind = OutcomeKind.REJECTED
    retryable: bool = False


_SUPPORT: Final = Refusal(
    VendorError,
    'the document says no more than "contact support"; whether an SMS went out is unknown',
    OutcomeKind.UNKNOWN,
)


def _bad(meaning: str) -> Refusal:
    return Refusal(InvalidRequest, meaning)


def _failed(meaning: str) -> Refusal:
    return Refusal(VendorError, f"{meaning}; whether an SMS went out is unknown", OutcomeKind.UNKNOWN, retryable=True)


REFUSALS: Final[Mapping[int, Refusal]] = {
    1: Refusal(AddressBlocked, "our IP address is blocked for misuse of the API; contact the vendor"),
    2: Refusal(AuthError, "no project token arrived"),
    3: Refusal(AuthError, "the project token is not valid"),
    4: Refusal(AddressBlocked, "the project is suspended; contact the vendor"),
    5: Refusal(InsufficientCredits, "the project has no credits left"),
    6: Refusal(AuthError, "the project of this token was not found"),
    7: _bad("the country calling code of the number was not found"),
    8: _bad("the country of the number is not available; list_countries() has those that are"),
    102: _bad("the message is too big"),
    103: _bad("no destination number arrived"),
    104: _bad("the number is too long"),
    106: _bad("scheduled messages cannot be sent in test mode"),
    107: _SUPPORT,
    108: _bad("the scheduled date is not valid"),
    109: _failed("the vendor failed while sending to the recipient"),
    110: _SUPPORT,
    111: _bad("something is wrong with the recipient"),
    112: _SUPPORT,
    113: _bad("a field is too long"),
    114: _bad("the level has an unknown value"),
    115: _bad("a notification link was given without a level"),
    116: _bad("a level was given without a notification link"),
    117: _failed("the vendor failed while sending"),
    118: _bad("the message identifier is too long"),
    119: _bad("the message holds characters that are not supported; unicode=True sends any"),
    120: _SUPPORT,
    121: _bad("the sender is too long"),
    122: _bad("too many recipients"),
    123: _bad("there is no recipient"),
    124: _bad("the message is too long; the limit is 160 characters of 7 bits, and 500 with unicode=True"),
    125: _bad("the message is empty"),
    126: _SUPPORT,
    127: _SUPPORT,
    128: _SUPPORT,
    129: Refusal(NotFound, "the template was not found"),
    130: _bad("the template has been disabled"),
    131: _bad("the template was rejected, because it breaks the vendor's rules"),
    132: _bad("the template is still under review"),
    133: _bad("a variable that got a URL is not set up for one"),
    134: _bad("a variable that got a text is not set up for one"),
    135: _bad("the message holds a forbidden word"),
    136: _bad("not all variables of the template arrived"),
    137: Refusal(AccessDenied, "the template belongs to another account"),
    301: _bad("no action arrived"),
    302: _bad("no message identifier arrived"),
    303: Refusal(NotFound, "there is no message of this identifier"),
    304: Refusal(NotFound, "there is no scheduled message of this identifier; it may have been sent or cancelled"),
    400: _bad("the vendor calls it a bad request"),
    401: Refusal(AuthError, "not authorised"),
    403: Refusal(AuthError, "forbidden"),
    500: _failed("the vendor's server failed"),
    601: Refusal(NotFound, "the phone number was not found"),
    602: Refusal(NotFound, "the status was not found"),
}
"""Errors by the vendor's code. The document has one table of codes for all methods."""

_STRANGE: Final = Refusal(
    VendorError,
    "a code that the document does not name; whether an SMS went out is unknown",
    OutcomeKind.UNKNOWN,
)


def refusal(function: str, code: int | str, words: str, *, vendor: str) -> VendorError:
    """Return the error for a code.

    Args:
        function: the vendor's name of the method.
        code: as received; a number, or a text that is not a number.
        words: the vendor's own words, without secrets and personal data. They are added where the document does not
            say what the code means.
        vendor: the vendor's short name.
    """
    found = REFUSALS.get(code, _STRANGE) if isinstance(code, int) else _STRANGE
    # The document prints codes with two digits: 05, not 5.
    name = f"{code:02d}" if isinstance(code, int) else code
    text = f"{function} was refused with code {name}: {found.meaning}"
    if found in (_SUPPORT, _STRANGE) and words:
        text = f"{text} ({words})"
    if found.kind is InsufficientCredits:
        return InsufficientCredits(text, vendor=vendor, code=name)
    return found.kind(text, outcome=found.outcome, vendor=vendor, code=name, retryable=found.retryable)


def _folded(text: str) -> str:
    return " ".join(text.replace("_", " ").casefold().split())


class _OpenText(StrEnum):
    """Enum of the vendor's words that also accepts words outside the document; their `is_known` is False.

    Reading a word ignores case, and treats underscores and blanks alike.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str) or not value.strip():
            return None
        wanted = _folded(value)
        for member in cls:
            if _folded(member) == wanted:
                return member
        stranger = str.__new__(cls, value)
        stranger._name_ = f"OTHER_{value}"
        stranger._value_ = value
        return stranger

    @property
    def is_known(self) -> bool:
        """Tell whether the document names this word."""
        return self._name_ in type(self).__members__


class Status(_OpenText):
    """Delivery status of a message (``status``). Words outside the document are accepted as well.

    The document's table numbers the words from 1 to 5; the numbers are read as well. Reading a word ignores case, and
    treats underscores and blanks alike.
    """

    PROCESSING = "Procesando"
    """Processed by the vendor."""
    ERROR = "Error"
    """Not delivered; see `StatusReport.reasons`."""
    AT_NETWORK = "Entregado_GSM"
    """Delivered to the GSM network."""
    AT_OPERATOR = "Entregado_operador"
    """Delivered to the recipient's local operator."""
    DELIVERED = "Entregado"
    """Delivered to the recipient."""
    TEST_MODE = "Modo pruebas"
    """Sent in test mode: nobody gets it."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if isinstance(value, int | str) and str(value).strip() in _NUMBERED:
            return cls(_NUMBERED[str(value).strip()])
        return super()._missing_(value)

    @property
    def state(self) -> DeliveryState:
        """Vendor-neutral state; UNKNOWN in test mode, and for a word that the document does not name."""
        return _STATE.get(self, DeliveryState.UNKNOWN)

    @property
    def is_final(self) -> bool:
        """Tell whether no further change is expected."""
        return self.state.is_final or self is Status.TEST_MODE


class Reason(_OpenText):
    """Reason for the status ``Error`` (``description``). Words outside the document are accepted as well."""

    REJECTED = "Mensaje_rechazado"
    EXPIRED = "Mensaje_expirado"
    DUPLICATE = "Mensaje_duplicado"
    """Dropped, because the same text went to the same number within the hour."""
    NOT_DELIVERED = "No_entregado"


def tells_of_duplicate(words: str) -> bool:
    """Return whether a refusal says ``Mensaje_duplicado``, the document's words for a message that was dropped."""
    return _folded(Reason.DUPLICATE) in _folded(words)


_NUMBERED: Final = {
    "1": "Procesando",
    "2": "Error",
    "3": "Entregado_GSM",
    "4": "Entregado_operador",
    "5": "Entregado",
}
_STATE: Final[Mapping[str, DeliveryState]] = {
    Status.PROCESSING: DeliveryState.PENDING,
    Status.ERROR: DeliveryState.FAILED,
    Status.AT_NETWORK: DeliveryState.SENT,
    Status.AT_OPERATOR: DeliveryState.SENT,
    Status.DELIVERED: DeliveryState.DELIVERED,
}
