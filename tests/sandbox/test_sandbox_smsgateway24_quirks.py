"""Each quirk of the emulated smsgateway24: what it changes, and that requests still end as they should."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import attrs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk.sandbox import Sandbox, SmsGateway24
from mensasdk.sandbox.smsgateway24 import Quirks
from mensasdk.sandbox.vendor import Incoming
from sandbox.smsgateway24_caller import SEND, Gateway


def use(gateway: Gateway, **quirks: Any) -> None:
    gateway.vendor.quirks = Quirks(**quirks)


async def row(gateway: Gateway, **params: Any) -> Any:
    """Return the list's entry for a new message."""
    sms_id = (await gateway.send(**params))["sms_id"]
    return (await gateway.call("getallsms"))["smss"][str(sms_id)]


def test_all_quirks_are_off_by_default_and_all_turns_on_what_a_client_can_survive() -> None:
    off, every = attrs.asdict(Quirks()), attrs.asdict(Quirks.all())
    assert {name for name in off if off[name] == every[name]} == {"gettoken_get_only", "tag_name"}


async def test_lists_instead_of_objects(gateway: Gateway) -> None:
    use(gateway, lists=True)
    sms_id = (await gateway.send())["sms_id"]
    assert [item["id"] for item in (await gateway.call("getallsms"))["smss"]] == [sms_id]
    assert [item["id"] for item in (await gateway.call("getalldevices"))["device"]] == [260, 261]


@pytest.mark.parametrize(("empty", "value"), [("object", {}), ("list", []), ("null", None), ("missing", ...)])
async def test_what_an_empty_container_is(gateway: Gateway, empty: str, value: Any) -> None:
    use(gateway, empty=empty)
    gateway.vendor.account.devices.clear()
    assert (await gateway.call("getallsms")).get("smss", ...) == value
    assert (await gateway.call("getalldevices")).get("device", ...) == value


async def test_error_missing_on_success_only(gateway: Gateway) -> None:
    use(gateway, missing_error=True)
    assert (await gateway.send()).keys() == {"sms_id", "message"}
    assert (await gateway.send(body=""))["error"] == 1
    assert [request.outcome for request in gateway.box.ledger.requests] == ["0", "1"]


async def test_error_as_a_string(gateway: Gateway) -> None:
    use(gateway, error_as_string=True)
    assert (await gateway.send())["error"] == "0"
    assert (await gateway.send(body=""))["error"] == "1"
    assert "error" not in await gateway.call("getalldevices")


async def test_the_message_of_success_varies(gateway: Gateway) -> None:
    use(gateway, message_variants=True)
    texts = [(await gateway.send())["message"] for _ in range(5)]
    assert set(texts) == {"OK", "Ok", "ok", "", "Sms has been saved successfully"}
    assert (await gateway.send(body=""))["message"] == "body is required"


async def test_ids_as_strings(gateway: Gateway) -> None:
    use(gateway, ids_as_strings=True)
    sent = await gateway.send(customerid=5)
    assert isinstance(sent["sms_id"], str)
    assert sent["error"] == 0
    item = (await gateway.call("getallsms"))["smss"][sent["sms_id"]]
    assert (item["id"], item["deviceid"], item["customerid"]) == (sent["sms_id"], "260", "5")
    assert (item["paketid"], item["status"]) == (None, 7)
    assert (await gateway.call("getdevicestatus", device_id=260))["device_id"] == "260"
    assert (await gateway.call("getalldevices"))["device"]["261"]["id"] == "261"
    assert (await gateway.call("savetag", title="a"))["tag_id"].isdigit()


async def test_errors_with_an_http_status(gateway: Gateway) -> None:
    use(gateway, http_errors=True)
    for data, status in (({"token": "x"}, 401), ({"token": gateway.vendor.token}, 400)):
        answer = await gateway.ask("POST", "addsms", data=data)
        assert answer.status == status
        assert json.loads(answer.body)["error"] == 1
    assert (await gateway.ask("POST", "gettoken", data={})).status == 401
    assert (await gateway.ask("POST", "addsms", data={**SEND, "token": gateway.vendor.token})).status == 200


async def test_a_wrong_token_with_the_published_text(gateway: Gateway) -> None:
    use(gateway, published_text_only=True)
    assert (await gateway.call("addsms", token="x"))["message"] == "Login or password incorrect"


async def test_each_login_ends_the_token_before(gateway: Gateway) -> None:
    login = {"email": gateway.vendor.account.email, "pass": gateway.vendor.account.password}

    async def log_in() -> str:
        token: str = json.loads((await gateway.ask("POST", "gettoken", data=login)).body)["token"]
        return token

    assert await log_in() == await log_in()
    use(gateway, token_per_login=True)
    first, second = await log_in(), await log_in()
    assert (await gateway.call("addsms", token=first, **SEND))["error"] == 1
    assert (await gateway.call("addsms", token=second, **SEND))["error"] == 0


