"""The vendors that the command knows: their credentials, their clients, and which options each of them has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

from attrs import field, frozen

from mensasdk.errors import ConfigurationError
from mensasdk.messages import VendorOptions
from mensasdk.transport import Hook
from mensasdk.vendors.batching import BatchClient

__all__ = ["VENDORS", "Settings", "SmsClient", "VendorEntry", "Wishes", "check_wishes"]


class SmsClient(BatchClient, Protocol):
    """What the command needs of a vendor's client."""

    base_url: str

    async def aclose(self) -> None: ...


@frozen
class Settings:
    """How to reach a vendor.

    Attributes:
        secrets: the client's constructor arguments.
        base_url: another address than the vendor's own, or None.
    """

    secrets: Mapping[str, str] = field(repr=False)
    base_url: str | None = None


@frozen
class Wishes:
    """What the options of the command ask for that not every vendor has. False and None ask for nothing."""

    sender: str | None = None
    schedule: bool = False
    report: bool = False
    unicode: bool = False
    allow_duplicates: bool = False
    template: str | None = None
    text_variable: str | None = None
    device_id: str | None = None
    sim: int | None = None
    group_sends: bool = False

    @property
    def options(self) -> Sequence[str]:
        """The names of the options that were given."""
        given = {name: getattr(self, name) for name in _OPTIONS}
        return [name for name, value in given.items() if value is not None and value is not False]


class _Connect(Protocol):
    def __call__(
        self,
        settings: Settings,
        *,
        default_country: str | None = None,
        hooks: Sequence[Hook] = (),
        wishes: Wishes = ...,
    ) -> SmsClient: ...


@frozen
class VendorEntry:
    """One vendor of the command.

    Attributes:
        fields: the credentials, by the names of the client's constructor arguments.
        connect: makes the client.
        options: gives a message's vendor options, or None where none are needed.
        refuses: the options that the vendor does not have, each with what to do about it.
        instead: other credentials that do as well as ``fields``.
        home: country of national numbers where none is given.
        credits: asks the client for what is left in the account; None where there is nothing to ask for.
        unit: what the vendor counts in.
    """

    fields: Sequence[str]
    connect: _Connect
    options: Callable[[Wishes], VendorOptions | None]
    refuses: Mapping[str, str]
    instead: Sequence[str] = ()
    home: str | None = None
    credits: Callable[[Any], Awaitable[Decimal]] | None = None
    unit: str = "credits"


# ------------------------------------------------------------------------------------------------------- options

_OPTIONS: Final[Mapping[str, str]] = {
    "sender": "--sender",
    "schedule": "--schedule",
    "report": "--report",
    "unicode": "--unicode",
    "allow_duplicates": "--allow-duplicates",
    "template": "--template",
    "text_variable": "--text-variable",
    "device_id": "--device-id",
    "sim": "--sim",
    "group_sends": "--group-sends",
}
_TEMPLATES: Final = dict.fromkeys(
    ("template", "text_variable"), "it sends texts; give --text, or a column named text, in its place"
)
_GROUPS: Final = {"group_sends": "only Mensatek has groups in which it takes no number twice; leave it out"}
_PHONES: Final = dict.fromkeys(("device_id", "sim"), "only smsgateway24 has phones; leave it out")


def check_wishes(vendors: Sequence[str], wishes: Wishes, *, has_text: bool) -> None:
    """Refuse what the vendors cannot do, before anything is sent.

    Args:
        vendors: those of the campaign. With several of them, an option holds for those that have it; a schedule
            has to hold for all.
        wishes: the options.
        has_text: ``--text`` was given.

    Raises:
        ConfigurationError: an option that would have no effect, or a missing one; says what to do.
    """
    for name in wishes.options:
        without = [vendor for vendor in vendors if name in VENDORS[vendor].refuses]
        if len(without) == len(vendors) or (without and name == "schedule"):
            vendor = without[0]
            raise ConfigurationError(f"{vendor} has no {_OPTIONS[name]}: {VENDORS[vendor].refuses[name]}")
    if "envia_sms" in vendors:
        _check_template(wishes, has_text=has_text, alone=len(vendors) == 1)
    if "smsgateway24" in vendors and wishes.device_id is None:
        raise ConfigurationError(
            "smsgateway24 needs --device-id, the id of one of your phones (or the name of a Sender ID); the vendor's "
            "panel shows it"
        )


def _check_template(wishes: Wishes, *, has_text: bool, alone: bool) -> None:
    if wishes.template is None:
        raise ConfigurationError(
            "envia_sms sends from templates only: give --template ID, whose variables are the columns of the file, or "
            "--template ID --text-variable NAME for a template of one variable, which takes the text"
        )
    if wishes.text_variable is None and (has_text or not alone):
        what = "--text" if has_text else "--route to other vendors, which send texts,"
        raise ConfigurationError(
            f"{what} needs --text-variable NAME beside --template: the variable of the template that takes the text"
        )


