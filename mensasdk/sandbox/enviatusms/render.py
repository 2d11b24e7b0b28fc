"""Write an answer as JSON, with the quirks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from mensasdk.sandbox.enviatusms.quirks import Quirks

__all__ = ["SHORT_LINK", "is_refusal", "refused", "render"]

SHORT_LINK = "acortar-url"

_NO_QUIRKS = Quirks()
_FLAGS = ("approved", "cancelled", "from_api")


def refused(function: str, text: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Build the data of a refusal, in the format that the document gives for the function."""
    if function == SHORT_LINK:
        return {"success": False, "error": text, **more}
    return {"status": "error", "msg": text, **more}


def is_refusal(fields: Mapping[str, Any]) -> bool:
    """Return whether the data of an answer is a refusal."""
    return fields.get("status") == "error" or fields.get("success") is False


def render(function: str, fields: Mapping[str, Any], quirks: Quirks) -> tuple[bytes, str]:
    """Return the bytes and the content type of an answer.

    Args:
        function: the vendor's function.
        fields: the data without quirks.
        quirks: the deviations from the document.
    """
    if quirks == _NO_QUIRKS:
        return orjson.dumps(fields, default=float), "application/json"
    body = orjson.dumps(_changed(function, dict(fields), quirks), default=_money(quirks))
    if quirks.php_escapes:
        # In this JSON, slashes are inside strings only.
        body = _escaped(body.decode().replace("/", "\\/")).encode()
    if quirks.trailing_comma == "always" or (quirks.trailing_comma == "short_link" and function == SHORT_LINK):
        body = body[:-1] + b",}"
    if quirks.bom:
        body = b"\xef\xbb\xbf" + body
    return body, "text/html; charset=utf-8" if quirks.wrong_content_type else "application/json"


def _changed(function: str, fields: dict[str, Any], quirks: Quirks) -> Any:
    if is_refusal(fields):
        fields = _refusal(fields, quirks)
    else:
        match function:
            case "balance":
                fields = _balance(fields, quirks)
            case "sms-multi":
                fields = _sending(fields, quirks)
            case "sms-costo" if quirks.quote_status:
                fields = {"status": "ok", **fields}
            case "campaign":
                fields = _campaign(fields, quirks)
    if "success" in fields and quirks.success != "bool":
        success = fields["success"]
        fields["success"] = int(success) if quirks.success == "int" else str(success).lower()
    return _strings(fields) if quirks.ints_as_strings else fields


def _refusal(fields: dict[str, Any], quirks: Quirks) -> dict[str, Any]:
    short = quirks.error_keys == "short_link" or (quirks.error_keys == "documented" and "success" in fields)
    text = fields.get("msg", fields.get("error"))
    rest = {key: value for key, value in fields.items() if key not in ("status", "msg", "success", "error")}
    return refused(SHORT_LINK if short else "", str(text), rest)


def _balance(fields: dict[str, Any], quirks: Quirks) -> dict[str, Any]:
    counts = fields["sms"]
    # The count for the dearest operator: the balance buys so many messages to any number.
    creditos = min(counts.values(), default=0)
    if quirks.empty_sms != "zeros" and not any(counts.values()):
        counts = [] if quirks.empty_sms == "list" else {}
    rows = {"status": fields["status"], "sms": counts, "creditos": creditos}
    if quirks.balance_fields != "both":
        del rows["creditos" if quirks.balance_fields == "sms" else "sms"]
    return {**rows, **{key: value for key, value in fields.items() if key not in ("status", "sms")}}


def _sending(fields: dict[str, Any], quirks: Quirks) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in fields.items():
        if key != "id":
            changed[key] = value
            continue
        if quirks.id_field != "campaign_id":
            changed["id"] = value
        if quirks.id_field != "id":
            changed["campaign_id"] = value
    if not changed["ignored"] or quirks.ignored_hidden:
        changed["ignored"] = None if quirks.no_ignored == "null" else []
        if quirks.no_ignored == "missing":
            del changed["ignored"]
    return changed


def _campaign(fields: dict[str, Any], quirks: Quirks) -> dict[str, Any]:
    rows = [dict(row) for row in fields["numbers_stats"]]
    if quirks.flags_as_bool:
        for name in _FLAGS:
            fields[name] = bool(fields[name])
    for row in rows:
        if quirks.flags_as_bool:
            row["processed"] = bool(row["processed"])
        if quirks.mobile_number_as_string:
            row["mobile_number"] = str(row["mobile_number"])
    fields["numbers_stats"] = rows
    # Without rows, the list stays: PHP writes an array without entries as a list.
    if rows and quirks.numbers_stats == "by_position":
        fields["numbers_stats"] = {str(index): row for index, row in enumerate(rows)}
    elif rows and quirks.numbers_stats == "by_number":
        fields["numbers_stats"] = {str(row["mobile_number"]): row for row in rows}
    link = fields["shortlink_stats"]
    if link is not None and not link["location_unique_clicks"] and quirks.locations != "object":
        fields["shortlink_stats"] = link = {**link, "location_unique_clicks": []}
        if quirks.locations == "missing":
            del link["location_unique_clicks"]
    return fields


def _money(quirks: Quirks) -> Any:
    return _amount if quirks.money_as_string else float


def _amount(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strings(cell) for name, cell in value.items()}
    if isinstance(value, list):
        return [_strings(cell) for cell in value]
    return str(value) if type(value) is int else value


def _escaped(text: str) -> str:
    if text.isascii():
        return text
    return re.sub(r"[^\x00-\x7f]", lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))
