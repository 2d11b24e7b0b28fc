"""Sending: what stands in the request, what the answer becomes, and what is refused before anything leaves."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import next_year
from tiers import examples

from mensasdk import ConfigurationError, MensaError, OutcomeKind, ScheduleError, ValidationError
from mensasdk.vendors.smsgateway24 import BulkSms, SendResult, SimSlot, SmsGateway24Client

from .samples import BULK, BULK_CELL, BULK_SENT, SENT, TOKEN_REFUSED
from .served import DEVICE, EMAIL, LOGIN, NUMBER, PASSWORD, TOKEN, Served, client_of, talking

SOON = datetime(next_year(), 7, 15, 9, 30, 15, tzinfo=ZoneInfo("Europe/Madrid"))
SOON_UTC = f"{next_year()}-07-15 07:30:15"
PLAIN = {"token": TOKEN, "sendto": NUMBER, "body": "Hola", "device_id": str(DEVICE), "sim": "0"}


# --------------------------------------------------------------------------------------------------------------- addsms


async def test_a_send_is_one_post_with_everything_in_the_form() -> None:
    async with talking(addsms=SENT) as (client, server):
        result = await client.send_sms(NUMBER, "Hola")
    assert result == SendResult(sms_id="62807347", message="Sms has been saved successfully")
    [request] = server.requests
    assert (request.method, request.target) == ("POST", "/getdata/addsms")
    assert request.form == PLAIN
    assert TOKEN not in str(request.headers)


@pytest.mark.parametrize(
    ("option", "sent"),
    [
        ({"device_id": 11231}, {"device_id": "11231"}),
        ({"device_id": "11231"}, {"device_id": "11231"}),
        ({"device_id": "MySender"}, {"device_id": "MySender"}),
        ({"sim": 1}, {"sim": "1"}),
        ({"sim": SimSlot.RCS_2}, {"sim": "5"}),
        ({"schedule_at": SOON}, {"timetosend": SOON_UTC}),
        ({"schedule_at": SOON + timedelta(microseconds=1)}, {"timetosend": f"{next_year()}-07-15 07:30:16"}),
        ({"customer_id": 122}, {"customerid": "122"}),
        ({"customer_id": "9223372036854775807"}, {"customerid": "9223372036854775807"}),
        ({"urgent": True}, {"urgent": "1"}),
        ({"urgent": False, "customer_id": None, "schedule_at": None}, {}),
    ],
)
async def test_each_option_is_the_vendors_parameter(option: Mapping[str, Any], sent: Mapping[str, str]) -> None:
    async with talking(addsms=SENT) as (client, server):
        await client.send_sms(NUMBER, "Hola", **option)
    assert server.last.form == {**PLAIN, **sent}


@pytest.mark.parametrize("slot", list(SimSlot))
async def test_every_documented_slot_can_be_used(slot: SimSlot) -> None:
    async with talking({"sim": slot}, addsms=SENT) as (client, server):
        await client.send_sms(NUMBER, "Hola")
    assert server.last.form["sim"] == str(int(slot))


@pytest.mark.parametrize("written", ["+1- (928) -111-22-33", "0019281112233", "+1 928 111 22 33", "(928) 111-2233"])
async def test_any_spelling_of_a_number_goes_in_e164(written: str) -> None:
    async with talking({"default_country": "US"}, addsms=SENT) as (client, server):
        await client.send_sms(written, "Hola")
    assert server.last.form["sendto"] == "+19281112233"
    assert b"sendto=%2B19281112233" in server.last.body  # a bare plus would arrive as a blank


async def test_the_hour_that_comes_twice_elsewhere_is_plain_in_utc() -> None:
    async with talking(addsms=SENT) as (client, server):
        for fold, hour in ((0, "00"), (1, "01")):
            # The clocks in Berlin go back on the last Sunday of October.
            day = max(day for day in range(25, 32) if datetime(next_year(), 10, day).weekday() == 6)
            moment = datetime(next_year(), 10, day, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)
            await client.send_sms(NUMBER, "Hola", schedule_at=moment)
            assert server.last.form["timetosend"] == f"{next_year()}-10-{day} {hour}:30:00"


def test_the_vendors_captured_times_say_that_times_go_in_utc() -> None:
    """Sent as ``2021-08-01 12:00``, listed as 14:00 +02:00: read as UTC, it is the same moment."""
    listed = datetime.fromisoformat("2021-08-01 14:00:00+02:00")
    assert listed == datetime(2021, 8, 1, 12, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------------------ smstosend


async def test_a_send_with_login_carries_no_token() -> None:
    async with talking({**LOGIN, "token": TOKEN}, smstosend=SENT) as (client, server):
        result = await client.send_sms_with_login(
            NUMBER, "Hola", device_id=5, sim=1, schedule_at=SOON, customer_id=122, urgent=True
        )
    assert result.sms_id == "62807347"
    [request] = server.requests
    assert (request.method, request.target) == ("POST", "/getdata/smstosend")
    assert request.form == {
        "email": EMAIL,
        "pass": PASSWORD,
        "sendto": NUMBER,
        "body": "Hola",
        "device_id": "5",
        "sim": "1",
        "timetosend": SOON_UTC,
        "customerid": "122",
        "urgent": "1",
    }


async def test_a_send_with_login_leaves_out_what_is_not_given() -> None:
    async with talking(LOGIN, smstosend=SENT) as (client, server):
        await client.send_sms_with_login(NUMBER, "Hola")
    plain = {name: value for name, value in PLAIN.items() if name != "token"}
    assert server.last.form == {"email": EMAIL, "pass": PASSWORD, **plain}


async def test_a_send_with_login_and_wrong_password_is_refused_once() -> None:
    async with talking(LOGIN, smstosend=TOKEN_REFUSED) as (client, server):
        with pytest.raises(MensaError, match="Login or password incorrect") as caught:
            await client.send_sms_with_login(NUMBER, "Hola")
    assert caught.value.outcome is OutcomeKind.REJECTED
    assert server.functions == ["smstosend"]


async def test_a_send_with_login_needs_a_login() -> None:
    async with talking(smstosend=SENT) as (client, server):
        with pytest.raises(ConfigurationError, match="email and password"):
            await client.send_sms_with_login(NUMBER, "Hola")
    assert not server.requests


# --------------------------------------------------------------------------------------------------------- addalotofsms


async def test_the_documents_own_bulk_request_can_be_made() -> None:
    """The sample's dates have passed, so the values are compared with the year put forward."""
    moment = datetime(2019, 7, 1, 23, 50, tzinfo=UTC).replace(year=next_year())
    async with talking({"token": "df427bfcf113c9a21c6771803501", "sim": 1}, addalotofsms=BULK_SENT) as (client, server):
        result = await client.send_many(
            [
                BulkSms("+4915752982212", "Your password is 12345", schedule_at=moment, customer_id=122, urgent=True),
                BulkSms(NUMBER, "Regular SMS. Not urgnet", schedule_at=moment, customer_id=122),
            ]
        )
    assert result.message == "Sms has been saved successfully"
    assert (server.last.method, server.last.target) == ("POST", "/getdata/addalotofsms")
    sample = json.loads(BULK)
    for item in sample["smsdata"]:
        item["timetosend"] = item["timetosend"].replace("2019", str(next_year()))
        item["sendto"] = NUMBER  # the sample's spelling is a national one
    del sample["smsdata"][1]["urgent"]  # 0, which is the default
    assert server.last.datajson == sample


