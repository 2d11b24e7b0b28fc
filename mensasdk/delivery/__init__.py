"""What comes back from the vendors: callbacks."""

from mensasdk.delivery.receiver import DeliveryReceiver

__all__ = ["DeliveryReceiver"]
