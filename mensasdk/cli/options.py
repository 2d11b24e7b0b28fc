"""Options that several commands share, and the exit codes of errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec

import click

from mensasdk.cli.masking import masked
from mensasdk.cli.wording import say
from mensasdk.errors import AddressBlocked, AuthError, ConfigurationError, JournalError, MensaError, ValidationError
from mensasdk.registry import VendorInfo, variable, vendors

__all__ = [
    "CALLBACK_FIELDS",
    "base_url_option",
    "callbacks_help",
    "credentials_help",
    "credentials_option",
    "guarded",
    "journal_option",
    "journal_path",
    "json_option",
    "output_option",
    "vendor_choice",
    "vendor_option",
]

P = ParamSpec("P")

CALLBACK_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "password": ("callback_user", "callback_password"),
    "path_secret": ("callback_secret",),
}
"""Settings that prove that a vendor calls, by `CallbackInfo.proof`."""


def guarded(command: Callable[P, int]) -> Callable[P, None]:
    """Wrap a command: exit with the code that it returns, or print its error as one sentence and exit with 1 to 130."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except KeyboardInterrupt:
            code, words = 130, "Interrupted."
        except (ConfigurationError, ValidationError) as error:
            code, words = 2, f"Error: {say(error)}"
        except JournalError as error:
            code, words = 5, f"Error: {say(error)}"
        except MensaError as error:
            code = 4 if isinstance(error, (AuthError, AddressBlocked)) else 1
            words = f"Error: {say(error)}"
        else:
            words = ""
        if words:
            click.echo(masked(words), err=True)
        raise SystemExit(code)

    return run


vendor_choice = click.Choice(list(vendors()))
vendor_option = click.option("--vendor", type=vendor_choice, envvar="MENSASDK_VENDOR", help="Vendor to use.")
credentials_option = click.option(
    "--credentials", type=click.Path(path_type=Path), metavar="FILE", help="TOML file with the credentials (mode 0600)."
)
base_url_option = click.option("--base-url", metavar="URL", help="Address of the vendor's API, in place of its own.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
journal_path = click.Path(path_type=Path, dir_okay=False)
journal_option = click.option(
    "--journal",
    type=journal_path,
    metavar="FILE",
    required=True,
    envvar="MENSASDK_JOURNAL",
    help="File of the journal.",
)


def output_option(help: str) -> Callable[[Callable[P, None]], Callable[P, None]]:  # noqa: A002 - click's own word
    """Return a decorator that gives a command ``--output FILE``."""
    return click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help=help)


def credentials_help() -> str:
    """Return the end of a command's help: where credentials come from."""
    infos = [*vendors().values()]
    first = infos[0]
    lines = [
        "\b",
        "Credentials are never given as arguments. Set",
        *(line for info in infos for line in _variables(info, info.credentials, info.credentials_instead)),
        f"  (and {variable(first.name, 'base_url')} and so on for another address),",
        "or name a TOML file that only you can read with --credentials or",
        "MENSASDK_CREDENTIALS, with a table for each vendor:",
        f"  [{first.name}]",
        *(f'  {name} = "..."' for name in first.credentials),
    ]
    return "\n".join(lines) + "\n"


def callbacks_help() -> str:
    """Return the end of a command's help: where the proof of callbacks comes from."""
    lines = ["\b", "The secret that proves that the vendor calls is never an argument. Set"]
    words = {
        "password": "(Basic credentials, as in the vendor's panel)",
        "path_secret": "(a long random word at the end of the address)",
    }
    for info in vendors().values():
        if info.callbacks is not None:
            lines += [*_variables(info, CALLBACK_FIELDS[info.callbacks.proof]), f"  {words[info.callbacks.proof]}"]
    lines += [
        "or put callback_user, callback_password or callback_secret into the",
        "vendor's table of the file that --credentials or MENSASDK_CREDENTIALS",
        "names, or give --prompt to be asked. Otherwise a new secret is made up,",
        "and shown once, on standard error.",
    ]
    return "\n".join(lines) + "\n"


def _variables(info: VendorInfo, names: Sequence[str], instead: Sequence[str] = ()) -> list[str]:
    lines = [f"  {', '.join(variable(info.name, name) for name in names)}"]
    if instead:
        lines.append(f"  (or {', '.join(variable(info.name, name) for name in instead)})")
    return lines