# ------------------------------------------------------------------------------------------------------- clients


_NO_WISHES: Final = Wishes()


def _made(
    client: Any, settings: Settings, default_country: str | None, hooks: Sequence[Hook], **more: object
) -> SmsClient:
    address = {} if settings.base_url is None else {"base_url": settings.base_url}
    made: SmsClient = client(**settings.secrets, default_country=default_country, hooks=hooks, **address, **more)
    return made


def _mensatek(
    settings: Settings,
    *,
    default_country: str | None = None,
    hooks: Sequence[Hook] = (),
    wishes: Wishes = _NO_WISHES,
) -> SmsClient:
    from mensasdk.vendors.mensatek import MensatekClient

    return _made(MensatekClient, settings, default_country, hooks, group_sends=wishes.group_sends)


def _mensatek_options(wishes: Wishes) -> VendorOptions | None:
    from mensasdk.vendors.mensatek import MensatekOptions

    if not (wishes.report or wishes.unicode):
        return None
    return MensatekOptions(report=wishes.report, unicode=wishes.unicode)


def _envia_sms(
    settings: Settings,
    *,
    default_country: str | None = None,
    hooks: Sequence[Hook] = (),
    wishes: Wishes = _NO_WISHES,
) -> SmsClient:
    from mensasdk.vendors.envia_sms import EnviaSmsClient

    return _made(EnviaSmsClient, settings, default_country, hooks)


def _envia_sms_options(wishes: Wishes) -> VendorOptions | None:
    from mensasdk.vendors.envia_sms import EnviaSmsOptions

    return EnviaSmsOptions(
        wishes.template,
        wishes.text_variable,
        ucs2=True if wishes.unicode else None,
        allow_duplicate=wishes.allow_duplicates,
    )


def _smsgateway24(
    settings: Settings,
    *,
    default_country: str | None = None,
    hooks: Sequence[Hook] = (),
    wishes: Wishes = _NO_WISHES,
) -> SmsClient:
    from mensasdk.vendors.smsgateway24 import SmsGateway24Client

    return _made(SmsGateway24Client, settings, default_country, hooks)


def _smsgateway24_options(wishes: Wishes) -> VendorOptions | None:
    from mensasdk.vendors.smsgateway24 import SmsGateway24Options

    return SmsGateway24Options(device_id=wishes.device_id, sim=wishes.sim)


def _enviatusms(
    settings: Settings,
    *,
    default_country: str | None = None,
    hooks: Sequence[Hook] = (),
    wishes: Wishes = _NO_WISHES,
) -> SmsClient:
    from mensasdk.vendors.enviatusms import EnviaTuSmsClient

    return _made(EnviaTuSmsClient, settings, default_country, hooks)


def _enviatusms_options(wishes: Wishes) -> VendorOptions | None:
    from mensasdk.vendors.enviatusms import EnviaTuSmsOptions

    return EnviaTuSmsOptions(allow_duplicates=True) if wishes.allow_duplicates else None


async def _credits(client: Any) -> Decimal:
    credits_: Decimal = await client.get_credits()
    return credits_


async def _balance(client: Any) -> Decimal:
    balance: Decimal = (await client.get_balance()).balance
    return balance


VENDORS: Final[Mapping[str, VendorEntry]] = {
    "envia_sms": VendorEntry(
        ("token",),
        _envia_sms,
        _envia_sms_options,
        {
            "sender": "the account decides what the handset shows; leave it out",
            "report": "the vendor calls nobody back; ask it with EnviaSmsClient.get_status",
            **_PHONES,
            **_GROUPS,
        },
        credits=_credits,
    ),
    "enviatusms": VendorEntry(
        ("api_key",),
        _enviatusms,
        _enviatusms_options,
        {
            "sender": "its operators decide what the handset shows; leave it out",
            "schedule": "its API sends at once; leave it out and start the command at that time",
            "report": "the vendor calls nobody back; ask it with EnviaTuSmsClient.get_campaign",
            "unicode": "it drops accents itself; leave it out",
            **_TEMPLATES,
            **_PHONES,
            **_GROUPS,
        },
        home="VE",
        credits=_balance,
        unit="USD",
    ),
    "mensatek": VendorEntry(
        ("api_user", "api_token"),
        _mensatek,
        _mensatek_options,
        {"allow_duplicates": "it drops no repeated texts; leave it out", **_TEMPLATES, **_PHONES},
        credits=_credits,
    ),
    "smsgateway24": VendorEntry(
        ("email", "password"),
        _smsgateway24,
        _smsgateway24_options,
        {
            "sender": "people see the number of the phone; choose the phone with --device-id",
            "report": "reports are switched on for each phone in the vendor's panel; leave it out",
            "unicode": "phones send every character as it is; leave it out",
            "allow_duplicates": "it drops no repeated texts; leave it out",
            **_TEMPLATES,
            **_GROUPS,
        },
        instead=("token",),
        unit="",
    ),
}
