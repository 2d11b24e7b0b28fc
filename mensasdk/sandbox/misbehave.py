"""Build the spoiled answer of each fault.

Malformed answers are written to the transport as raw bytes, because aiohttp would correct them.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
import socket
import struct
import zlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from mensasdk.sandbox.faults import Fault, FaultRule
from mensasdk.sandbox.vendor import Incoming, Reply, Vendor

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

__all__ = ["MARK", "misbehave", "respond"]

MARK = {"X-Mensasdk-Sandbox": "1"}

_LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Acceso</title></head><body><h1>Acceso de clientes</h1>"
    '<form method="post"><input name="usuario"><input name="clave" type="password"></form></body></html>'
)
_BOMB_MIB = 256
_LARGE_MIB = 16


class _Done(web.StreamResponse):
    """Placeholder that makes aiohttp send nothing: the answer is written already, or there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


def respond(reply: Reply) -> web.Response:
    """Build the unspoiled HTTP response of a reply."""
    headers = {"Content-Type": reply.content_type, **MARK, **reply.headers}
    return web.Response(body=reply.body, status=reply.status, headers=headers)


async def misbehave(
    rule: FaultRule,
    vendor: Vendor,
    function: str,
    incoming: Incoming,
    reply: Reply | None,
    request: web.BaseRequest,
    give_up: asyncio.Event,
) -> web.StreamResponse:
    """Answer a request as the fault of a rule demands.

    Args:
        rule: the fault and its options.
        vendor: the emulated vendor.
        function: the vendor's function.
        incoming: the request, decoded.
        reply: the true answer; None if the vendor did not act on the request.
        request: the request as aiohttp has it, for its transport.
        give_up: event that is set when the client has gone or the sandbox closes.

    Returns:
        The response for aiohttp to send; a placeholder if the answer is on the wire already.
    """
    options, fault = rule.options, rule.fault
    # The answer to spoil looks like success, so that a client which trusts half an answer is caught.
    good = reply or vendor.answer(function, incoming, vendor.decoy(function, incoming))
    match fault:
        case Fault.RESET:
            return _reset(request)
        case Fault.CLOSE:
            return _write(request, b"")
        case Fault.HANG:
            await give_up.wait()
            return _write(request, b"")
        case Fault.DRIP:
            return await _drip(request, good, options.get("interval") or 0.05, give_up)
        case Fault.CUT_BODY | Fault.CUT_CHUNKED | Fault.CUT_CLOSE_DELIMITED:
            return _write(request, _cut(fault, good, options.get("cut_at")))
        case Fault.GARBAGE:
            return _write(request, b"\x16\x03\x01\x02\x00 this is not HTTP\r\n\r\n")
        case Fault.DUPLICATE_LENGTH:
            lengths = [("Content-Length", str(len(good.body))), ("Content-Length", str(len(good.body) + 7))]
            return _write(request, _head(good, *lengths) + good.body)
        case Fault.HUGE_HEADER:
            length = ("Content-Length", str(len(good.body)))
            return _write(request, _head(good, length, ("X-Filler", "x" * 20_000)) + good.body)
        case Fault.RES:
            return respond(vendor.answer(function, incoming, vendor.refusal(function, incoming, options["res"])))
        case Fault.DELAY:
            return respond(good)
        case Fault.WRONG_TYPE:
            return respond(_remade(good, good.body, "text/html; charset=utf-8"))
        case Fault.LATIN1:
            return respond(_latin1(vendor, function, incoming, good))
        case Fault.EMPTY | Fault.NO_CONTENT | Fault.HTML_PAGE | Fault.STATUS | Fault.RATE_LIMIT | Fault.REDIRECT:
            return _page(fault, options)
        case _:
            return _bad_body(fault, good.fields, options.get("field"), vendor, function)


def _write(request: web.BaseRequest, data: bytes) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        if data:
            transport.write(data)
        transport.close()
    return _Done()


def _reset(request: web.BaseRequest) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        # Lingering for zero seconds turns the close into an RST.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return _Done()


