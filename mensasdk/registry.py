"""The vendors that there are, in words: what each is called, needs and can do.

Ours, and those of other packages. Such a package names its `VendorInfo` under the entry points ``mensasdk.vendors``, in
its ``pyproject.toml``::

    [project.entry-points."mensasdk.vendors"]
    fifth = "fifth_vendor.info:INFO"

Nobody's client is imported before it is asked for: what is heavy is named here as ``"package.module:name"``, and `load`
finds it. So the journal, the sandbox, the receiver of callbacks and the command can ask about a vendor without loading
the others.
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

# Apart, so that the command can show just this.
logger = logging.getLogger("mensasdk.registry")

GROUP: Final = "mensasdk.vendors"
"""The entry points under which packages name their vendors."""

_OURS: Final = (
    "mensasdk.vendors.envia_sms.info:INFO",
    "mensasdk.vendors.enviatusms.info:INFO",
    "mensasdk.vendors.mensatek.info:INFO",
    "mensasdk.vendors.smsgateway24.info:INFO",
)


_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")


def _is_word(_: object, attribute: Attribute[str], value: str) -> None:
    # It becomes a flag, or a part of environment variables, routes and file names.
    if not _WORD.fullmatch(value):
        raise ConfigurationError(f"{attribute.name} must be small letters, digits and underscores, not {value!r}")


@frozen(kw_only=True)
class OptionInfo:
    """An option of the command that a vendor has; several vendors may have the same.

    An option named ``template`` makes its vendor one that sends from templates, whose variables are the columns of the
    list. One named ``text_variable`` beside it names the variable that takes the text of a campaign that has one.

    Attributes:
        name: small letters, digits and underscores; ``device_id`` is ``--device-id``.
        help: what it does, for a person.
        kind: ``bool`` makes it a flag.
        bounds: the least and the greatest number, for ``int``; None for any.
        metavar: what stands for its value in the help.
        passed_to: what it is an argument of, by the same name: the vendor's options class, or its client.
        required: what is said when it is missing; None where it may be left out.

    Raises:
        ConfigurationError: the name is no such word.
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
        """How it is written: ``--device-id``."""
        return f"--{self.name.replace('_', '-')}"


@frozen(kw_only=True)
class CallbackInfo:
    """How a vendor calls back.

    Attributes:
        parser: names the function ``parse(body, content_type)`` that reads a body.
        proof: what it proves itself with: ``"password"`` for Basic credentials, ``"path_secret"`` for a secret word at
            the end of the address.
    """

    parser: str
    proof: Literal["password", "path_secret"]


@frozen(kw_only=True)
class VendorInfo:
    """What there is to know about a vendor before its client is loaded.

    Attributes:
        name: the short name, in small letters, digits and underscores; the client's ``vendor``.
        title: as the vendor writes itself.
        client: names the client's class. Its constructor takes the credentials by name, and ``default_country``,
            ``base_url``, ``transport``, ``timeouts``, ``retry`` and ``hooks``; its ``text_rule`` says what becomes of a
            text (see `mensasdk.text.TextRule`).
        credentials: the client's arguments that hold them. Where nothing is sent, such as in a check, they may be given
            any word.
        credentials_instead: others that do as well.
        options_class: names the class of a message's options; None where the vendor has none.
        options: the options of the command that it has, beside ``sender`` and ``schedule``, which every vendor has that
            does not refuse them.
        refuses: options that it does not have, by name, each with why and what to do about it.
        home: ISO 3166 alpha-2 code of the country of national numbers where none is given; None for none.
        unit: what it counts in, such as ``"credits"`` or ``"USD"``; empty where there is nothing to count.
        balance: awaited with a client, gives what is left in the account; None where there is nothing to ask for.
        no_balance: why there is nothing to ask for, for a person.
        callbacks: how it calls back; None where it calls nobody back.
        asked_with: the client's method that tells the delivery of a message, for a vendor that calls nobody back.
        settles: how it finds out what became of a message that is UNKNOWN, in a sentence for a person.
        undecided: what is said of a message that is UNKNOWN still when all of that has been tried.
        repeats: sending again can settle something, because the vendor itself drops the second of two.
        emulator: names the class that emulates it in the sandbox; None where there is none.

    Raises:
        ConfigurationError: the name is no such word.
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
        """Find an option of the command; None where the vendor does not have it."""
        return next((one for one in self.options if one.name == name), None)

    def has(self, name: str) -> bool:
        """Tell whether the vendor has an option, or takes a ``sender`` or a ``schedule``."""
        if name in ("sender", "schedule"):
            return name not in self.refuses
        return self.option(name) is not None


@cache
def vendors() -> Mapping[str, VendorInfo]:
    """Find all vendors, by name and in its order. A package whose vendor cannot be loaded is logged and left out.

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
    from importlib.metadata import entry_points  # not before somebody asks: it takes longer than all of this

    found = []
    for point in entry_points(group=GROUP):
        try:
            info = point.load()
        except Exception as error:  # noqa: BLE001 - somebody else's code; the other vendors work without it
            why = error.message if isinstance(error, MensaError) else type(error).__name__
            logger.warning("the vendor %s (%s) cannot be loaded: %s", point.name, point.value, why)
            continue
        if isinstance(info, VendorInfo):
            found.append(info)
        else:
            logger.warning("the vendor %s (%s) is no VendorInfo, and is left out", point.name, point.value)
    return found


def vendor_info(name: str) -> VendorInfo:
    """Find one vendor.

    Raises:
        ConfigurationError: there is none of that name; says which there are.
    """
    found = vendors()
    if name not in found:
        raise ConfigurationError(f"there is no vendor {name!r}; there are {', '.join(found)}")
    return found[name]


def variable(vendor: str, name: str) -> str:
    """Name the environment variable of a vendor's setting: ``MENSASDK_<VENDOR>_<NAME>``."""
    return f"MENSASDK_{vendor}_{name}".upper()


def environment(info: VendorInfo, names: Iterable[str], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Read settings of a vendor, by name; those that are not set, or blank, are left out.

    Args:
        info: whose.
        names: such as its credentials, or ``"base_url"``.
        environ: the environment; this process's by default.
    """
    environ = os.environ if environ is None else environ
    read = ((name, environ.get(variable(info.name, name), "").strip()) for name in names)
    return {name: value for name, value in read if value}


def missing_credentials(info: VendorInfo, found: Collection[str]) -> ConfigurationError:
    """Say which variables are to be set, where only ``found`` of a vendor's credentials are there."""
    lacking = [name for name in info.credentials if name not in found]
    names = " and ".join(variable(info.name, name) for name in lacking)
    if len(lacking) < len(info.credentials):
        return ConfigurationError(f"{names} is not set" if len(lacking) == 1 else f"{names} are not set")
    if info.credentials_instead:
        names += f" (or {' and '.join(variable(info.name, name) for name in info.credentials_instead)})"
    return ConfigurationError(f"no credentials for {info.name}; set {names}")


def load(reference: str) -> Any:
    """Import what a reference of the form ``"package.module:name"`` names."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
