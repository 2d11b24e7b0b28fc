"""Read the query of a request as PHP does: case-sensitive names, and the last of two parameters with the same name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from mensasdk.sandbox.envia_sms.account import Account, Country
from mensasdk.sandbox.envia_sms.refusals import Refused
from mensasdk.sandbox.vendor import Incoming

__all__ = ["decode", "destination", "joined"]

_DIGITS = re.compile(r"\d+", re.ASCII)
# E.164 allows 15 digits with the prefix; the sandbox takes 6 as the shortest number without it.
_LONGEST, _SHORTEST = 15, 6


def decode(request: Incoming, token: str) -> None:
    """Fill in ``params``, ``secrets`` and ``malformed`` of a request from its query.

    Args:
        request: the request to fill in.
        token: the account's true token; any other parameter that contains it is left out of ``params``.
    """
    try:
        # Bytes beyond ASCII that the client did not escape come as lone surrogates.
        query = request.query.encode(errors="surrogateescape").decode()
        values = dict(parse_qsl(query, keep_blank_values=True, errors="strict"))
    except ValueError:
        # The unreadable query may hold a token, so the ledger must not see any of it.
        request.malformed = "The query is not UTF-8"
        return
    if "token" in values:
        request.secrets = {"token": values.pop("token")}
    for name in [name for name, value in values.items() if token in value or token in name or name.lower() == "token"]:
        del values[name]
    request.params = values


def destination(account: Account, params: Mapping[str, str]) -> tuple[Country, str]:
    """Return the country and all digits of the ``numero`` of send, which has the format ``prefix,number``.

    Raises:
        Refused: 7, 8, 103, 104, 111, 122 or 123.
    """
    numero = params.get("numero", "")
    if not numero:
        raise Refused(103)
    prefix, comma, rest = numero.partition(",")
    if not comma or not _DIGITS.fullmatch(prefix):
        raise Refused(7)
    country = account.countries.get(prefix)
    if country is None:
        raise Refused(8 if _exists(prefix) else 7)
    if not rest:
        raise Refused(123)
    if "," in rest:
        raise Refused(122)
    if not _DIGITS.fullmatch(rest):
        raise Refused(111)
    if len(prefix) + len(rest) > _LONGEST:
        raise Refused(104)
    if len(rest) < _SHORTEST:
        raise Refused(111)
    return country, prefix + rest


def joined(numero: str) -> str | None:
    """Return all digits of a number in the format ``prefix,number``, or None for another format."""
    prefix, _, rest = numero.partition(",")
    return prefix + rest if _DIGITS.fullmatch(prefix) and _DIGITS.fullmatch(rest) else None


def _exists(prefix: str) -> bool:
    """Return whether any country of the world has this prefix."""
    # Imported here because loading is slow, and needed only for countries without a price.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return len(prefix) <= 3 and prefix[0] != "0" and int(prefix) in COUNTRY_CODE_TO_REGION_CODE
