"""The customer's account: its login, its phones and what else it owns."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from attrs import define, field, frozen

__all__ = ["Account", "Contact", "Device", "Newsletter", "SenderId", "Sim"]


@frozen
class Sim:
    """One SIM card in a phone.

    Attributes:
        slot: 0 or 1.
        number: as the phone reports it; real ones may begin with a blank.
    """

    slot: int
    number: str
    icc_id: str
    country: str = "es"
    carrier: str = "Movistar"
    roaming: bool = False


@define(kw_only=True, eq=False)
class Device:
    """A phone with the app. Whether it is online is changed with `SmsGateway24.set_online`.

    Attributes:
        id: what ``device_id`` names.
        delay_between_sms, delay_between_requests: seconds; told to clients, not waited for.
        created: when it was registered (aware).
        offline_since: on the monotonic clock; None while it is online.
        last_seen: when it went offline (aware).
    """

    id: int
    title: str
    sims: tuple[Sim, ...] = ()
    number: str | None = None
    imei: str | None = None
    serial_number: str = "unknown"
    app_version: str = "12.1.21"
    app_is_current: bool = True
    delay_between_sms: int | None = None
    delay_between_requests: int = 10
    subscription: bool = True
    created: datetime = field(factory=lambda: datetime(2020, 3, 28, 20, 10, 29, tzinfo=UTC))
    offline_since: float | None = None
    last_seen: datetime | None = None

    @property
    def online(self) -> bool:
        return self.offline_since is None

    def own_number(self, sim: int) -> str:
        """Digits of the number that a message from this slot comes from; WhatsApp and RCS use the first SIM's."""
        for card in self.sims:
            if card.slot == sim:
                return re.sub(r"\D", "", card.number)
        return re.sub(r"\D", "", self.sims[0].number if self.sims else self.number or "")


@frozen
class SenderId:
    """A name to send under; the phone behind it does the sending."""

    id: int
    name: str
    device_id: int


@frozen
class Contact:
    """An entry of the address book."""

    phone: str
    tag_id: int
    name: str


@frozen
class Newsletter:
    """What savepaket made; a person starts it on the phone (`SmsGateway24.start_newsletter`)."""

    id: int
    title: str
    body: str
    device: Device
    sim: int
    tags: tuple[int, ...]
    scheduled_at: datetime | None


def _default_devices() -> dict[int, Device]:
    first = Device(
        id=260,
        title="Pixel 8",
        sims=(
            Sim(0, "+34600000260", "8934071100276980001"),
            Sim(1, " 34600001260", "8934071100276980019", carrier="Orange", roaming=True),
        ),
        imei="358240051111110",
        serial_number="EMULATOR30X0X5X0",
    )
    second = Device(
        id=261,
        title="Galaxy A54",
        sims=(Sim(0, "+34600000261", "8934071100276980027", carrier="Vodafone"),),
        app_is_current=False,
        delay_between_sms=5,
        subscription=False,
    )
    return {device.id: device for device in (first, second)}


@define(kw_only=True)
class Account:
    """An smsgateway24 account. A test may change any attribute while the box runs.

    Attributes:
        email, password: the login; random.
        devices: the phones by id; 260 has two SIM cards, 261 has one.
        sender_ids: by id; 2 is ``MENSASDK``, through phone 260.
        templates: text by id, for addsmstosenderid; variables stand in braces.
        tags: title by id.
        contacts: by id.
        newsletters: by id.
    """

    email: str = field(factory=lambda: f"user{secrets.token_hex(4)}@example.com")
    password: str = field(factory=lambda: secrets.token_hex(16), repr=False)
    devices: dict[int, Device] = field(factory=_default_devices)
    sender_ids: dict[int, SenderId] = field(factory=lambda: {2: SenderId(2, "MENSASDK", 260)})
    templates: dict[int, str] = field(factory=lambda: {9: "Hello {var_1}, your order {order} is ready."})
    tags: dict[int, str] = field(factory=dict)
    contacts: dict[int, Contact] = field(factory=dict)
    newsletters: dict[int, Newsletter] = field(factory=dict)

    def device(self, name: str) -> tuple[Device, str] | None:
        """The phone that an id or a Sender ID's name stands for, and the name that the handset would show."""
        if re.fullmatch(r"[0-9]{1,18}", name):
            device = self.devices.get(int(name))
            return None if device is None else (device, "")
        for sender in self.sender_ids.values():
            if sender.name == name and sender.device_id in self.devices:
                return self.devices[sender.device_id], sender.name
        return None
