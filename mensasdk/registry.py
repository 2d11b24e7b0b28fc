"""Describe the vendors: the name of each, the credentials that it needs, and what it can do.

There are four vendors of mensasdk itself, and vendors of other packages. Such a package names its `VendorInfo` under
the entry points ``mensasdk.vendors``, in its ``pyproject.toml``::

    [project.entry-points."mensasdk.vendors"]
    fifth = "fifth_vendor.info:INFO"

A vendor's client is not imported before it is needed: clients and other large parts are named here as
``"package.module:name"``, and imported by `load`. So the journal, the sandbox, the receiver of callbacks and the
command can ask about a vendor without loading the others.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final, Literal

from attrs import Attribute, field, frozen

from mensasdk.errors import ConfigurationError, MensaError

__all__ = [
    "GROUP",
    "CallbackInfo",
    "OptionInfo",
    "VendorInfo",
    "environment",
    "load",
    "missing_credentials",
    "variable",
    "vendor_info",
    "vendors",
]

# A logger of its own, so that the command can show only its records.
logger = logging.getLogger("mensasdk.registry")

GROUP: Final = "mensasdk.vendors"
"""Group of entry points under which packages name their vendors."""

_OURS: Final = (
    "mensasdk.vendors.envia_sms.info:INFO",
    "mensasdk.vendors.enviatusms.info:INFO",
    "mensasdk.vendors.mensatek.info:INFO",
    "mensasdk.vendors.smsgateway24.info:INFO",
)


_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")


def _is_word(_: object, attribute: Attribute[str], value: str) -> None:
    # The name becomes a flag, or a part of environment variables, routes and file names.
    if not _WORD.fullmatch(value):
        raise ConfigurationError(f"{attribute.name} must be small letters, digits and underscores, not {value!r}")


@frozen(kw_only=True)
class OptionInfo:
    """Vendor's option of the command; several vendors may have the same option.

    A vendor with an option named ``template`` sends from templates, whose variables are the columns of the list. If it
    also has an option named ``text_variable``, the text of a campaign is sent as the variable that this option names.

    Attributes:
        name: the name, in small letters, digits and underscores; ``device_id`` becomes ``--device-id``.
        help: the help of the option, for a person.
        kind: type of the value; ``bool`` makes the option a flag.
        bounds: the least and the greatest value of an ``int``; None for any.
        metavar: placeholder of the value in the help.
        passed_to: the value is an argument of the same name of the vendor's options class, or of its client.
        required: text of the error when the option is missing; None if it may be left out.

    Raises:
        ConfigurationError: the name has other characters.
    """

    name: str = field(validator=_is_word)
    help: str
    kind: type[bool] | type[int] | type[str] = str
    bounds: tuple[int, int] | None = None
    metavar: str | None = None
    passed_to: Literal["options", "client"] = "options"
    required: str | None = None

    @property
    def flag(self) -> str:
        """Option as it is written in the command, such as ``--device-id``."""
        return f"--{self.name.replace('_', '-')}"


@frozen(kw_only=True)
class CallbackInfo:
    """Callbacks of a vendor.

    Attributes:
        parser: name of the function ``parse(body, content_type)`` that reads a body, as ``"package.module:name"``.
        proof: the vendor's proof that a callback is its own: ``"password"`` for Basic credentials, ``"path_secret"``
            for a secret word at the end of the address.
    """

    parser: str
    proof: Literal["password", "path_secret"]


@frozen(kw_only=True)
class VendorInfo:
    """Description of a vendor, which is known before its client is loaded.

    Attributes:
        name: the short name, in small letters, digits and underscores; also the client's ``vendor``.
        title: the vendor's name as the vendor writes it.
        client: name of the client's class, as ``"package.module:name"``. Its constructor takes the credentials by name,
            and ``default_country``, ``base_url``, ``transport``, ``timeouts``, ``retry`` and ``hooks``. Its
            ``text_rule`` describes how the vendor treats a text (see `mensasdk.text.TextRule`).
        credentials: names of the client's arguments for the credentials. If nothing is sent, as in a check, they may
            have any value.
        credentials_instead: names of other arguments that may be given instead.
        options_class: name of the class of a message's options, as ``"package.module:name"``; None if the vendor has
            none.
        options: the vendor's options of the command, besides ``sender`` and ``schedule``, which every vendor has unless
            it refuses them.
        refuses: options that the vendor does not have, by name, each with the reason and the remedy.
        home: ISO 3166 alpha-2 code of the country of national numbers, as the default; None for no default.
        unit: unit of the balance and of prices, such as ``"credits"`` or ``"USD"``; empty if nothing is counted.
        balance: async function that is called with a client and returns the balance of the account; None if the vendor
            does not tell it.
        no_balance: reason why there is no balance, for a person.
        callbacks: the vendor's callbacks; None if it has none.
        asked_with: name of the client's method that returns the delivery of a message, for a vendor without callbacks.
        settles: one sentence for a person: how the outcome of an UNKNOWN message is found out.
        undecided: text about a message that is still UNKNOWN after that.
        repeats: whether sending a message again can find out its outcome, because the vendor drops the second one.
        emulator: name of the class that emulates the vendor in the sandbox, as ``"package.module:name"``; None if there
            is none.

    Raises:
        ConfigurationError: the name has other characters.
    """

    name: str = field(validator=_is_word)
    title: str
    client: str
    credentials: tuple[str, ...]
    credentials_instead: tuple[str, ...] = ()
    options_class: str | None = None
    options: tuple[OptionInfo, ...] = ()
    refuses: Mapping[str, str] = field(factory=dict)
    home: str | None = None
    unit: str = "credits"
    balance: Callable[[Any], Awaitable[Any]] | None = None
    no_balance: str = "it does not tell what is left"
    callbacks: CallbackInfo | None = None
    asked_with: str | None = None
    settles: str = ""
    undecided: str = ""
    repeats: bool = False
    emulator: str | None = None

    def option(self, name: str) -> OptionInfo | None:
        """Return an option of the command; None if the vendor does not have it."""
        return next((one for one in self.options if one.name == name), None)

    def has(self, name: str) -> bool:
        """Return whether the vendor has an option; ``sender`` and ``schedule`` count as options."""
        if name in ("sender", "schedule"):
            return name not in self.refuses
        return self.option(name) is not None


@cache
def vendors() -> Mapping[str, VendorInfo]:
    """Return all vendors by name, sorted by name. A vendor that cannot be loaded is logged and left out.

    Raises:
        ConfigurationError: two vendors have the same name.
    """
    found: dict[str, VendorInfo] = {}
    for info in (*(load(one) for one in _OURS), *_theirs()):
        if info.name in found:
            raise ConfigurationError(
                f"two vendors are called {info.name!r}: {found[info.name].client} and {info.client}; uninstall the "
                "package of one of them"
            )
        found[info.name] = info
    return dict(sorted(found.items()))


def _theirs() -> list[VendorInfo]:
    from importlib.metadata import entry_points  # imported late: it takes longer than the whole of this module

    found = []
    for point in entry_points(group=GROUP):
        try:
            info = point.load()
        except Exception as error:  # noqa: BLE001 - code of another package, without which the other vendors work
            why = error.message if isinstance(error, MensaError) else type(error).__name__
            logger.warning("the vendor %s (%s) cannot be loaded: %s", point.name, point.value, why)
            continue
        if isinstance(info, VendorInfo):
            found.append(info)
        else:
            logger.warning("the vendor %s (%s) is not a VendorInfo, and is left out", point.name, point.value)
    return found


def vendor_info(name: str) -> VendorInfo:
    """Return the vendor of a name.

    Raises:
        ConfigurationError: there is no vendor of that name; the message lists the names.
    """
    found = vendors()
    if name not in found:
        raise ConfigurationError(f"there is no vendor {name!r}; there are {', '.join(found)}")
    return found[name]


def variable(vendor: str, name: str) -> str:
    """Return the name of the environment variable of a vendor's setting: ``MENSASDK_<VENDOR>_<NAME>``."""
    return f"MENSASDK_{vendor}_{name}".upper()


def environment(info: VendorInfo, names: Iterable[str], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Read settings of a vendor from the environment.

    Args:
        info: the vendor.
        names: names of the settings, such as the vendor's credentials, or ``"base_url"``.
        environ: the environment; None for the environment of this process.

    Returns:
        The values by name. Settings that are not set, or blank, are left out.
    """
    environ = os.environ if environ is None else environ
    read = ((name, environ.get(variable(info.name, name), "").strip()) for name in names)
    return {name: value for name, value in read if value}


def missing_credentials(info: VendorInfo, found: Collection[str]) -> ConfigurationError:
    """Make the error for missing credentials, which names the variables to set; ``found`` are set already."""
    lacking = [name for name in info.credentials if name not in found]
    names = " and ".join(variable(info.name, name) for name in lacking)
    if len(lacking) < len(info.credentials):
        return ConfigurationError(f"{names} is not set" if len(lacking) == 1 else f"{names} are not set")
    if info.credentials_instead:
        names += f" (or {' and '.join(variable(info.name, name) for name in info.credentials_instead)})"
    return ConfigurationError(f"no credentials for {info.name}", remedy=f"set {names}")


def load(reference: str) -> Any:
    """Import and return the object of a reference ``"package.module:name"``."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
