"""Our own codes: short words that say why a message has its outcome. Codes of vendors are kept as they are."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Code"]


class Code(StrEnum):
    """Our own code of an outcome or refusal. It is equal to its word: ``outcome.code == Code.DUPLICATE``.

    The codes of vendors (``"-2"``, ``"129"``) and HTTP statuses are not members. If a value breaks a rule that is
    checked here, the code names the parameter: ``"invalid_to"`` and so on, for each parameter of a message.
    """

    # Shown as the plain word, as codes of outcomes that come from a journal are.
    __repr__ = str.__repr__

    # ---------------------------------------------------------------------------- the message was not to be sent
    INVALID = "invalid"
    """A value breaks a rule."""
    INVALID_OPTIONS = "invalid_options"
    """The options break a rule of the vendor, or are those of another vendor."""
    INVALID_SCHEDULE_AT = "invalid_schedule_at"
    """The vendor cannot send the message at that time."""
    INVALID_SENDER = "invalid_sender"
    """The vendor does not accept this sender."""
    INVALID_TEMPLATE = "invalid_template"
    """The vendor does not send templates, or sends from templates only."""
    INVALID_TEXT = "invalid_text"
    """The vendor does not accept this text."""
    INVALID_TO = "invalid_to"
    """The number is not a phone number that can be reached."""
    INVALID_VARIABLES = "invalid_variables"
    """A placeholder has no variable, or the vendor does not accept a variable."""
    CHANGED = "changed"
    """The campaign has another message to this number, from an earlier reading of its list."""
    CLOSED = "closed"
    """It is outside the sending hours."""
    DUPLICATE = "duplicate"
    """The campaign has the same message to the same number already."""
    EXPIRED = "expired"
    """The ``not_after`` of the message has passed, or would pass before it is sent."""
    NO_PRICE = "no_price"
    """No price is known for the country of the number."""
    OPTED_OUT = "opted_out"
    """The recipient has opted out."""
    OPT_OUT_FAILED = "opt_out_failed"
    """It could not be found out whether the recipient has opted out."""
    ZONE = "zone"
    """The time zone of the number is not known."""

    # ------------------------------------------------------------------- a row of a list that made no message
    BAD_TEXT = "bad_text"
    """The text of the row has a brace that does not belong to a placeholder."""
    COLUMNS = "columns"
    """The row has too few or too many columns."""
    MISSING_NUMBER = "missing_number"
    """The row has no number."""
    MISSING_TEXT = "missing_text"
    """The row has no text."""
    MISSING_VARIABLE = "missing_variable"
    """The row has no value for a placeholder of the text."""

    # --------------------------------------------------------------- the campaign or the process ended, or was stopped
    ABANDONED = "abandoned"
    """The request was under way and was given up, because the campaign was stopped."""
    BUDGET = "budget"
    """The budget does not allow it."""
    CANCELLED = "cancelled"
    """The call was cancelled before the message was sent, or while its request was under way."""
    CRASHED = "crashed"
    """The process ended while the request was under way."""
    INTERNAL = "internal"
    """A defect of mensasdk or of a library."""
    INTERRUPTED = "interrupted"
    """The command was interrupted before this message."""
    JOURNAL = "journal"
    """The journal could not be written, so the message was not sent."""
    LEASE = "lease"
    """Another process has taken over the campaign."""
    STOPPED = "stopped"
    """The campaign ended before this message."""

    # ------------------------------------------------------------------------- an answer is not complete
    DROPPED = "dropped"
    """The vendor accepted the request, but left this message out."""
    IGNORED = "ignored"
    """The vendor answered that it ignored the number."""
    NO_ID = "no_id"
    """The answer accepts the message, but has no id for it."""
    PARTIAL = "partial"
    """The vendor accepted only some messages of a request, and does not tell which."""

    # ---------------------------------------------------------- how the outcome of an unknown message was found out
    CALLBACK = "callback"
    """A delivery report came for the message."""
    CAMPAIGN = "campaign"
    """The vendor's campaign lists the message."""
    CUSTOMER_ID = "customer_id"
    """The vendor lists the message under our customer id."""
    PERSON = "person"
    """A person decided the outcome."""
    REPEATED = "repeated"
    """The message was sent again, and the vendor makes sure that this is no second SMS."""
    REPORT = "report"
    """The vendor's report lists the message."""
    STATUS = "status"
    """The vendor knows the id that it gave to the message."""

    # ------------------------------------------------ names of errors, where the vendor gave no code of its own
    ACCESS_DENIED = "access_denied"
    ADDRESS_BLOCKED = "address_blocked"
    AMBIGUOUS_RESPONSE = "ambiguous_response"
    AUTH_ERROR = "auth_error"
    CONFIGURATION_ERROR = "configuration_error"
    CONNECT_ERROR = "connect_error"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECTION_LOST = "connection_lost"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    DECODE_ERROR = "decode_error"
    INSUFFICIENT_CREDITS = "insufficient_credits"
    INVALID_REQUEST = "invalid_request"
    JOURNAL_ERROR = "journal_error"
    MENSA_ERROR = "mensa_error"
    NOT_FOUND = "not_found"
    POOL_TIMEOUT = "pool_timeout"
    PROTOCOL_ERROR = "protocol_error"
    PROXY_ERROR = "proxy_error"
    RATE_LIMITED = "rate_limited"
    RESPONSE_ERROR = "response_error"
    RESPONSE_TOO_LARGE = "response_too_large"
    STATE_CONFLICT = "state_conflict"
    TLS_ERROR = "tlserror"
    TRANSPORT_ERROR = "transport_error"
    UNEXPECTED_REDIRECT = "unexpected_redirect"
    UNEXPECTED_RESPONSE = "unexpected_response"
    UNEXPECTED_STATUS = "unexpected_status"
    UPLOAD_REFUSED = "upload_refused"
    VENDOR_ERROR = "vendor_error"
