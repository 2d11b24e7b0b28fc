"""The calls that the matrix is tried with: of each vendor what reads, what sends, and what changes something else."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from attrs import frozen

from mensasdk import EnviaSmsClient, EnviaTuSmsClient, MensatekClient, SmsGateway24Client
from mensasdk.sandbox import Sandbox
from mensasdk.vendors.base import VendorClient
from mensasdk.vendors.smsgateway24 import BulkSms

__all__ = ["CALLS", "VENDORS", "FaultCall", "Kind", "connect", "secrets_of"]

Kind = Literal["read", "send", "change"]

VENDORS: Mapping[str, Callable[..., VendorClient]] = {
    "mensatek": MensatekClient,
    "envia_sms": EnviaSmsClient,
    "enviatusms": EnviaTuSmsClient,
    "smsgateway24": SmsGateway24Client,
}
# For servers that look at nothing. What they must not see in an error is the same everywhere.
_MADE_UP: Mapping[str, Mapping[str, Any]] = {
    "mensatek": {"api_user": "user.canary", "api_token": "token-canary"},
    "envia_sms": {"token": "token-canary"},
    "enviatusms": {"api_key": "token-canary"},
    "smsgateway24": {"token": "token-canary", "email": "canary@example.com", "password": "password-canary"},
}


@frozen
class FaultCall:
    """One call of one vendor.

    Attributes:
        vendor: the vendor's short name.
        kind: ``"read"`` may be repeated at will; ``"send"`` makes the vendor send SMS; ``"change"`` changes something
            else, or costs something, and is repeated as little as a send.
        function: the vendor's own name of it.
        make: the call, on a client, with what ``before`` gave.
        before: makes what the call needs; done before the fault is set up. None where it needs nothing.
        number: the recipient of a send, another one for each call, as the sandbox's ledger has it.
    """

    vendor: str
    kind: Kind
    function: str
    make: Callable[[Any, Any], Awaitable[object]]
    before: Callable[[Any], Awaitable[object]] | None = None
    number: str = ""

    @property
    def name(self) -> str:
        return f"{self.vendor} {self.function}"


def connect(vendor: str, *, box: Sandbox | None = None, **options: Any) -> Any:
    """Return a client: of the sandbox if one is given, else with made-up credentials."""
    if box is not None:
        options = {"base_url": box.base_url(vendor), **options}
        options |= box.credentials(vendor)
        if vendor == "smsgateway24":  # a login would be one more request
            options["token"] = box.smsgateway24.token
    else:
        options |= _MADE_UP[vendor]
    if vendor == "smsgateway24":
        options["device_id"] = 260
    return VENDORS[vendor](**options)


def secrets_of(vendor: str) -> tuple[str, ...]:
    """Return the made-up credentials in every form that they take on the wire."""
    texts = [str(text) for text in _MADE_UP[vendor].values()]
    pair = base64.b64encode(":".join(texts[:2]).encode()).decode() if vendor == "mensatek" else ""
    return tuple(text for text in (*texts, pair) if text)


def _tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


async def _scheduled_at_mensatek(client: MensatekClient) -> object:
    return (await client.send_sms(["34600000099"], "Hola", schedule_at=_tomorrow())).message_id


async def _scheduled_at_envia(client: EnviaSmsClient) -> object:
    sent = await client.send_sms("525589520099", "02", variables={"mensaje": "Hola"}, schedule_at=_tomorrow())
    return sent.message_ids[0]


CALLS: Sequence[FaultCall] = (
    FaultCall("mensatek", "read", "GetCreditos", lambda client, _: client.get_credits()),
    FaultCall(
        "mensatek",
        "send",
        "EnviarSMS",
        lambda client, _: client.send_sms(["34600000001"], "Hola"),
        number="34600000001",
    ),
    FaultCall(
        "mensatek",
        "change",
        "CancelarSMS",
        lambda client, given: client.cancel_sms(given or "4711"),
        _scheduled_at_mensatek,
    ),
    FaultCall("mensatek", "change", "CargarFichero", lambda client, _: client.upload_file(b"%PDF-", name="plan.pdf")),
    FaultCall("envia_sms", "read", "creditos_disponibles", lambda client, _: client.get_credits()),
    FaultCall(
        "envia_sms",
        "send",
        "send",
        lambda client, _: client.send_sms("525589520001", "02", variables={"mensaje": "Hola"}),
        number="525589520001",
    ),
    FaultCall(
        "envia_sms",
        "change",
        "send_cancel",
        lambda client, given: client.cancel_scheduled(given or "629a0c7b8a1f2"),
        _scheduled_at_envia,
    ),
    FaultCall("envia_sms", "change", "paises", lambda client, _: client.list_countries()),
    FaultCall("enviatusms", "read", "balance", lambda client, _: client.get_balance()),
    FaultCall("enviatusms", "read", "sms-costo", lambda client, _: client.quote("584241234567", "Hola")),
    FaultCall(
        "enviatusms",
        "send",
        "sms-multi",
        lambda client, _: client.send_sms("584241234501", "Hola"),
        number="584241234501",
    ),
    FaultCall("enviatusms", "change", "acortar-url", lambda client, _: client.shorten_url("https://example.com/a")),
    FaultCall("smsgateway24", "read", "getalldevices", lambda client, _: client.list_devices()),
    FaultCall("smsgateway24", "read", "gettoken", lambda client, _: client.get_token()),
    FaultCall(
        "smsgateway24",
        "send",
        "addsms",
        lambda client, _: client.send_sms("+393331000001", "Ciao"),
        number="393331000001",
    ),
    FaultCall(
        "smsgateway24",
        "send",
        "addalotofsms",
        lambda client, _: client.send_many([BulkSms("+393331000002", "Ciao")]),
        number="393331000002",
    ),
    FaultCall("smsgateway24", "change", "savetag", lambda client, _: client.create_tag("friends")),
)