async def test_the_bulk_sample_of_the_table_can_be_made() -> None:
    moment = datetime(next_year(), 7, 1, 23, 50, tzinfo=UTC)
    async with talking({"sim": 1, "default_country": "DE"}, addalotofsms=BULK_SENT) as (client, server):
        await client.send_many(
            [
                BulkSms("015752982212", "Test message", schedule_at=moment),
                BulkSms("+4915752982212", "Test message 2", schedule_at=moment, urgent=True),
            ]
        )
    sample = json.loads(BULK_CELL.replace(b"2019-", f"{next_year()}-".encode()))
    sample["smsdata"][0]["sendto"] = NUMBER
    assert server.last.datajson == sample


async def test_each_message_of_a_bulk_request_has_its_own_everything() -> None:
    items = [
        BulkSms("+34600000000", "uno ñ €", device_id="MySender", sim=2),
        BulkSms("+34600000000", "dos", customer_id="7"),
    ]
    async with talking(addalotofsms=BULK_SENT) as (client, server):
        await client.send_many(iter(items))
    assert server.last.datajson == {
        "token": TOKEN,
        "smsdata": [
            {"sendto": "+34600000000", "body": "uno ñ €", "sim": 2, "device_id": "MySender"},
            {"sendto": "+34600000000", "body": "dos", "sim": 0, "device_id": DEVICE, "customerid": 7},
        ],
    }


