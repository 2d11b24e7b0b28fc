"""The four clients side by side, each with a canary as every credential, and the sandbox that knows the same ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from attrs import frozen

from mensasdk import EnviaSmsClient, EnviaTuSmsClient, MensatekClient, SmsGateway24Client
from mensasdk.sandbox import EnviaSms, EnviaTuSms, Mensatek, Sandbox, SmsGateway24
from mensasdk.sandbox import envia_sms as envia_box
from mensasdk.sandbox import enviatusms as enviatusms_box
from mensasdk.sandbox import mensatek as mensatek_box
from mensasdk.sandbox import smsgateway24 as gateway_box

from .canary import SECRET

NUMBER = "+584240987654"  # one that all four send to, once the sandbox has been told so
TEXT = "ZZ4711ZZ is your key"


@frozen
class Party:
    """One vendor's client.

    Attributes:
        vendor: the vendor's short name.
        client: the class of the client.
        credentials: its credentials, from one secret.
        send: sends one text to one number.
    """

    vendor: str
    client: type[Any]
    credentials: Callable[[str], dict[str, str]]
    send: Callable[[Any, str, str], Awaitable[Any]]

    def __call__(self, base_url: str, *, secret: str = SECRET, **options: Any) -> Any:
        return self.client(**self.credentials(secret), base_url=base_url, **options)


def _gateway(client: SmsGateway24Client, number: str, text: str) -> Awaitable[Any]:
    return client.send_sms(number, text, device_id=260)


PARTIES = {
    "mensatek": Party(
        "mensatek",
        MensatekClient,
        lambda secret: {"api_user": f"user-{secret}", "api_token": secret},
        lambda client, number, text: client.send_sms([number], text),
    ),
    "envia_sms": Party(
        "envia_sms",
        EnviaSmsClient,
        lambda secret: {"token": secret},
        lambda client, number, text: client.send_sms(number, "02", variables={"mensaje": text}),
    ),
    "enviatusms": Party(
        "enviatusms",
        EnviaTuSmsClient,
        lambda secret: {"api_key": secret},
        lambda client, number, text: client.send_sms(number, text),
    ),
    "smsgateway24 with a token": Party("smsgateway24", SmsGateway24Client, lambda secret: {"token": secret}, _gateway),
    "smsgateway24 with a login": Party(
        "smsgateway24",
        SmsGateway24Client,
        lambda secret: {"email": f"{secret}@example.com", "password": secret},
        _gateway,
    ),
}


def sandbox(secret: str = SECRET) -> Sandbox:
    """Return a box whose accounts have the canaries, the gateway as login and as token."""
    envia = envia_box.Account(token=secret)
    envia.countries["58"] = envia_box.Country("VE", "Venezuela", "58", (Decimal(1),) * 5)
    gateway = SmsGateway24(account=gateway_box.Account(email=f"{secret}@example.com", password=secret))
    gateway._tokens.add(secret)
    return Sandbox(
        mensatek=Mensatek(account=mensatek_box.Account(api_user=f"user-{secret}", api_token=secret)),
        envia_sms=EnviaSms(account=envia),
        enviatusms=EnviaTuSms(account=enviatusms_box.Account(api_key=secret)),
        smsgateway24=gateway,
    )
