"""Customer's account at the emulated smsgateway24: login, phones, Sender IDs, templates, contacts and newsletters."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from attrs import define, field, frozen

__all__ = ["Account", "Contact", "Device", "Newsletter", "SenderId", "Sim"]


@frozen
class Sim:
    """SIM card in a phone.

    Attributes:
        slot: 0 or 1.
        number: the card's number as the phone reports it; some phones report a blank before it.
    """

    slot: int
    number: str
    icc_id: str
    country: str = "es"
    carrier: str = "Movistar"
    roaming: bool = False


@define(kw_only=True, eq=False)
class Device:
    """Phone with the vendor's app. `SmsGateway24.set_online` takes it offline and back.

    Attributes:
        id: the phone's ``device_id``.
        delay_between_sms, delay_between_requests: seconds that are reported to clients; the sandbox does not wait.
        created: time of registration (aware).
        offline_since: time at which the phone went offline, on the monotonic clock; None while it is online.
        last_seen: time at which the phone went offline (aware); None while it is online.
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
        """Tell whether the phone is online."""
        return self.offline_since is None

    def own_number(self, sim: int) -> str:
        """Return the number (digits) that a channel sends from; WhatsApp and RCS use the number of the first SIM."""
        for card in self.sims:
            if card.slot == sim:
                return re.sub(r"\D", "", card.number)
        return re.sub(r"\D", "", self.sims[0].number if self.sims else self.number or "")


@frozen
class SenderId:
    """Sender ID: a name that is shown as the sender of messages from one phone."""

    id: int
    name: str
    device_id: int


@frozen
class Contact:
    """Contact in the address book, under one tag."""

    phone: str
    tag_id: int
    name: str


@frozen
class Newsletter:
    """Newsletter made by savepaket; a person starts it on the phone (`SmsGateway24.start_newsletter`)."""

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
    """Account at smsgateway24. A test may change any attribute while the sandbox runs.

    Attributes:
        email, password: the login; random by default.
        devices: the phones by id; by default 260 with two SIM cards, and 261 with one.
        sender_ids: the Sender IDs by id; by default 2 is ``MENSASDK``, sent by phone 260.
        templates: the texts of templates by id, for addsmstosenderid, with variables in braces.
        tags: the titles of tags by id.
        contacts: the contacts by id.
        newsletters: the newsletters by id.
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
        """Return the phone for its id or for the name of a Sender ID; None if there is none.

        The second value is the sender that the handset would show: the name, or an empty string for the phone's number.
        """
        if re.fullmatch(r"[0-9]{1,18}", name):
            device = self.devices.get(int(name))
            return None if device is None else (device, "")
        for sender in self.sender_ids.values():
            if sender.name == name and sender.device_id in self.devices:
                return self.devices[sender.device_id], sender.name
        return None
