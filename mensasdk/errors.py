"""Define every error that mensasdk raises, with the outcome that it means for a message.

::

    MensaError
    ├── ConfigurationError          a client, sender or command was set up wrongly          NOT_SENT
    ├── JournalError                a journal cannot be read or written                     NOT_SENT
    ├── ValidationError             a value breaks a rule; names the field and the remedy   NOT_SENT
    │   └── ScheduleError           a schedule is naive, in the past, or in a clock change  NOT_SENT
    ├── TransportError              the network failed
    │   ├── ConnectError            no connection could be made (DNS, refused, unreachable) NOT_SENT
    │   │   ├── ConnectTimeout      … within the time allowed for connecting                NOT_SENT
    │   │   ├── TLSError            … that can be trusted; never repeated                   NOT_SENT
    │   │   └── ProxyError          … through the configured proxy                          NOT_SENT
    │   ├── DeadlineExceeded        the total time ran out                                  by phase
    │   │   └── PoolTimeout         … while waiting for a free connection                   NOT_SENT
    │   ├── ConnectionLost          the connection broke after bytes had left               UNKNOWN
    │   └── ProtocolError           the answer is not valid HTTP, or is cut or corrupt      UNKNOWN
    ├── ResponseError               an answer came that the vendor does not document
    │   ├── ResponseTooLarge        the decoded body is larger than the limit               UNKNOWN
    │   ├── UnexpectedRedirect      redirects are never followed                            UNKNOWN
    │   ├── UnexpectedStatus        an HTTP error without a documented body                 by status
    │   ├── RateLimited             HTTP 429; see ``retry_after``                           NOT_SENT
    │   ├── UnexpectedResponse      a web page or an empty body in place of data            UNKNOWN
    │   └── DecodeError             the body cannot be read as the vendor's data            UNKNOWN
    │       └── AmbiguousResponse   the body says two different things at once              UNKNOWN
    └── VendorError                 the vendor understood and refused                       REJECTED
        ├── AuthError               credentials refused; stops a campaign                   REJECTED
        ├── AddressBlocked          our address is blocked; stops a campaign                REJECTED
        ├── InsufficientCredits     the account cannot pay; pauses a campaign               REJECTED
        ├── InvalidRequest          a parameter is missing or wrong                         REJECTED
        ├── NotFound                no such message, file or template                       REJECTED
        ├── AccessDenied            the thing exists, but belongs to somebody else          REJECTED
        ├── StateConflict           too late: already sent, already cancelled, in the past  REJECTED
        └── UploadRefused           the file library does not take this file                REJECTED

Each error has ``outcome`` (the outcome of the request: an `OutcomeKind`), ``vendor``, ``code`` (the vendor's own code
as text, or the HTTP status) and ``retryable`` (whether the same call may succeed later). For a call that sends SMS,
``outcome`` is the outcome of every recipient of the call.

``message`` is one sentence: ``subject``, ``problem`` and ``remedy``, which the error keeps apart as well, so that a
program can say the same in terms of its own options. ``field`` names the parameter at fault.

Errors are plain data. They can be pickled, they hold no request, URL, header or body, and no error has a
``__context__`` that could hold a secret.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

__all__ = [
    "AccessDenied",
    "AddressBlocked",
    "AmbiguousResponse",
    "AuthError",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionLost",
    "DeadlineExceeded",
    "DecodeError",
    "InsufficientCredits",
    "InvalidRequest",
    "JournalError",
    "MensaError",
    "NotFound",
    "OutcomeKind",
    "PoolTimeout",
    "ProtocolError",
    "ProxyError",
    "RateLimited",
    "ResponseError",
    "ResponseTooLarge",
    "ScheduleError",
    "StateConflict",
    "TLSError",
    "TransportError",
    "UnexpectedRedirect",
    "UnexpectedResponse",
    "UnexpectedStatus",
    "UploadRefused",
    "ValidationError",
    "VendorError",
    "outcome_of",
]


# Defined here and not in `messages`, because every error has an outcome, and `messages` imports this module.
class OutcomeKind(StrEnum):
    """Outcome of a message, as far as money is concerned."""

    ACCEPTED = "accepted"
    """The vendor accepted the message and will charge for it."""
    REJECTED = "rejected"
    """The vendor refused the message and charges nothing; the code says why."""
    NOT_SENT = "not_sent"
    """The vendor has not acted on the message; to send it again cannot make a second SMS."""
    UNKNOWN = "unknown"
    """Bytes were sent, but no complete answer that can be read came back. mensasdk never sends it again by itself."""


def outcome_of(error: BaseException) -> OutcomeKind:
    """Return the outcome of a call that ended in an exception of any kind.

    Besides our own errors, the outcome is known for a cancellation, for the `TimeoutError` of an ``asyncio.timeout`` or
    ``asyncio.wait_for`` around the call, and for an exception that was raised ``from`` one of these. If the exception
    passed through several of our calls, the outcome is that of the last one. For a group of exceptions it is the
    outcome that all of them have.

    Args:
        error: the exception as it was caught.

    Returns:
        The outcome; UNKNOWN if it cannot be told. NOT_SENT is returned only if nothing has been sent.
    """
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, MensaError):
            return link.outcome
        said = getattr(link, "mensasdk_outcome", None)
        if said is not None:
            return OutcomeKind(said)
        if isinstance(link, BaseExceptionGroup):
            every = {outcome_of(one) for one in link.exceptions}
            return every.pop() if len(every) == 1 else OutcomeKind.UNKNOWN
        # A context may belong to another call. Only the cancellation behind a `TimeoutError` is certainly of this call.
        before = link.__context__
        ended = isinstance(link, TimeoutError) and hasattr(before, "mensasdk_outcome")
        link = link.__cause__ or (before if ended else None)
    return OutcomeKind.UNKNOWN


def _rebuild(cls: type[MensaError], args: tuple[Any, ...], state: dict[str, Any]) -> MensaError:
    error = cls.__new__(cls, *args)
    Exception.__init__(error, *args)
    error.__dict__.update(state)
    return error


class MensaError(Exception):
    """Base class of every error that mensasdk raises.

    Attributes:
        message: one sentence for a person, without secrets and without full phone numbers: the subject, the problem,
            and the remedy behind a semicolon.
        subject: the beginning of the sentence where that is a parameter by its name; None otherwise.
        problem: the problem alone, without the subject and the remedy. It names no other parameter.
        remedy: the remedy; None where the error knows none. It may name parameters.
        field: the public name of the parameter at fault, such as ``"sender"``; None where there is none.
        missing: a parameter that was left out and might help, such as ``"default_country"``; None where there is none.
        outcome: the outcome of the request.
        vendor: the vendor's short name (`VendorInfo.name`); None if no vendor is involved.
        code: the vendor's own code as text (``"-2"``), or the HTTP status, or None.
        retryable: whether the same call may succeed later.
    """

    default_outcome: OutcomeKind = OutcomeKind.NOT_SENT
    default_retryable: bool = False
    field: str | None = None
    missing: str | None = None

    def __init__(
        self,
        problem: str,
        *,
        subject: str | None = None,
        remedy: str | None = None,
        outcome: OutcomeKind | None = None,
        vendor: str | None = None,
        code: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        message = problem if subject is None else f"{subject} {problem}"
        if remedy is not None:
            message = f"{message}; {remedy}"
        super().__init__(message)
        self.message = message
        self.subject = subject
        self.problem = problem
        self.remedy = remedy
        self.outcome = self.default_outcome if outcome is None else outcome
        self.vendor = vendor
        self.code = code
        self.retryable = self.default_retryable if retryable is None else retryable

    def __reduce__(self) -> tuple[Any, ...]:
        # The __reduce__ of Exception would call the class with the message alone, and lose the keywords of subclasses.
        return (_rebuild, (type(self), self.args, self.__dict__))


class ConfigurationError(MensaError):
    """A client, sender or command was set up wrongly. Nothing was sent.

    Attributes:
        field: the public name of the parameter at fault, such as ``"base_url"``; None where there is none.
        code: a short word for the mistake, where a parameter can be wrong in several ways (``"no_column"``), or None.
    """

    def __init__(
        self,
        problem: str,
        *,
        field: str | None = None,
        subject: str | None = None,
        remedy: str | None = None,
        outcome: OutcomeKind | None = None,
        vendor: str | None = None,
        code: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(
            problem, subject=subject, remedy=remedy, outcome=outcome, vendor=vendor, code=code, retryable=retryable
        )
        self.field = field


class JournalError(MensaError):
    """A journal cannot be read or written: the disk is full or read-only, the file is locked or is not a journal.

    The call that raised this error has sent nothing. ``retryable`` says whether the same call may succeed later.
    """


class ValidationError(MensaError, ValueError):
    """A value breaks a rule that can be checked here. Nothing was sent.

    Attributes:
        field: the public name of the parameter at fault, such as ``"sender"``.
    """

    field: str

    def __init__(
        self,
        problem: str,
        *,
        field: str,
        subject: str | None = None,
        remedy: str | None = None,
        missing: str | None = None,
        vendor: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(problem, subject=subject, remedy=remedy, vendor=vendor, code=code)
        self.field = field
        self.missing = missing


class ScheduleError(ValidationError):
    """A point in time cannot be used: it is naive, in the past, or falls into a clock change."""


class TransportError(MensaError):
    """The network failed, not the vendor. ``outcome`` says whether any byte of the request may have left."""

    default_outcome = OutcomeKind.UNKNOWN
    default_retryable = True


class ConnectError(TransportError):
    """No connection could be made: unknown host, refused, unreachable."""

    default_outcome = OutcomeKind.NOT_SENT


class ConnectTimeout(ConnectError):
    """No connection could be made within ``Timeouts.connect``."""


class TLSError(ConnectError):
    """The server's certificate cannot be trusted. The call is never repeated, and a campaign stops."""

    default_retryable = False


