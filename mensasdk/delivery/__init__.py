"""What comes back from the vendors: callbacks, and what they say about which message."""

from mensasdk.delivery.log import DeliveryLog, delivered
from mensasdk.delivery.receiver import DeliveryReceiver

__all__ = ["DeliveryLog", "DeliveryReceiver", "delivered"]
