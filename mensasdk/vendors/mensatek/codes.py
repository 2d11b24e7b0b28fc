"""Mensatek's codes: refusals (``Res`` below zero) and statuses of messages (``Resultado``).

Source: Mensatek, "SMS Sending API / BULK SMS (7.0)"; codes marked v5 are from the vendor's API 5.8 document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mensasdk.errors import (
    AccessDenied,
    AuthError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    StateConflict,
    UploadRefused,
    VendorError,
)
from mensasdk.messages import DeliveryState
from mensasdk.vendors.open_enum import OpenIntEnum

__all__ = ["REFUSALS", "StatusCode"]

Refusal = tuple[type[VendorError], str]

_AUTH: Final[Refusal] = (AuthError, "the API user or token was refused")
_DATA: Final[Refusal] = (InvalidRequest, "a parameter is missing or wrong")

_LIBRARY: Final[Mapping[int, Refusal]] = {
    -10: (UploadRefused, "the file library is full"),
    -11: (UploadRefused, "this kind of file is not taken; PDF, Excel, Word and VCF are"),
    -12: (UploadRefused, "the content of the file did not arrive (BASE64)"),
    -13: (UploadRefused, "the file did not arrive (FILES)"),
    -14: (UploadRefused, "this image format is not taken; GIF, PNG and JPG are"),  # v5
    -15: (UploadRefused, "the way of sending the file was not understood"),
    -16: (UploadRefused, "the file is too large"),
    -17: (UploadRefused, "the upload failed on the vendor's side"),
    -18: (UploadRefused, "trial accounts cannot upload files"),
}

REFUSALS: Final[Mapping[str, Mapping[int, Refusal]]] = {
    "EnviarSMS": {-1: _AUTH, -2: (InsufficientCredits, "the account has too few credits"), -3: _DATA},
    "CancelarSMS": {
        -1: _AUTH,
        -2: (AccessDenied, "the account has no such message"),
        -3: _DATA,
        -4: (StateConflict, "the message has been sent already"),
        -5: (StateConflict, "the message has been cancelled already"),
    },
    "ReprogramarSMS": {
        -1: _AUTH,
        -2: (AccessDenied, "the account has no such message"),
        -3: _DATA,
        -4: (StateConflict, "the message has been sent already"),
        -5: (StateConflict, "the message has been cancelled"),
        -6: (InvalidRequest, "the new date is wrong"),
        -7: (StateConflict, "the new date has passed already"),
    },
    "GetReportSMS": {
        -1: _AUTH,
        -2: (AccessDenied, "the account may not query this message"),
        -3: _DATA,
        -4: (AccessDenied, "there is no report for this message, or the account may not query it"),
    },
    # -2 (missing parameters) is from v5; v7 says -3.
    "CargarFichero": {-1: _AUTH, -2: _DATA, -3: _DATA, **_LIBRARY},
    "ListarFicheros": {-1: _AUTH, -3: _DATA, **_LIBRARY},
    "BorrarFichero": {-1: _AUTH, -2: (NotFound, "the library has no file of this name"), -3: _DATA},
    "GetCreditos": {-1: _AUTH},
    "GetPlantillasSMS": {-1: _AUTH, -3: _DATA},
}
"""Error class and meaning of each refusal, by function and then by ``Res``."""


class StatusCode(OpenIntEnum):
    """Status of a message (``Resultado``). An open enum: an undocumented code is a value too.

    The 57 members are those of the document; ``StatusCode(9999)`` works as well, and its `is_known` is False. Where the
    document gives several codes one meaning, the code is part of the name.
    """

    AWAITING_DELIVERY_0 = 0
    SCHEDULED_1 = 1
    AWAITING_DELIVERY_2 = 2
    AWAITING_DELIVERY_10 = 10
    DELIVERED_11 = 11
    DELIVERED_13 = 13
    DELIVERED_AND_CERTIFIED = 14
    CONTRACT_AWAITING_REPLY = 15
    CONTRACT_REPLY_RECEIVED = 16
    CONTRACT_REPLY_CERTIFIED = 17
    NUMBER_DOES_NOT_EXIST_50 = 50
    DELIVERY_TO_PHONE_FAILED = 51
    DELIVERY_TO_NETWORK_FAILED = 52
    EXPIRED_53 = 53
    BLACKLISTED = 54
    NUMBER_BLOCKED = 55
    DELIVERED_WITHOUT_TIME_70 = 70
    EXPIRED_101 = 101
    UNSUBSCRIBED = 102
    EXPIRED_103 = 103
    NUMBER_INCORRECT = 104
    DELIVERED_WITHOUT_TIME_106 = 106
    NUMBER_DOES_NOT_EXIST_110 = 110
    NUMBER_CLOSED_111 = 111
    WITHOUT_SERVICE_112 = 112
    EXPIRED_113 = 113
    SMSC_FAILURE_120 = 120
    SMSC_CONGESTED = 121
    SMSC_FAILURE_122 = 122
    PHONE_OFF = 123
    WITHOUT_SMS_SERVICE = 124
    PHONE_RESTRICTED = 125
    PHONE_BUSY = 126
    PHONE_ERROR = 130
    PHONE_MEMORY_FULL = 131
    PHONE_CANNOT_RECEIVE = 132
    NUMBER_CLOSED_133 = 133
    PHONE_PROBLEM_RETRYING_134 = 134
    NETWORK_PROBLEM_RETRYING = 135
    WITHOUT_SERVICE_136 = 136
    NUMBER_CLOSED_137 = 137
    DESTINATION_ERROR_140 = 140
    DESTINATION_ERROR_141 = 141
    NETWORK_CLOSED = 150
    CONTRACT_OPENED = 160
    CONTRACT_READ = 161
    CONTRACT_ACCEPTED = 162
    CONTRACT_SIGNED = 163
    CONTRACT_FINAL_ACCEPTED = 180
    CONTRACT_FINAL_SIGNED = 181
    CONTRACT_REJECTED = 190
    CONTRACT_EXPIRED = 195
    AWAITING_DELIVERY_1000 = 1000
    SCHEDULED_1001 = 1001
    SENDING = 1002
    PHONE_PROBLEM_RETRYING_1003 = 1003
    SIGNER_LOCATION = 5000

    @property
    def state(self) -> DeliveryState:
        """Vendor-neutral state; UNKNOWN for an undocumented code."""
        return _STATE.get(int(self), DeliveryState.UNKNOWN)

    @property
    def is_delivered(self) -> bool:
        """True where the message has reached the phone.

        Contract codes count too: a person who opens, signs or rejects a contract has got the message.
        """
        return self.state is DeliveryState.DELIVERED

    @property
    def is_temporary(self) -> bool:
        """True for trouble that may pass: the vendor tries again, or the phone is off or busy. Later reports decide."""
        return self in _TEMPORARY

    @property
    def is_final(self) -> bool:
        """True where no further report is expected for a message of this API.

        The contract codes up to 163, and 5000, are steps on the way to a signature, although the SMS itself has
        arrived. (Certified SMS, which this API does not send, go on from 13 to 14.)
        """
        return self.state.is_final and self not in _NOT_FINAL

    @property
    def meaning(self) -> str:
        """Meaning in plain words."""
        if not self.is_known:
            return f"status {int(self)}, which the vendor's document does not name"
        return self._name_.rstrip("0123456789").rstrip("_").replace("_", " ").lower()


def _table() -> dict[int, DeliveryState]:
    by_state: dict[DeliveryState, tuple[int, ...]] = {
        DeliveryState.SCHEDULED: (1, 1001),
        # 1002 (sending): the operator has not taken the message yet. The last four are v5's codes for waiting.
        DeliveryState.PENDING: (0, 2, 10, 1000, 1002, *(12, 31, 500, 999)),
        # Sent, with trouble that has passed or may pass: the message may still be delivered.
        DeliveryState.SENT: (1003, 120, 121, 122, 123, 126, 134, 135, 150),
        DeliveryState.DELIVERED: (
            *(11, 13, 14, 70, 106),
            *(15, 16, 17, 160, 161, 162, 163, 180, 181, 190, 5000),
        ),
        DeliveryState.FAILED: (
            *(50, 51, 52, 54, 55, 102, 104, 110, 111, 112, 124, 125, 130, 131, 132, 133, 136, 137, 140, 141),
            *(22, 23, 24, 25, 26, 27, 28, 200),  # v5
        ),
        # A contract that expired unsigned (195) may never have been received.
        DeliveryState.EXPIRED: (53, 101, 103, 113, 195),
        DeliveryState.CANCELLED: (29,),  # v5
    }
    return {code: state for state, codes in by_state.items() for code in codes}


_STATE: Final = _table()
_TEMPORARY: Final = frozenset({120, 121, 122, 123, 126, 134, 135, 150, 1003})
_NOT_FINAL: Final = frozenset({15, 16, 160, 161, 162, 163, 5000})