class ProxyError(ConnectError):
    """The configured proxy refused or failed before the vendor was reached."""


class DeadlineExceeded(TransportError):
    """The total time of the call ran out: NOT_SENT if no byte had left, else UNKNOWN."""


class PoolTimeout(DeadlineExceeded):
    """The total time ran out while waiting for a free connection of the pool."""

    default_outcome = OutcomeKind.NOT_SENT


class ConnectionLost(TransportError):
    """The connection was reset or closed after bytes had left, and before the whole answer had arrived."""


class ProtocolError(TransportError):
    """The answer is not valid HTTP, is shorter than announced, or cannot be decompressed."""


class ResponseError(MensaError):
    """An answer came that the vendor does not document.

    Attributes:
        status: the HTTP status.
    """

    default_outcome = OutcomeKind.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        outcome: OutcomeKind | None = None,
        vendor: str | None = None,
        code: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message, outcome=outcome, vendor=vendor, code=code, retryable=retryable)
        self.status = status


class ResponseTooLarge(ResponseError):
    """The decoded body is larger than the limit of the client. The rest was not read."""


class UnexpectedRedirect(ResponseError):
    """The server answered with a redirect. It was not followed, as it could take credentials or messages elsewhere."""


class UnexpectedStatus(ResponseError):
    """The answer has an HTTP error status, and no body that the vendor documents."""


