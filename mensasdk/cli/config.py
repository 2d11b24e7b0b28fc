"""Which vendors the command knows, and where their credentials come from: never from the command line.

A process list, a shell's history and a CI log all show arguments, so credentials are read from the environment or
from a file that only its owner can read.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from attrs import field, frozen

from mensasdk.errors import ConfigurationError
from mensasdk.messages import VendorOptions
from mensasdk.transport import Hook
from mensasdk.vendors.base import BatchClient

__all__ = ["VENDORS", "Settings", "SmsClient", "VendorEntry", "load_settings"]

FILE_VARIABLE = "MENSASDK_CREDENTIALS"


class SmsClient(BatchClient, Protocol):
    """What the command needs of a vendor's client."""

    base_url: str

    async def get_credits(self) -> Decimal: ...

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


class _Connect(Protocol):
    def __call__(
        self, settings: Settings, *, default_country: str | None = None, hooks: Sequence[Hook] = ()
    ) -> SmsClient: ...


@frozen
class VendorEntry:
    """One vendor of the command.

    Attributes:
        fields: the credentials, by the names of the client's constructor arguments.
        connect: makes the client.
        options: ``options(report, unicode)`` gives a message's vendor options, or None where none are needed.
    """

    fields: Sequence[str]
    connect: _Connect
    options: Callable[[bool, bool], VendorOptions | None]


def _mensatek(settings: Settings, *, default_country: str | None = None, hooks: Sequence[Hook] = ()) -> SmsClient:
    from mensasdk.vendors.mensatek import MensatekClient

    address: dict[str, Any] = {} if settings.base_url is None else {"base_url": settings.base_url}
    secrets = settings.secrets
    return MensatekClient(
        secrets["api_user"], secrets["api_token"], default_country=default_country, hooks=hooks, **address
    )


def _mensatek_options(report: bool, unicode: bool) -> VendorOptions | None:
    from mensasdk.vendors.mensatek import MensatekOptions

    return MensatekOptions(report=report, unicode=unicode) if report or unicode else None


VENDORS: Mapping[str, VendorEntry] = {
    "mensatek": VendorEntry(("api_user", "api_token"), _mensatek, _mensatek_options),
}


def variable(vendor: str, name: str) -> str:
    """The environment variable of a vendor's setting."""
    return f"MENSASDK_{vendor}_{name}".upper()


def load_settings(
    vendor: str, *, file: Path | None, base_url: str | None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Find a vendor's credentials and address.

    Credentials come as a whole from one place, the first that has any: ``file``, the environment, the file that
    ``MENSASDK_CREDENTIALS`` names. The address is ``base_url``, or else the environment's, or else the file's.

    Args:
        vendor: a key of `VENDORS`.
        file: a TOML file with one table for each vendor.
        base_url: as given on the command line.
        environ: the environment; this process's by default.

    Raises:
        ConfigurationError: nothing found, something missing, or a file that others may read. No value is shown.
    """
    environ = os.environ if environ is None else environ
    fields = VENDORS[vendor].fields
    address = base_url or environ.get(variable(vendor, "base_url")) or None
    found = {name: value for name in fields if (value := environ.get(variable(vendor, name), "").strip())}
    source = "the environment"
    if file is None and not found and environ.get(FILE_VARIABLE):
        file = Path(environ[FILE_VARIABLE])
    if file is not None:
        table = _read(file, vendor)
        found = {name: table[name] for name in fields if table.get(name)}
        source = str(file)
        address = address or table.get("base_url") or None
    missing = [name for name in fields if name not in found]
    if not missing:
        return Settings(found, address)
    names = " and ".join(variable(vendor, name) for name in fields)
    if file is not None:
        raise ConfigurationError(f"{source} has no {' and no '.join(missing)} in its table [{vendor}]")
    if found:
        raise ConfigurationError(f"{' and '.join(variable(vendor, name) for name in missing)} is not set")
    raise ConfigurationError(
        f"no credentials for {vendor}; set {names}, or name a TOML file with --credentials or {FILE_VARIABLE}: "
        f"[{vendor}] with {' and '.join(fields)}"
    )


def _read(path: Path, vendor: str) -> Mapping[str, str]:
    try:
        with path.open("rb") as file:
            # Of the file that is open, so that nobody can exchange it in between.
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigurationError(f"{path} can be read by others; run: chmod 600 {path}")
            content = file.read(1 << 20)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    place = ""
    try:
        table = tomllib.loads(content.decode()).get(vendor, {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # Only the place: the parser's own words may quote the line, and the line may be the token.
        match = re.search(r"line \d+", str(error))
        place = f" ({match[0]})" if match else ""
        table = None
    if table is None:
        raise ConfigurationError(f"{path} is not valid TOML{place}")
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ConfigurationError(f"{path}: [{vendor}] must be a table of strings")
    return {name: value.strip() for name, value in table.items()}