async def test_a_bulk_request_of_nothing_is_refused() -> None:
    async with talking(addalotofsms=BULK_SENT) as (client, server):
        with pytest.raises(ValidationError) as caught:
            await client.send_many([])
    assert caught.value.field == "items"
    assert not server.requests


async def test_one_bad_message_keeps_a_bulk_request_from_leaving() -> None:
    async with talking(addalotofsms=BULK_SENT) as (client, server):
        with pytest.raises(ValidationError) as caught:
            await client.send_many([BulkSms(NUMBER, "Hola"), BulkSms(f"{NUMBER},{NUMBER}", "Hola")])
    assert caught.value.field == "number"
    assert not server.requests


# --------------------------------------------------------------------------------------------------------------- images

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) + b"\r\n--boundary--\r\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
GIF = b"GIF89a" + bytes(64)
WEBP = b"RIFF\x40\0\0\0WEBPVP8 " + bytes(64)
IMAGES = {
    "jpg": (JPEG, "image/jpeg"),
    "png": (PNG, "image/png"),
    "gif": (GIF, "image/gif"),
    "webp": (WEBP, "image/webp"),
}


@pytest.mark.parametrize("extension", IMAGES)
@pytest.mark.parametrize("sim", [2, 3])
async def test_an_image_goes_by_multipart_without_a_body(extension: str, sim: int) -> None:
    content, kind = IMAGES[extension]
    async with talking(addsms=SENT) as (client, server):
        await client.send_sms(NUMBER, sim=sim, image=content, customer_id=5, urgent=True, schedule_at=SOON)
    [request] = server.requests
    assert (request.method, request.target) == ("POST", "/getdata/addsms")
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert request.form == {
        "token": TOKEN,
        "sendto": NUMBER,
        "device_id": str(DEVICE),
        "sim": str(sim),
        "timetosend": SOON_UTC,
        "customerid": "5",
        "urgent": "1",
    }
    [(name, file)] = request.files.items()
    assert name == "file"
    assert (file.filename, file.content_type, file.content) == (f"image.{extension}", kind, content)


async def test_an_image_may_be_a_path_whose_name_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "my secret holiday.png"  # the ending lies, and does not count
    path.write_bytes(JPEG)
    async with talking({"sim": 3}, addsms=SENT) as (client, server):
        await client.send_sms(NUMBER, image=path)
        await client.send_sms(NUMBER, image=str(path))
    for request in server.requests:
        assert request.files["file"].content == JPEG
        assert request.files["file"].filename == "image.jpg"
        assert b"holiday" not in request.body


def special_files(folder: Path) -> Iterator[tuple[str, Path]]:
    picture = folder / "picture.jpg"
    picture.write_bytes(JPEG)
    link = folder / "link.jpg"
    link.symlink_to(picture)
    yield "a link", link
    pipe = folder / "pipe.jpg"
    os.mkfifo(pipe)
    yield "a pipe, which would never end", pipe
    yield "a folder", folder
    yield "nothing", folder / "nothing.jpg"
    yield "a path with NUL", folder / "a\0b.jpg"
    yield "a device", Path("/dev/zero")
    empty = folder / "empty.jpg"
    empty.write_bytes(b"")
    yield "an empty file", empty
    text = folder / "text.jpg"
    text.write_bytes(b"%PDF-1.4 no image")
    yield "no image", text
    large = folder / "large.jpg"
    with large.open("wb") as file:
        file.write(JPEG)
        file.truncate(10 * 2**20 + 1)
    yield "too large a file", large