async def test_gettoken_by_get_only(gateway: Gateway) -> None:
    use(gateway, gettoken_get_only=True)
    login = {"email": gateway.vendor.account.email, "pass": gateway.vendor.account.password}
    assert json.loads((await gateway.ask("POST", "gettoken", data=login)).body)["error"] == 1
    assert json.loads((await gateway.ask("GET", "gettoken", params=login)).body)["error"] == 0


@pytest.mark.parametrize(
    ("kind", "zone", "summer", "winter"),
    [
        (3, "Europe/Paris", ("12:00", "Europe/Paris"), ("11:00", "Europe/Paris")),
        (1, "Europe/Paris", ("12:00", "+02:00"), ("11:00", "+01:00")),
        (2, "Europe/Paris", ("12:00", "CEST"), ("11:00", "CET")),
        (3, "UTC", ("10:00", "UTC"), ("10:00", "UTC")),
        (1, "America/New_York", ("06:00", "-04:00"), ("05:00", "-05:00")),
    ],
)
async def test_dates_in_phps_three_kinds_and_any_zone(
    gateway: Gateway, kind: Any, zone: str, summer: tuple[str, str], winter: tuple[str, str]
) -> None:
    use(gateway, timezone_type=kind, output_zone=zone)
    for month, (clock, name) in ((7, summer), (1, winter)):
        sms_id = (await gateway.send())["sms_id"]
        gateway.sms(sms_id).created = datetime(2026, month, 15, 10, tzinfo=UTC)
        created = (await gateway.call("getallsms"))["smss"][str(sms_id)]["created"]
        date = f"2026-{month:02}-15 {clock}:00.000000"
        assert created == {"date": date, "timezone_type": kind, "timezone": name}
    device = (await gateway.call("getdevicestatus", device_id=260))["lastseen"]
    assert device["timezone_type"] == kind


@pytest.mark.parametrize(
    ("urgent", "values"), [("null_or_1", (None, 1)), ("null_or_true", (None, True)), ("0_or_1", (0, 1))]
)
async def test_urgent_in_lists(gateway: Gateway, urgent: str, values: tuple[Any, Any]) -> None:
    use(gateway, urgent=urgent)
    for given_value, shown in zip((0, 1), values, strict=True):
        value = (await row(gateway, urgent=given_value))["urgent"]
        assert (type(value), value) == (type(shown), shown)


async def test_customerid_zero_in_bulk(gateway: Gateway) -> None:
    use(gateway, bulk_customerid_zero=True)
    await gateway.bulk({}, {"customerid": 4})
    await gateway.send()
    smss = (await gateway.call("getallsms"))["smss"].values()
    assert [item["customerid"] for item in smss] == [0, 4, None]


async def test_the_listing_of_2021(gateway: Gateway) -> None:
    assert "sim" not in await row(gateway)
    use(gateway, listing_of_2021=True)
    item = await row(gateway, sim=1)
    assert item["sim"] == 1
    assert item["timetosend"] == item["created"]


async def test_no_senttime(gateway: Gateway) -> None:
    use(gateway, no_senttime=True)
    item = await row(gateway)
    assert (item["status"], item["senttime"]) == (7, None)


async def test_imei_as_the_text_null(gateway: Gateway) -> None:
    use(gateway, imei_text_null=True)
    devices = (await gateway.call("getalldevices"))["device"]
    assert [device["imei"] for device in devices.values()] == ["358240051111110", "null"]


async def test_siminfo_as_null_or_text(gateway: Gateway) -> None:
    use(gateway, siminfo="null")
    assert (await gateway.call("getalldevices"))["device"]["260"]["siminfo"] is None
    use(gateway, siminfo="text")
    assert len(json.loads((await gateway.call("getalldevices"))["device"]["260"]["siminfo"])) == 2


async def test_a_bare_json_body_in_bulk(gateway: Gateway) -> None:
    use(gateway, raw_json_bulk=True)
    data = {"token": gateway.vendor.token, "smsdata": [SEND]}
    assert json.loads((await gateway.ask("POST", "addalotofsms", json=data)).body)["error"] == 0
    assert json.loads((await gateway.ask("POST", "addalotofsms", json={**data, "token": "x"})).body)["error"] == 1
    assert (await gateway.bulk({}))["error"] == 0, "the form is still read"
    assert len(gateway.box.ledger) == 2
    assert gateway.vendor.token not in repr(gateway.box.ledger.requests)


async def test_bulk_that_drops_what_it_cannot_take(gateway: Gateway) -> None:
    """Success is all that the answer says; only the ledger and the list know better."""
    use(gateway, partial_bulk=True)
    for items, accepted in (([{}, {"device_id": 1}, {"sendto": ""}], 1), ([{"sim": 9}], 0)):
        assert (await gateway.bulk(*items))["error"] == 0
        assert gateway.box.ledger.requests[-1].n_accepted == accepted
    assert len(gateway.box.ledger) == 1


