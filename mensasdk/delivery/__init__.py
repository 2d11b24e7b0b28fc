"""Receive callbacks from vendors, keep delivery reports, and match them with messages."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from mensasdk.delivery.aiohttp_app import DeliveryReceiver
    from mensasdk.delivery.log import DeliveryLog, delivered
else:
    from mensasdk._lazy import lazy as _lazy_names

    # Loaded when used: keeping delivery reports needs no web server.
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "mensasdk.delivery.aiohttp_app": "DeliveryReceiver",
            "mensasdk.delivery.log": "DeliveryLog delivered",
        },
    )

__all__ = ["DeliveryLog", "DeliveryReceiver", "delivered"]