async def test_only_a_regular_image_file_of_bounded_size_is_read(tmp_path: Path) -> None:
    short = tmp_path / "s"
    short.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short / "k"))
        async with talking({"sim": 2}, addsms=SENT) as (client, server):
            for what, path in [*special_files(tmp_path), ("a socket", short / "k")]:
                with pytest.raises(ValidationError) as caught:
                    await client.send_sms(NUMBER, image=path)
                assert caught.value.field == "image", what
                assert str(tmp_path) not in str(caught.value), what
                assert caught.value.__context__ is None, what
            await client.send_sms(NUMBER, image=JPEG + bytes(10 * 2**20 - len(JPEG)))  # the most that goes
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"image": b""}, "image"),
        ({"image": b"<svg/>"}, "image"),
        ({"image": JPEG + bytes(10 * 2**20)}, "image"),
        ({"image": bytearray(JPEG)}, "image"),
        ({"image": 0}, "image"),
        ({"image": JPEG, "text": "it would be lost"}, "text"),
        ({"image": "/nonexistent.jpg", "text": "it would be lost"}, "text"),
        ({"image": JPEG, "sim": 0}, "sim"),
        ({"image": "/nonexistent.jpg", "sim": 1}, "sim"),
        ({"image": JPEG, "sim": 4}, "sim"),
    ],
)
async def test_an_image_that_cannot_go_is_refused(change: dict[str, Any], field: str) -> None:
    async with talking({"sim": 2}, addsms=SENT) as (client, server):
        with pytest.raises(ValidationError) as caught:
            await client.send_sms(NUMBER, **change)
    assert caught.value.field == field
    assert not server.requests


# --------------------------------------------------------------------------------------------- refused before it leaves

PAST = datetime(2020, 1, 1, tzinfo=UTC)
NAIVE = datetime(next_year(), 1, 1)
LOCAL: list[tuple[str, dict[str, Any], str]] = [
    ("no number", {"number": ""}, "number"),
    ("two numbers, comma", {"number": f"{NUMBER},+4915752982213"}, "number"),
    ("two numbers, comma and blank", {"number": f"{NUMBER}, +4915752982213"}, "number"),
    ("two numbers, wide comma", {"number": f"{NUMBER}，+4915752982213"}, "number"),
    ("two numbers, semicolon", {"number": f"{NUMBER};+4915752982213"}, "number"),
    ("two numbers, line end", {"number": f"{NUMBER}\n+4915752982213"}, "number"),
    ("a line end behind it", {"number": f"{NUMBER}\n"}, "number"),
    ("two numbers, blank", {"number": f"{NUMBER} +4915752982213"}, "number"),
    ("a national number without a country", {"number": "015752982212"}, "number"),
    ("a number as a number", {"number": 4915752982212}, "number"),
    ("an empty text", {"text": ""}, "text"),
    ("a blank text", {"text": " \n"}, "text"),
    ("NUL", {"text": "a\0b"}, "text"),
    ("half an emoji", {"text": "a\ud83d"}, "text"),
    ("bytes", {"text": b"Hola"}, "text"),
    ("slot 6", {"sim": 6}, "sim"),
    ("slot -1", {"sim": -1}, "sim"),
    ("a slot as text", {"sim": "0"}, "sim"),
    ("a slot as a flag", {"sim": True}, "sim"),
    ("an empty device", {"device_id": " "}, "device_id"),
    ("device 0", {"device_id": 0}, "device_id"),
    ("device -1", {"device_id": -1}, "device_id"),
    ("two devices", {"device_id": "260,261"}, "device_id"),
    ("a device over two lines", {"device_id": "26\n0"}, "device_id"),
    ("a device as a fraction", {"device_id": 2.5}, "device_id"),
    ("a device as a flag", {"device_id": True}, "device_id"),
    ("customer 0, which reads as none", {"customer_id": 0}, "customer_id"),
    ("customer -1", {"customer_id": -1}, "customer_id"),
    ("a word for a customer", {"customer_id": "abc"}, "customer_id"),
    ("a fraction for a customer", {"customer_id": 1.5}, "customer_id"),
    ("a customer as a flag", {"customer_id": True}, "customer_id"),
    ("a customer beyond 64 bits", {"customer_id": 2**63}, "customer_id"),
    ("a customer of 5,000 digits", {"customer_id": "1" * 5000}, "customer_id"),
    ("the past", {"schedule_at": PAST}, "schedule_at"),
    ("a naive time", {"schedule_at": NAIVE}, "schedule_at"),
]


