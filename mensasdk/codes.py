"""Our own words for why a message has the outcome that it has; a vendor's codes stand beside them as they are."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Code"]


class Code(StrEnum):
    """The codes of outcomes and refusals that are ours, and equal to the words: ``outcome.code == Code.DUPLICATE``.

    A code of the vendor's (``"-2"``, ``"129"``), or an HTTP status, is none of these. Where a value breaks a rule that
    is checked here, the word names it: ``"invalid_to"`` and so on, for each parameter of a message.
    """

    # As the word: outcomes that come from a journal have it as plain text, and are to be shown alike.
    __repr__ = str.__repr__

    # ---------------------------------------------------------------------------- the message was not to be sent
    INVALID = "invalid"
    """A value breaks a rule."""
    INVALID_OPTIONS = "invalid_options"
    """The vendor's own options break a rule, or are another vendor's."""
    INVALID_SCHEDULE_AT = "invalid_schedule_at"
    """The vendor cannot send it at that time."""
    INVALID_SENDER = "invalid_sender"
    """The vendor does not take such a sender."""
    INVALID_TEMPLATE = "invalid_template"
    """The vendor sends no templates, or from templates only."""
    INVALID_TEXT = "invalid_text"
    """The vendor does not take such a text."""
    INVALID_TO = "invalid_to"
    """Not a phone number that can be reached."""
    INVALID_VARIABLES = "invalid_variables"
    """A placeholder has no variable, or the vendor does not take such a one."""
    CLOSED = "closed"
    """Outside the sending hours."""
    DUPLICATE = "duplicate"
    """The campaign holds the same message to the same number already."""
    EXPIRED = "expired"
    """Its ``not_after`` has passed, or would have."""
    NO_PRICE = "no_price"
    """There is no price for its country."""
    OPTED_OUT = "opted_out"
    """Its recipient has opted out."""
    OPT_OUT_FAILED = "opt_out_failed"
    """Whether its recipient has opted out could not be found out."""
    ZONE = "zone"
    """The time zone of its number is not known."""

    # ------------------------------------------------------------------- a row of a list that made no message
    BAD_TEXT = "bad_text"
    """The text of the row has a brace that is no placeholder."""
    COLUMNS = "columns"
    """The row has too few or too many columns."""
    MISSING_NUMBER = "missing_number"
    """The row has no number."""
    MISSING_TEXT = "missing_text"
    """The row has no text."""
    MISSING_VARIABLE = "missing_variable"
    """The row has no value for a placeholder of the text."""

    # ------------------------------------------------------------------------- what became of the campaign, or us
    ABANDONED = "abandoned"
    """Given up while its request was under way, because the campaign was stopped."""
    BUDGET = "budget"
    """The budget does not allow it."""
    CANCELLED = "cancelled"
    """Cancelled before it was sent, or while its request was under way."""
    CRASHED = "crashed"
    """The process ended while its request was under way."""
    INTERNAL = "internal"
    """A defect, ours or a library's."""
    INTERRUPTED = "interrupted"
    """The command was interrupted before this message."""
    JOURNAL = "journal"
    """The journal could not be written, so that it was not sent."""
    LEASE = "lease"
    """Another one had taken the campaign over."""
    STOPPED = "stopped"
    """The campaign ended before this message."""

    # ------------------------------------------------------------------------- an answer does not tell all
    DROPPED = "dropped"
    """The vendor left it out of a request that it took."""
    IGNORED = "ignored"
    """The vendor said that it ignored the number."""
    NO_ID = "no_id"
    """The answer accepts a message and has no id for it."""
    PARTIAL = "partial"
    """The vendor took some of a request, and does not tell which."""

    # ------------------------------------------------------------- by what means an unknown message was settled
    CALLBACK = "callback"
    """A delivery report came for it."""
    CAMPAIGN = "campaign"
    """The vendor's campaign lists it."""
    CUSTOMER_ID = "customer_id"
    """The vendor lists it under our customer id."""
    PERSON = "person"
    """A person decided."""
    REPEATED = "repeated"
    """Sent again, where the vendor keeps that from being a second SMS."""
    REPORT = "report"
    """The vendor's report lists it."""
    STATUS = "status"
    """The vendor knows the id that it had given."""

    # ------------------------------------------------ errors that have no code of the vendor's, by their names
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
