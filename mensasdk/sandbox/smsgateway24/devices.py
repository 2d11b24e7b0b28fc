"""Phones of the account: the functions getalldevices and getdevicestatus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from mensasdk.sandbox.smsgateway24.account import Device, Sim
from mensasdk.sandbox.smsgateway24.dates import human, php_date
from mensasdk.sandbox.smsgateway24.message import now_utc
from mensasdk.sandbox.smsgateway24.params import Params
from mensasdk.sandbox.smsgateway24.refusals import Refused
from mensasdk.sandbox.smsgateway24.state import State

__all__ = ["device_status", "list_devices"]


def list_devices(state: State, params: Params) -> Mapping[str, Any]:
    """Answer getalldevices: all phones, without an ``error`` field, as in the document."""
    devices = state.account.devices
    return {
        "count": len(devices),
        "device": {str(device.id): _row(state, device) for device in devices.values()},
        "message": "OK",
    }


def device_status(state: State, params: Params) -> Mapping[str, Any]:
    """Answer getdevicestatus: whether a phone is online, and when it was last seen."""
    found = state.account.device(params.text("device_id", required=True))
    if found is None:
        raise Refused("Device not found")
    device, _ = found
    now = now_utc()
    seen = device.last_seen or now
    return {
        "online": device.online,
        "error": 0,
        "message": "OK",
        "device_id": device.id,
        "lastseen": php_date(seen, state.zone, state.quirks.timezone_type),
        "diffseconds": int((now - seen).total_seconds()),
        "title": device.title,
    }


def _row(state: State, device: Device) -> dict[str, Any]:
    zone, kind = state.zone, state.quirks.timezone_type
    seen = device.last_seen or now_utc()
    imei = device.imei
    if imei is None and state.quirks.imei_text_null:
        imei = "null"
    return {
        "id": device.id,
        "title": device.title,
        "number": device.number,
        "imei": imei,
        "created": php_date(device.created, zone, kind),
        "createdhumanformat": human(device.created, zone),
        "lastseen": php_date(seen, zone, kind),
        "lastseenhumanformat": human(seen, zone),
        "serialnumber": device.serial_number,
        "siminfo": _sims(state, device),
        "appversion": device.app_version,
        "isappversionactual": device.app_is_current,
        "delaybetweeneachsms": device.delay_between_sms,
        "delaybetweenrequest": device.delay_between_requests,
        "subscription": device.subscription,
    }


def _sims(state: State, device: Device) -> Any:
    sims = [_sim(sim) for sim in device.sims]
    match state.quirks.siminfo:
        case "list":
            return sims
        case "null":
            return None
        case _:
            return orjson.dumps(sims).decode()


def _sim(sim: Sim) -> dict[str, str]:
    return {
        "Slot": str(sim.slot),
        "IccId": sim.icc_id,
        "Number": sim.number,
        "Roaming": str(int(sim.roaming)),
        "CountryIso": sim.country,
        "CarrierName": sim.carrier,
    }