@pytest.mark.parametrize(("change", "name"), [case[1:] for case in LOCAL], ids=[case[0] for case in LOCAL])
@pytest.mark.parametrize("way", ["addsms", "smstosend", "addalotofsms"])
async def test_what_breaks_a_rule_is_refused_by_its_name_and_nothing_leaves(
    way: str, change: dict[str, Any], name: str
) -> None:
    given = {"number": NUMBER, "text": "Hola", **change}
    async with talking(LOGIN, addsms=SENT, smstosend=SENT, addalotofsms=BULK_SENT) as (client, server):
        ways: dict[str, Callable[[], Awaitable[object]]] = {
            "addsms": lambda: client.send_sms(**given),
            "smstosend": lambda: client.send_sms_with_login(**given),
            "addalotofsms": lambda: client.send_many([BulkSms(**given)]),
        }
        with pytest.raises(ValidationError) as caught:
            await ways[way]()
    assert caught.value.field == name
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert not server.requests  # not even a login
    assert (type(caught.value) is ScheduleError) == (name == "schedule_at")


async def test_a_message_without_a_phone_to_send_it_is_refused() -> None:
    async with talking({"device_id": None}, addsms=SENT) as (client, server):
        with pytest.raises(ValidationError, match=r"list_devices\(\)") as caught:
            await client.send_sms(NUMBER, "Hola")
    assert caught.value.field == "device_id"
    assert not server.requests


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({}, ConfigurationError),
        ({"email": EMAIL}, ConfigurationError),
        ({"password": PASSWORD}, ConfigurationError),
        ({"token": TOKEN, "email": EMAIL}, ConfigurationError),
        ({"token": ""}, ConfigurationError),
        ({"token": "abc\n"}, ConfigurationError),
        ({"email": EMAIL, "password": ""}, ConfigurationError),
        ({"email": EMAIL, "password": "x\n"}, ConfigurationError),
        ({"token": TOKEN, "bulk": "both"}, ConfigurationError),
        ({"token": TOKEN, "max_recipients": 0}, ConfigurationError),
        ({"token": TOKEN, "base_url": "http://smsgateway24.com/getdata"}, ConfigurationError),
        ({"token": TOKEN, "base_url": f"https://smsgateway24.com/getdata?token={TOKEN}"}, ConfigurationError),
        ({"token": TOKEN, "sim": 6}, ValidationError),
        ({"token": TOKEN, "device_id": "1,2"}, ValidationError),
    ],
)
def test_a_client_that_is_set_up_wrongly_is_refused(settings: dict[str, Any], error: type[MensaError]) -> None:
    with pytest.raises(error) as caught:
        SmsGateway24Client(**settings)
    assert TOKEN not in str(caught.value)
    assert PASSWORD not in str(caught.value)


# ------------------------------------------------------------------------------------------------------------ injection


@frozen
class Stage:
    """A server and a client that live through all examples of a property, in a loop of their own."""

    runner: Any
    server: Served


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with asyncio.Runner() as runner:
        server = Served(addsms=SENT, addalotofsms=BULK_SENT)
        runner.run(server.__aenter__())
        yield Stage(runner, server)
        runner.run(server.__aexit__())


SPICE = st.sampled_from(
    ["&", "=", "+", "%26", "%00", '"', "\\", "'", '"}]', "\r\n", "--", "#", "&token=x", "{", "\u2028"]
)
TEXT = st.lists(SPICE | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=6).map(
    "".join
)


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None)
@given(text=TEXT.filter(lambda text: text.strip() and "\0" not in text))
def test_no_text_changes_another_parameter(stage: Stage, text: str) -> None:
    async def send() -> None:
        async with client_of(stage.server) as client:
            await client.send_sms(NUMBER, text)
            assert stage.server.last.form == {**PLAIN, "body": text}
            await client.send_many([BulkSms(NUMBER, text)])
            item = {"sendto": NUMBER, "body": text, "sim": 0, "device_id": DEVICE}
            assert stage.server.last.datajson == {"token": TOKEN, "smsdata": [item]}

    stage.server.requests.clear()
    stage.runner.run(send())
