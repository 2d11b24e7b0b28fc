"""smsgateway24.com (SmsGateWay24), API v1.0."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mensasdk.vendors.smsgateway24.callbacks import DeliveryReport, ReceivedMessage, parse_callback
    from mensasdk.vendors.smsgateway24.client import SmsGateway24Client
    from mensasdk.vendors.smsgateway24.codes import SimSlot, StatusCode
    from mensasdk.vendors.smsgateway24.models import (
        BulkResult,
        BulkSms,
        ContactResult,
        Device,
        DeviceList,
        DeviceStatus,
        MessageStatus,
        NewsletterResult,
        SendResult,
        SimInfo,
        SmsCount,
        SmsGateway24Options,
        SmsList,
        SmsRecord,
        TagResult,
        Token,
    )
    from mensasdk.vendors.smsgateway24.reconcile import derived_customer_id
    from mensasdk.vendors.smsgateway24.requests import (
        AddALotOfSms,
        AddSms,
        CountSms,
        GetAllDevices,
        GetAllSms,
        GetDeviceStatus,
        GetSmsStatus,
        GetToken,
        SaveContact,
        SavePaket,
        SaveTag,
        SmsItem,
        SmsToSend,
    )
else:
    from mensasdk._lazy import lazy

    __getattr__, __dir__ = lazy(
        __name__,
        {
            "mensasdk.vendors.smsgateway24.callbacks": "DeliveryReport ReceivedMessage parse_callback",
            "mensasdk.vendors.smsgateway24.client": "SmsGateway24Client",
            "mensasdk.vendors.smsgateway24.codes": "SimSlot StatusCode",
            "mensasdk.vendors.smsgateway24.models": (
                "BulkResult BulkSms ContactResult Device DeviceList DeviceStatus MessageStatus NewsletterResult "
                "SendResult SimInfo SmsCount SmsGateway24Options SmsList SmsRecord TagResult Token"
            ),
            "mensasdk.vendors.smsgateway24.reconcile": "derived_customer_id",
            "mensasdk.vendors.smsgateway24.requests": (
                "AddALotOfSms AddSms CountSms GetAllDevices GetAllSms GetDeviceStatus GetSmsStatus GetToken "
                "SaveContact SavePaket SaveTag SmsItem SmsToSend"
            ),
        },
    )

__all__ = [
    "AddALotOfSms",
    "AddSms",
    "BulkResult",
    "BulkSms",
    "ContactResult",
    "CountSms",
    "DeliveryReport",
    "Device",
    "DeviceList",
    "DeviceStatus",
    "GetAllDevices",
    "GetAllSms",
    "GetDeviceStatus",
    "GetSmsStatus",
    "GetToken",
    "MessageStatus",
    "NewsletterResult",
    "ReceivedMessage",
    "SaveContact",
    "SavePaket",
    "SaveTag",
    "SendResult",
    "SimInfo",
    "SimSlot",
    "SmsCount",
    "SmsGateway24Client",
    "SmsGateway24Options",
    "SmsItem",
    "SmsList",
    "SmsRecord",
    "SmsToSend",
    "StatusCode",
    "TagResult",
    "Token",
    "derived_customer_id",
    "parse_callback",
]