def _head(reply: Reply, *more: tuple[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", f"Content-Type: {reply.content_type}"]
    lines += [f"{name}: {value}" for name, value in (*MARK.items(), *reply.headers.items(), *more)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _cut(fault: Fault, reply: Reply, cut_at: int | None) -> bytes:
    part = reply.body[: len(reply.body) // 2 if cut_at is None else cut_at]
    if fault is Fault.CUT_BODY:
        return _head(reply, ("Content-Length", str(len(reply.body)))) + part
    if fault is Fault.CUT_CHUNKED:
        # The size of the chunk is that of the whole body, of which only a part follows.
        return _head(reply, ("Transfer-Encoding", "chunked")) + f"{len(reply.body):x}\r\n".encode() + part
    return _head(reply, ("Connection", "close")) + part


async def _drip(request: web.BaseRequest, reply: Reply, interval: float, give_up: asyncio.Event) -> web.StreamResponse:
    for byte in _head(reply, ("Content-Length", str(len(reply.body)))) + reply.body:
        transport = request.transport
        if transport is None or give_up.is_set():
            break
        transport.write(bytes((byte,)))
        await _pause(interval, give_up)
    return _write(request, b"")


async def _pause(seconds: float, give_up: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await give_up.wait()
    except TimeoutError:
        pass


def _page(fault: Fault, options: Mapping[str, Any]) -> web.Response:
    headers = {"Content-Type": "text/html; charset=utf-8", **MARK}
    body = options.get("body")
    status: int = options.get("status") or 200
    match fault:
        case Fault.NO_CONTENT:
            return web.Response(status=204, headers=MARK)
        case Fault.EMPTY:
            body = b""
        case Fault.HTML_PAGE:
            body = _LOGIN_PAGE if body is None else body
        case Fault.RATE_LIMIT:
            status = 429
            if options.get("retry_after") is not None:
                headers["Retry-After"] = str(options["retry_after"])
        case Fault.REDIRECT:
            status = options.get("status") or 302
            headers["Location"] = options.get("location") or "/redirected"
    if body is None:
        body = f"<html><body><h1>{status} {_phrase(status)}</h1></body></html>"
    headers.update(options.get("headers") or {})
    return web.Response(status=status, headers=headers, body=body.encode() if isinstance(body, str) else body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _remade(reply: Reply, body: bytes, content_type: str) -> Reply:
    return Reply(fields=reply.fields, body=body, content_type=content_type, status=reply.status)


def _latin1(vendor: Vendor, function: str, incoming: Incoming, good: Reply) -> Reply:
    accented = vendor.answer(function, incoming, {**good.fields, "Nota": "operación de España"})
    # XML answers write these letters as ASCII references, which would hide the fault.
    text = re.sub(r"&#x([0-9A-Fa-f]+);", lambda match: chr(int(match[1], 16)), accented.body.decode())
    return _remade(good, text.encode("latin-1", "replace"), accented.content_type)


def _bad_body(fault: Fault, fields: Mapping[str, Any], name: str | None, vendor: Vendor, function: str) -> web.Response:
    headers = {"Content-Type": "application/json; charset=utf-8", **MARK}
    frame, (result, success, refusal) = vendor.json_frame, vendor.result(function)
    name = name or result
    good = _with(frame, fields)
    match fault:
        case Fault.BAD_JSON:
            body = good[:-2]
        case Fault.NAN:
            body = _with(frame, fields, f'"{name}":NaN,"Factor":Infinity', drop=name)
        case Fault.DUPLICATE_KEYS:
            mine = json.dumps(fields[name], default=float) if name in fields else success
            body = _with(frame, fields, f'"{name}":{refusal},"{name}":{mine}', drop=name)
        case Fault.HUGE_INT:
            body = _with(frame, fields, f'"{name}":{"1" * 5_000}', drop=name)
        case Fault.DEEP_JSON:
            body = b"[" * 200_000 + b"]" * 200_000
        case Fault.TOO_LARGE:
            body = _with(frame, fields, f'"Relleno":"{"x" * (_LARGE_MIB << 20)}"')
        case Fault.DOCTYPE_XML:
            headers["Content-Type"] = "text/xml; charset=utf-8"
            body = _laughs(fields)
        case Fault.GZIP_CORRUPT:
            headers["Content-Encoding"] = "gzip"
            squeezed = bytearray(_gzip([good]))
            squeezed[12:-8] = bytes(byte ^ 0x55 for byte in squeezed[12:-8])
            body = bytes(squeezed)
        case Fault.GZIP_BOMB:
            headers["Content-Encoding"] = "gzip"
            body = _bomb(frame, f'"{result}":{success}')
        case _:
            raise AssertionError(f"no answer is defined for the fault {fault}")
    return web.Response(body=body, headers=headers)


def _with(frame: tuple[str, str], fields: Mapping[str, Any], extra: str = "", *, drop: str = "") -> bytes:
    """Return a JSON answer with ``extra`` (raw JSON members) before its fields, and without the field ``drop``."""
    members = json.dumps({key: value for key, value in fields.items() if key != drop}, default=float)[1:-1]
    return f"{frame[0]}{extra}{',' if extra and members else ''}{members}{frame[1]}".encode()


def _laughs(fields: Mapping[str, Any]) -> bytes:
    entities = '<!ENTITY a0 "ja">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    scalars = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if isinstance(value, (int, str)))
    return f'<?xml version="1.0"?><!DOCTYPE result [{entities}]><result>{scalars}<Nota>&a9;</Nota></result>'.encode()


def _gzip(pieces: list[bytes]) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(squeeze.compress(piece) for piece in pieces), squeeze.flush()])


@functools.cache
def _bomb(frame: tuple[str, str], result: str) -> bytes:
    """Build a valid gzip stream by repeating one compressed block, so that it takes 1 MiB of memory, not 256."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = f'{frame[0]}{result},"Relleno":"'.encode()
    head = squeeze.compress(first) + squeeze.flush(zlib.Z_FULL_FLUSH)
    filler = b"x" * (1 << 20)
    block = squeeze.compress(filler) + squeeze.flush(zlib.Z_FULL_FLUSH)
    last = f'"{frame[1]}'.encode()
    tail = squeeze.compress(last) + squeeze.flush()
    checksum = zlib.crc32(first)
    for _ in range(_BOMB_MIB):
        checksum = zlib.crc32(filler, checksum)
    checksum = zlib.crc32(last, checksum)
    size = (len(first) + (_BOMB_MIB << 20) + len(last)) & 0xFFFFFFFF
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return header + head + block * _BOMB_MIB + tail + struct.pack("<II", checksum, size)
