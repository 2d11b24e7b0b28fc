"""Options that several commands share, and the exit codes of errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final, ParamSpec

import click
from click.core import ParameterSource

from mensasdk.cli.masking import masked
from mensasdk.cli.streams import kept_streams, lost_output
from mensasdk.cli.wording import say
from mensasdk.errors import AddressBlocked, AuthError, ConfigurationError, JournalError, MensaError, ValidationError
from mensasdk.registry import VendorInfo, variable, vendors

__all__ = [
    "CALLBACK_FIELDS",
    "JOURNAL",
    "JournalPlace",
    "base_url_option",
    "callbacks_help",
    "credentials_help",
    "credentials_option",
    "guarded",
    "journal_option",
    "journal_place",
    "json_option",
    "output_option",
    "raw_option",
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
        with kept_streams():
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
            elif (problem := lost_output()) is not None:
                # Commands that change something have told their result elsewhere, and keep their code.
                click.echo(f"Error: standard output cannot be written: {problem}", err=True)
                code = code or 1
        raise SystemExit(code)

    return run


JOURNAL: Final = "FILE|postgresql://..."
"""Word for the value of ``--journal`` in the help."""


class JournalPlace:
    """Place of a journal: a file, or a PostgreSQL database.

    Its text is what may be shown and typed again, without a password.

    Args:
        text: the path of the file, or the address of the database.

    Raises:
        ConfigurationError: it is meant as an address, and cannot be read.
    """

    def __init__(self, text: str) -> None:
        from mensasdk.journal.postgres.dsn import is_dsn, shown

        self.dsn = text if is_dsn(text) else None
        self.path = Path(text) if self.dsn is None else None
        self._shown = text if self.dsn is None else shown(self.dsn)

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"JournalPlace({self._shown!r})"


class _JournalType(click.Path):
    """Type of ``--journal``: a file, or an address that holds no password where everybody could read it."""

    name = "journal"

    def __init__(self) -> None:
        super().__init__(dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, JournalPlace):
            return value
        from mensasdk.journal.postgres.dsn import has_password, is_dsn

        try:
            place = JournalPlace(str(value))
            if is_dsn(str(value)):
                source = None if ctx is None or param is None else ctx.get_parameter_source(param.name or "")
                if source is ParameterSource.COMMANDLINE and has_password(str(value)):
                    self.fail(
                        "a password among the arguments can be read by everybody on this machine; put it into "
                        "PGPASSWORD or a file of passwords (~/.pgpass), or the whole address into MENSASDK_JOURNAL",
                        param,
                        ctx,
                    )
                return place
        except ConfigurationError as error:
            self.fail(error.message, param, ctx)
        super().convert(value, param, ctx)
        return place


vendor_choice = click.Choice(list(vendors()))
vendor_option = click.option("--vendor", type=vendor_choice, envvar="MENSASDK_VENDOR", help="Vendor to use.")
credentials_option = click.option(
    "--credentials", type=click.Path(path_type=Path), metavar="FILE", help="TOML file with the credentials (mode 0600)."
)
base_url_option = click.option("--base-url", metavar="URL", help="Address of the vendor's API, in place of its own.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
raw_option = click.option(
    "--raw", is_flag=True, help="With --output: write cells as they are, without the guard against formulas."
)
journal_place = _JournalType()
journal_option = click.option(
    "--journal",
    type=journal_place,
    metavar=JOURNAL,
    required=True,
    envvar="MENSASDK_JOURNAL",
    help="File of the journal, or the address of its PostgreSQL database.",
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
