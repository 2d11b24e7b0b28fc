"""Read the vendors' credentials from the environment, or from a file that only its owner can read.

They are never arguments: a process list, a shell's history and the log of a CI system show these.
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

    All credentials come from one place, the first that has any: ``file``, the environment, the file that
    ``MENSASDK_CREDENTIALS`` names. The address is ``base_url``, or else that of the environment, or else of the file.

    Args:
        info: the vendor.
        file: a TOML file with one table for each vendor; None where none was given.
        base_url: the address that was given on the command line; None for none.
        environ: the environment; by default that of this process.

    Raises:
        ConfigurationError: there are no credentials, some are missing, or the file can be read by others. The error
            shows no value.
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
    """Find the settings that prove that a vendor calls, by their names in `CALLBACK_FIELDS`; there may be none.

    All of them come from one place, the first that has any: ``file``, the environment, the file that
    ``MENSASDK_CREDENTIALS`` names.

    Args:
        info: the vendor.
        file: a TOML file with one table for each vendor; None where none was given.
        environ: the environment; by default that of this process.

    Raises:
        ConfigurationError: the file cannot be read, or can be read by others. The error shows no value.
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
            # Ask for the mode of the open file: by its path, another file could be put there in between.
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
        # Show the line's position only: the parser's own words may quote the line, which may hold the token.
        match = re.search(r"line \d+", str(error))
        place = f" ({match[0]})" if match else ""
        table = None
    if table is None:
        raise ConfigurationError(f"{path} is not valid TOML{place}")
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ConfigurationError(f"{path}: [{vendor}] must be a table of strings")
    return {name: value.strip() for name, value in table.items()}
