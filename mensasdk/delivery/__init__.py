"""What comes back from the vendors: callbacks, and what they say about which message."""

from mensasdk.delivery.aiohttp_app import DeliveryReceiver
from mensasdk.delivery.log import DeliveryLog, delivered

__all__ = ["DeliveryLog", "DeliveryReceiver", "delivered"]