class RateLimited(ResponseError):
    """The vendor answered with HTTP status 429: it did nothing, and asks to wait.

    Attributes:
        retry_after: seconds to wait, as the server says; None if it gives no usable figure.
    """

    default_outcome = OutcomeKind.NOT_SENT
    default_retryable = True

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        status: int | None = 429,
        vendor: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, status=status, vendor=vendor, code=code)
        self.retry_after = retry_after


class UnexpectedResponse(ResponseError):
    """The answer is a web page or empty, in place of data."""

    default_retryable = True


class DecodeError(ResponseError):
    """The body cannot be read as the vendor's data; perhaps it was cut on the way."""

    default_retryable = True


class AmbiguousResponse(DecodeError):
    """The body says two different things at once, such as one key with two values."""

    default_retryable = False


class VendorError(MensaError):
    """The vendor understood the request and refused it. Nothing is charged."""

    default_outcome = OutcomeKind.REJECTED


class AuthError(VendorError):
    """The vendor refused the credentials. The call is never repeated: vendors block addresses that keep failing."""


class AddressBlocked(VendorError):
    """The vendor has blocked this address or suspended the account. Stop, and talk to the vendor."""


class InsufficientCredits(VendorError):
    """The account cannot pay for this request; nothing of it was sent.

    Attributes:
        needed: credits that the request would cost; None if the vendor does not say.
        available: credits in the account; None if the vendor does not say.
    """

    def __init__(
        self,
        message: str,
        *,
        needed: Decimal | None = None,
        available: Decimal | None = None,
        vendor: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, vendor=vendor, code=code)
        self.needed = needed
        self.available = available


class InvalidRequest(VendorError):
    """The vendor says that a parameter is missing or wrong."""


class NotFound(VendorError):
    """The vendor does not know this message, file or template."""


class AccessDenied(VendorError):
    """The message, file or template belongs to somebody else. Repeating the call may count as an attack."""


class StateConflict(VendorError):
    """The call came too late: the message is sent or cancelled already, or the new time has passed."""


class UploadRefused(VendorError):
    """The vendor's file library does not accept this file; the code says why."""
