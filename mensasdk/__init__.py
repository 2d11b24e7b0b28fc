"""mensasdk: typed async clients for SMS vendors, and a batched sender that never loses track of money.

The names of this package are loaded when they are used. So `import mensasdk` alone costs nearly nothing, and a program
that sends through one vendor does not load the others.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from mensasdk._version import __version__

if _TYPE_CHECKING:
    from mensasdk.campaign import (
        Amount,
        BatchReport,
        BatchSender,
        Latency,
        Progress,
        Route,
        Router,
        RouteStatistics,
    )
    from mensasdk.campaign.report import guard_cell, unguard_cell
    from mensasdk.codes import Code
    from mensasdk.delivery import DeliveryLog, DeliveryReceiver
    from mensasdk.errors import (
        AccessDenied,
        AddressBlocked,
        AmbiguousResponse,
        AuthError,
        ConfigurationError,
        ConnectError,
        ConnectionLost,
        ConnectTimeout,
        DeadlineExceeded,
        DecodeError,
        InsufficientCredits,
        InvalidRequest,
        JournalError,
        MensaError,
        NotFound,
        OutcomeKind,
        PoolTimeout,
        ProtocolError,
        ProxyError,
        RateLimited,
        ResponseError,
        ResponseTooLarge,
        ScheduleError,
        StateConflict,
        TLSError,
        TransportError,
        UnexpectedRedirect,
        UnexpectedResponse,
        UnexpectedStatus,
        UploadRefused,
        ValidationError,
        VendorError,
        outcome_of,
    )
    from mensasdk.journal import Journal, MemoryJournal, PostgresJournal, SqliteJournal, mark
    from mensasdk.limits import Budget, CircuitBreaker, RateLimit, RateLimiter
    from mensasdk.messages import Delivery, DeliveryState, Message, Outcome, Recipient, VendorOptions
    from mensasdk.preflight import Estimate, OptOuts, Preflight, Prices, SendingHours, Spread
    from mensasdk.text import Segments, segments
    from mensasdk.transport import AiohttpTransport, HttpRequest, HttpResponse, RetryPolicy, Secret, Timeouts, Transport
    from mensasdk.vendors.envia_sms import EnviaSmsClient, EnviaSmsOptions
    from mensasdk.vendors.enviatusms import EnviaTuSmsClient, EnviaTuSmsOptions
    from mensasdk.vendors.mensatek import MensatekClient, MensatekOptions
    from mensasdk.vendors.smsgateway24 import SmsGateway24Client, SmsGateway24Options
else:
    from mensasdk._lazy import lazy as _lazy_names

    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "mensasdk.campaign": "Amount BatchReport BatchSender Latency Progress Route Router RouteStatistics",
            "mensasdk.campaign.report": "guard_cell unguard_cell",
            "mensasdk.codes": "Code",
            "mensasdk.delivery": "DeliveryLog DeliveryReceiver",
            "mensasdk.errors": (
                "AccessDenied AddressBlocked AmbiguousResponse AuthError ConfigurationError ConnectError "
                "ConnectionLost ConnectTimeout DeadlineExceeded DecodeError InsufficientCredits InvalidRequest "
                "JournalError MensaError NotFound OutcomeKind PoolTimeout ProtocolError ProxyError RateLimited "
                "ResponseError ResponseTooLarge ScheduleError StateConflict TLSError TransportError UnexpectedRedirect "
                "UnexpectedResponse UnexpectedStatus UploadRefused ValidationError VendorError outcome_of"
            ),
            "mensasdk.journal": "Journal MemoryJournal PostgresJournal SqliteJournal mark",
            "mensasdk.limits": "Budget CircuitBreaker RateLimit RateLimiter",
            "mensasdk.messages": "Delivery DeliveryState Message Outcome Recipient VendorOptions",
            "mensasdk.preflight": "Estimate OptOuts Preflight Prices SendingHours Spread",
            "mensasdk.text": "Segments segments",
            "mensasdk.transport": "AiohttpTransport HttpRequest HttpResponse RetryPolicy Secret Timeouts Transport",
            "mensasdk.vendors.envia_sms": "EnviaSmsClient EnviaSmsOptions",
            "mensasdk.vendors.enviatusms": "EnviaTuSmsClient EnviaTuSmsOptions",
            "mensasdk.vendors.mensatek": "MensatekClient MensatekOptions",
            "mensasdk.vendors.smsgateway24": "SmsGateway24Client SmsGateway24Options",
        },
    )

__all__ = [
    "AccessDenied",
    "AddressBlocked",
    "AiohttpTransport",
    "AmbiguousResponse",
    "Amount",
    "AuthError",
    "BatchReport",
    "BatchSender",
    "Budget",
    "CircuitBreaker",
    "Code",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionLost",
    "DeadlineExceeded",
    "DecodeError",
    "Delivery",
    "DeliveryLog",
    "DeliveryReceiver",
    "DeliveryState",
    "EnviaSmsClient",
    "EnviaSmsOptions",
    "EnviaTuSmsClient",
    "EnviaTuSmsOptions",
    "Estimate",
    "HttpRequest",
    "HttpResponse",
    "InsufficientCredits",
    "InvalidRequest",
    "Journal",
    "JournalError",
    "Latency",
    "MemoryJournal",
    "MensaError",
    "MensatekClient",
    "MensatekOptions",
    "Message",
    "NotFound",
    "OptOuts",
    "Outcome",
    "OutcomeKind",
    "PoolTimeout",
    "PostgresJournal",
    "Preflight",
    "Prices",
    "Progress",
    "ProtocolError",
    "ProxyError",
    "RateLimit",
    "RateLimited",
    "RateLimiter",
    "Recipient",
    "ResponseError",
    "ResponseTooLarge",
    "RetryPolicy",
    "Route",
    "RouteStatistics",
    "Router",
    "ScheduleError",
    "Secret",
    "Segments",
    "SendingHours",
    "SmsGateway24Client",
    "SmsGateway24Options",
    "Spread",
    "SqliteJournal",
    "StateConflict",
    "TLSError",
    "Timeouts",
    "Transport",
    "TransportError",
    "UnexpectedRedirect",
    "UnexpectedResponse",
    "UnexpectedStatus",
    "UploadRefused",
    "ValidationError",
    "VendorError",
    "VendorOptions",
    "__version__",
    "guard_cell",
    "mark",
    "outcome_of",
    "segments",
    "unguard_cell",
]
