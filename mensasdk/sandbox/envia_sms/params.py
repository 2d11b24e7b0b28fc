"""Reading a request as PHP does: the query's parameters in their exact case, the last of two with one name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from mensasdk.sandbox.envia_sms.account import Account, Country
from mensasdk.sandbox.envia_sms.refusals import Refused
from mensasdk.sandbox.vendor import Incoming

__all__ = ["decode", "destination", "joined"]

_DIGITS = re.compile(r"\d+", re.ASCII)
# E.164 allows 15 digits with the prefix; no subscriber's number is shorter than this.
_LONGEST, _SHORTEST = 15, 6


def decode(request: Incoming, token: str) -> None:
    """Fill in ``params`` and ``secrets`` from the query.

    Args:
        token: the true token; a parameter that holds it under any other name is left out, too.
    """
    try:
        # Bytes beyond ASCII that nobody escaped come as lone surrogates.
        query = request.query.encode(errors="surrogateescape").decode()
        values = dict(parse_qsl(query, keep_blank_values=True, errors="strict"))
    except ValueError:
        # It may hold a token that cannot be found.
        request.malformed = "The query is not UTF-8"
        return
    if "token" in values:
        request.secrets = {"token": values.pop("token")}
    for name in [name for name, value in values.items() if token in value or token in name or name.lower() == "token"]:
        del values[name]
    request.params = values


def destination(account: Account, params: Mapping[str, str]) -> tuple[Country, str]:
    """The country and the digits, prefix first, of send's ``numero``, which is ``prefix,number``."""
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
    """The digits of ``prefix,number``, or None when it is something else."""
    prefix, _, rest = numero.partition(",")
    return prefix + rest if _DIGITS.fullmatch(prefix) and _DIGITS.fullmatch(rest) else None


def _exists(prefix: str) -> bool:
    """Some country of the world has this prefix."""
    # Heavy, and needed for destinations without a price only.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return len(prefix) <= 3 and prefix[0] != "0" and int(prefix) in COUNTRY_CODE_TO_REGION_CODE