async def test_the_last_id_of_several(gateway: Gateway) -> None:
    sent = await gateway.send("1,2,3")
    assert sent["sms_id"] == (await gateway.listed())[0]
    use(gateway, last_id=True)
    sent = await gateway.send("1,2,3")
    assert sent["sms_id"] == (await gateway.listed())[-1]
    assert {message.message_id for message in gateway.box.ledger.messages[3:]} == {str(sent["sms_id"])}


@pytest.mark.parametrize("understood", ["tag_id", "ctag_id"])
async def test_one_spelling_of_the_tag(gateway: Gateway, understood: str) -> None:
    use(gateway, tag_name=understood)
    tag = (await gateway.call("savetag", title="a"))["tag_id"]
    for name in ("tag_id", "ctag_id"):
        answer = await gateway.call("savecontact", phone="1", **{name: tag})
        assert answer["error"] == (0 if name == understood else 1)
    assert (await gateway.call("savecontact", phone="1", tag_id=tag, ctag_id=tag))["error"] == 0


async def test_all_quirks_together_still_send_and_list(gateway: Gateway) -> None:
    gateway.vendor.quirks = Quirks.all()
    sent = await gateway.send("+34600000001,+34600000002")
    assert await gateway.listed() == [str(int(sent["sms_id"]) - 1), sent["sms_id"]]
    assert len(gateway.box.ledger) == 2


# ---------------------------------------------------------------------- any input at all

NAMES = [
    "token", "pass", "email", "sendto", "body", "device_id", "sim", "timetosend", "customerid", "urgent", "file",
    "datajson", "status", "begindate", "enddate", "onlycount", "phone", "orderbydesc", "timezone", "title", "tag_id",
    "ctag_id", "fullname", "tags", "time_to_send", "sms_id", "send_to", "sender_id", "template_id", "template_data",
]  # fmt: skip
PLAUSIBLE = st.sampled_from(
    ["TOKEN", "+34600000000", "1,2", "260", "MENSASDK", "0", "1", 1, 2, 9, True, "2199-01-01", "2026-01-01 10:00",
     "01.01.2199 10:00:00", "Europe/Paris", "Etc/GMT+5", {"var_1": "x"}, [], "9" * 18, 10**18, -1]
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | PLAUSIBLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), PLAUSIBLE | VALUES)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, str, bytes]:
    """Function, query, content type and body; most of them with a valid token and much that is plausible."""
    function = draw(st.sampled_from(sorted(SmsGateway24.functions)))
    likely = {**SEND, "token": "TOKEN", "sms_id": "1", "title": "t"} if draw(st.booleans()) else {}
    fields = {**likely, **draw(FIELDS)}
    query = draw(st.text(st.characters(max_codepoint=127), max_size=20))
    match draw(st.sampled_from(["form", "json", "bulk", "bytes", "multipart"])):
        case "json":
            return function, query, "application/json", json.dumps(fields).encode()
        case "bulk":
            data = json.dumps(
                {"token": "TOKEN", "smsdata": draw(st.lists(FIELDS | VALUES, max_size=3)), **draw(FIELDS)}
            )
            return "addalotofsms", query, "application/x-www-form-urlencoded", form_bytes({"datajson": data})
        case "bytes":
            kinds = ["", ";", "multipart/form-data", "multipart/form-data; boundary=b", "text/plain"]
            return function, query, draw(st.sampled_from(kinds)), draw(st.binary())
        case "multipart":
            parts = b"".join(
                b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
                % (name.encode(), b'; filename="a.png"' if name == "file" else b"", str(value).encode())
                for name, value in fields.items()
            )
            return function, query, "multipart/form-data; boundary=b", parts + b"--b--"
        case _:
            return function, query, "application/x-www-form-urlencoded", form_bytes(fields)


def form_bytes(fields: dict[str, Any]) -> bytes:
    return urlencode({name: str(value) for name, value in fields.items()}).encode()


@pytest.mark.slow
@pytest.mark.parametrize("quirks", [Quirks(), Quirks.all()])
@settings(max_examples=examples(400), deadline=None)
@given(request_parts=requests())
async def test_every_request_gets_an_answer_and_every_message_is_counted(
    quirks: Quirks, request_parts: tuple[str, str, str, bytes]
) -> None:
    function, query, kind, body = request_parts
    box = Sandbox(smsgateway24=SmsGateway24(quirks=quirks))
    vendor = box.smsgateway24
    body = body.replace(b"TOKEN", vendor.token.encode())
    request = Incoming("POST", "/", query, {"content-type": kind}, body)
    vendor.decode(function, request)
    reply = vendor.handle(function, request)
    assert isinstance(orjson.loads(reply.body), dict)
    assert reply.outcome in ("0", "1")
    assert reply.outcome == "0" or not reply.accepted
    assert len(box.ledger) == len(box.ledger.messages) == len(vendor.store) == reply.accepted
    assert all(message.parts >= 1 and message.credits == 0 for message in box.ledger.messages)
    listing = Incoming("GET", "/", f"token={vendor.token}", {}, b"")
    vendor.decode("getallsms", listing)
    assert orjson.loads(vendor.handle("getallsms", listing).body)["count"] == reply.accepted
