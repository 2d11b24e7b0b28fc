"""States of messages: the functions getallsms and getsmsstatus."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mensasdk.sandbox.smsgateway24.dates import php_date, utc_moment, zone_of
from mensasdk.sandbox.smsgateway24.message import Sms
from mensasdk.sandbox.smsgateway24.params import Params
from mensasdk.sandbox.smsgateway24.refusals import Refused
from mensasdk.sandbox.smsgateway24.state import State
from mensasdk.sandbox.smsgateway24.statuses import STATUS_TEXTS, digits_of

__all__ = ["list_sms", "sms_status"]

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)


def list_sms(state: State, params: Params) -> Mapping[str, Any]:
    """Answer getallsms: all messages that match the filters, without pages."""
    name = params.text("timezone")
    zone = zone_of(name) if name else state.zone
    rows = _filtered(state, params)
    if params.flag("onlycount"):
        return {"error": 0, "count": len(rows), "message": "OK"}
    if params.flag("orderbydesc"):
        rows.reverse()
    smss = {str(sms.id): _row(state, sms, zone) for sms in rows}
    return {"error": 0, "smss": smss, "count": len(rows), "message": "OK"}


def sms_status(state: State, params: Params) -> Mapping[str, Any]:
    """Answer getsmsstatus: the state of one message."""
    sms = state.store.get(params.integer("sms_id", required=True) or 0)
    if sms is None:
        raise Refused("Sms not found")
    status = state.status(sms)
    return {
        "error": 0,
        "sms_id": sms.id,
        "status": status,
        "status_description": STATUS_TEXTS.get(status, ""),
        "message": "Ok",
    }


def _filtered(state: State, params: Params) -> list[Sms]:
    begin, end = _bounds(params)
    device_name = params.text("device_id")
    status, sim, customerid = params.integer("status"), params.integer("sim"), params.integer("customerid")
    phone = params.text("phone")
    rows: Collection[Sms] = state.store.all() if customerid is None else state.store.of_customer(customerid)
    if device_name:
        # The documents name no error for an unknown phone, so the list is empty.
        found = state.account.device(device_name)
        device = found[0] if found else None
        rows = [sms for sms in rows if sms.device is device]
    if sim is not None:
        rows = [sms for sms in rows if sms.sim == sim]
    if phone:
        digits = digits_of(phone)
        rows = [sms for sms in rows if digits in digits_of(sms.sendto)]
    return [sms for sms in rows if begin <= sms.created <= end and (status is None or state.status(sms) == status)]


def _bounds(params: Params) -> tuple[datetime, datetime]:
    """Return the first and the last time to list, both inclusive; an end without a time means the end of that day."""
    begin, end = params.text("begindate").strip(), params.text("enddate").strip()
    first = utc_moment(begin, "begindate") if begin else _FIRST
    last = utc_moment(end, "enddate") if end else _LAST
    return first, last + timedelta(days=1, seconds=-1) if len(end) == len("2199-12-31") else last


def _row(state: State, sms: Sms, zone: ZoneInfo) -> dict[str, Any]:
    quirks, status = state.quirks, state.status(sms)
    kind = quirks.timezone_type
    sent_at = None if quirks.no_senttime else sms.sent_at(state.box, status)
    wanted = sms.scheduled_at or (sms.created if quirks.listing_of_2021 else None)
    newsletter = sms.newsletter
    row: dict[str, Any] = {
        "id": sms.id,
        "sendto": sms.sendto,
        "body": sms.body,
        "customerid": 0 if sms.customerid is None and sms.bulk and quirks.bulk_customerid_zero else sms.customerid,
        "status": status,
        "statustitle": STATUS_TEXTS.get(status, ""),
        "deviceid": sms.device.id,
        "urgent": _urgent(state, sms),
        "created": php_date(sms.created, zone, kind),
        "senttime": None if sent_at is None else php_date(sent_at, zone, kind),
        "timetosend": None if wanted is None else php_date(wanted, zone, kind),
        "paketid": None if newsletter is None else newsletter.id,
        "pakettitle": None if newsletter is None else newsletter.title,
        "paketbody": None if newsletter is None else newsletter.body,
    }
    if quirks.listing_of_2021:
        row["sim"] = sms.sim
    return row


def _urgent(state: State, sms: Sms) -> Any:
    match state.quirks.urgent:
        case "null_or_1":
            return 1 if sms.urgent else None
        case "null_or_true":
            return True if sms.urgent else None
        case _:
            return int(sms.urgent)
