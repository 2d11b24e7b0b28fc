"""Clients and options of the vendors, made from the options of the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from attrs import field, frozen

from mensasdk.errors import ConfigurationError
from mensasdk.messages import VendorOptions
from mensasdk.registry import VendorInfo, load, vendor_info, vendors
from mensasdk.transport import Hook
from mensasdk.vendors.batching import BatchClient

__all__ = ["Settings", "SmsClient", "Wishes", "check_wishes", "make_client", "make_options", "why_not"]


class SmsClient(BatchClient, Protocol):
    """Client of a vendor, as far as the command uses it."""

    base_url: str

    async def aclose(self) -> None:
        """Close the client's connections."""


@frozen
class Settings:
    """Credentials and address of a vendor.

    Attributes:
        secrets: the credentials, by the name of the client's argument.
        base_url: address of the API; None for the vendor's own.
    """

    secrets: Mapping[str, str] = field(repr=False)
    base_url: str | None = None


@frozen
class Wishes:
    """Options that were given and that not every vendor has.

    Attributes:
        sender: sender that the phone shows; None where it was not given.
        schedule: whether the vendor is to send later.
        options: the vendors' own options that were given, by name (see `VendorInfo.options`).
    """

    sender: str | None = None
    schedule: bool = False
    options: Mapping[str, Any] = field(factory=dict)

    @property
    def names(self) -> Sequence[str]:
        """Names of all options that were given."""
        common = (("sender", self.sender is not None), ("schedule", self.schedule))
        return [*(name for name, given in common if given), *self.options]


def check_wishes(names: Sequence[str], wishes: Wishes, *, has_text: bool) -> None:
    """Refuse options that the vendors cannot fulfil, before anything is sent.

    Args:
        names: the vendors of the campaign. With several vendors, one that has the option is enough; but all of them
            have to be able to schedule.
        wishes: the options.
        has_text: whether ``--text`` was given.

    Raises:
        ConfigurationError: an option would have no effect, or one is missing; says what to do.
    """
    infos = [vendor_info(name) for name in names]
    for option in wishes.names:
        without = [info for info in infos if not info.has(option)]
        if len(without) == len(infos) or (without and option == "schedule"):
            flag = f"--{option.replace('_', '-')}"
            raise ConfigurationError(f"{without[0].name} has no {flag}: {why_not(without[0], option)}")
    for info in infos:
        for one in info.options:
            if one.required is not None and one.name not in wishes.options:
                raise ConfigurationError(f"{info.name}: {one.required}")
        if info.has("text_variable"):
            _check_text(wishes, has_text=has_text, alone=len(infos) == 1)


def _check_text(wishes: Wishes, *, has_text: bool, alone: bool) -> None:
    if "text_variable" not in wishes.options and (has_text or not alone):
        what = "--text" if has_text else "--route to other vendors, which send texts,"
        raise ConfigurationError(
            f"{what} needs --text-variable NAME beside --template: the variable of the template that takes the text"
        )


def why_not(info: VendorInfo, option: str) -> str:
    """Return why a vendor does not have an option, and what to do about it."""
    if option in info.refuses:
        return info.refuses[option]
    if option in ("template", "text_variable"):
        return "it sends texts; give --text, or a column named text, in its place"
    others = [one.name for one in vendors().values() if one.has(option)]
    return f"only {' and '.join(others)} {'has' if len(others) == 1 else 'have'} it; leave it out"


_NO_WISHES: Final = Wishes()


def make_client(
    info: VendorInfo,
    settings: Settings,
    *,
    default_country: str | None = None,
    hooks: Sequence[Hook] = (),
    wishes: Wishes = _NO_WISHES,
) -> SmsClient:
    """Make a vendor's client.

    Args:
        info: the vendor.
        settings: its credentials and its address.
        default_country: country of national numbers; None to take international numbers only.
        hooks: called with each event of the client.
        wishes: the options of the command. Those that are arguments of the client are passed on.
    """
    address = {} if settings.base_url is None else {"base_url": settings.base_url}
    more = _arguments(info, wishes, "client")
    client: SmsClient = load(info.client)(
        **settings.secrets, default_country=default_country, hooks=hooks, **address, **more
    )
    return client


def make_options(info: VendorInfo, wishes: Wishes) -> VendorOptions | None:
    """Make the options of a vendor's messages; None where no such option was given."""
    given = _arguments(info, wishes, "options")
    if not given or info.options_class is None:
        return None
    options: VendorOptions = load(info.options_class)(**given)
    return options


def _arguments(info: VendorInfo, wishes: Wishes, receiver: str) -> dict[str, Any]:
    return {
        one.name: wishes.options[one.name]
        for one in info.options
        if one.passed_to == receiver and one.name in wishes.options
    }
