"""Where the vendors' credentials come from: never from the command line.

A process list, a shell's history and a CI log all show arguments, so credentials are read from the environment or
from a file that only its owner can read.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from mensasdk.cli.options import CALLBACK_FIELDS
from mensasdk.cli.vendors import Settings
from mensasdk.errors import ConfigurationError
from mensasdk.registry import VendorInfo, environment, missing_credentials, variable

__all__ = ["callback_settings", "load_settings"]

FILE_VARIABLE = "MENSASDK_CREDENTIALS"


def load_settings(
    info: VendorInfo, *, file: Path | None, base_url: str | None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Find a vendor's credentials and address.

    Credentials come as a whole from one place, the first that has any: ``file``, the environment, the file that
    ``MENSASDK_CREDENTIALS`` names. The address is ``base_url``, or else the environment's, or else the file's.

    Args:
        info: whose.
        file: a TOML file with one table for each vendor.
        base_url: as given on the command line.
        environ: the environment; this process's by default.

    Raises:
        ConfigurationError: nothing found, something missing, or a file that others may read. No value is shown.
    """
    environ = os.environ if environ is None else environ
    vendor = info.name
    known = (*info.credentials, *info.credentials_instead)
    address = base_url or environ.get(variable(vendor, "base_url")) or None
    found = environment(info, known, environ)
    source = "the environment"
    if file is None and not found and environ.get(FILE_VARIABLE):
        file = Path(environ[FILE_VARIABLE])
    if file is not None:
        table = _read(file, vendor)
        found = {name: table[name] for name in known if table.get(name)}
        source = str(file)
        address = address or table.get("base_url") or None
    for fields in (info.credentials, info.credentials_instead):
        if fields and all(name in found for name in fields):
            return Settings({name: found[name] for name in fields}, address)
    missing = [name for name in info.credentials if name not in found]
    if file is not None:
        rather = f" (nor {' and '.join(info.credentials_instead)})" if info.credentials_instead else ""
        raise ConfigurationError(f"{source} has no {' and no '.join(missing)}{rather} in its table [{vendor}]")
    refusal = missing_credentials(info, found)
    if not found:
        refusal = ConfigurationError(
            refusal.problem,
            remedy=f"{refusal.remedy}, or name a TOML file with --credentials or {FILE_VARIABLE}: [{vendor}] with "
            f"{' and '.join(info.credentials)}",
        )
    raise refusal


def callback_settings(
    info: VendorInfo, *, file: Path | None, environ: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    """Find what a vendor's callbacks prove themselves with, of `CALLBACK_FIELDS`; nothing need be set.

    As a whole from one place, the first that has any: ``file``, the environment, the file that
    ``MENSASDK_CREDENTIALS`` names.

    Raises:
        ConfigurationError: a file that cannot be read, or that others may read. No value is shown.
    """
    environ = os.environ if environ is None else environ
    known = () if info.callbacks is None else CALLBACK_FIELDS[info.callbacks.proof]
    found = environment(info, known, environ)
    if file is None and not found and environ.get(FILE_VARIABLE):
        file = Path(environ[FILE_VARIABLE])
    if file is not None:
        table = _read(file, info.name)
        found = {name: table[name] for name in known if table.get(name)}
    return found


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
