"""Measure (e), reading a report of 1,000 recipients from JSON, XML and TXT, beside ``orjson.loads`` of the JSON.

`MensatekClient.get_report` is measured as a user calls it, with aware times, states as an enum, and all checks, on a
transport that has the answer already. Before that, the three formats must give equal values.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import orjson
from attrs import evolve

from benchmarks.measure import ratio, spread
from mensasdk import HttpRequest, HttpResponse, MensatekClient, Timeouts
from mensasdk.codec import Format, decode
from mensasdk.vendors.mensatek import Report

__all__ = ["BODIES", "Decoder", "Reader"]

LINES = 1000
STATES = (("1", "ENTREGADO"), ("2", "EN COLA"), ("3", "NO ENTREGADO"))
_REPEATS = 5


def rows() -> list[dict[str, str]]:
    return [
        {
            "Fecha": f"2030-04-30 {i // 60 % 24:02}:{i % 60:02}:{i * 7 % 60:02}",
            "Tiempo": str(i % 90),
            "Telefono": str(34600000000 + i * 37),
            "Resultado": STATES[i % 3][0],
            "Estado": STATES[i % 3][1],
        }
        for i in range(LINES)
    ]


def as_json() -> bytes:
    return orjson.dumps([{"Cred": "12345.67", "Res": 1, "Destinatarios": LINES, "Informe": rows()}])


def as_xml() -> bytes:
    lines = "".join(
        f"<item{i}>{''.join(f'<{key}>{value}</{key}>' for key, value in row.items())}</item{i}>\n"
        for i, row in enumerate(rows())
    )
    head = f"<Cred>12345.67</Cred><Res>1</Res><Destinatarios>{LINES}</Destinatarios>"
    return f'<?xml version="1.0"?>\n<result>\n{head}\n<Informe>{lines}</Informe>\n</result>\n'.encode()


def as_txt() -> bytes:
    lines = "".join(
        f"{i}: [\r\n{''.join(f'{key}:{value};' + chr(13) + chr(10) for key, value in row.items())}]\r\n"
        for i, row in enumerate(rows())
    )
    return f"Cred:12345.67;\r\nRes:1;\r\nDestinatarios:{LINES};\r\nInforme:\r\n[\r\n{lines}]\r\n".encode()


BODIES: Mapping[Format, Callable[[], bytes]] = {Format.JSON: as_json, Format.XML: as_xml, Format.TXT: as_txt}
_TYPES = {Format.JSON: "application/json", Format.XML: "text/xml", Format.TXT: "text/plain"}


class _Ready:
    """Transport that has the answer already."""

    def __init__(self, response: HttpResponse) -> None:
        self._response = response

    async def send(self, request: HttpRequest, *, timeouts: Timeouts) -> HttpResponse:
        return self._response

    async def aclose(self) -> None:
        pass


class Reader:
    """Client that reads the report in one format."""

    def __init__(self, form: Format) -> None:
        self.body = BODIES[form]()
        response = HttpResponse(200, {"content-type": _TYPES[form]}, self.body)
        self._client = MensatekClient("user", "token", answer_format=form.value, transport=_Ready(response))

    async def read(self, times: int = 1) -> Report:
        for _ in range(times - 1):
            await self._client.get_report("1")
        return await self._client.get_report("1")


def same(one: Report, other: Report) -> bool:
    """Return whether two reports are equal but for ``raw``, in which JSON has numbers where XML has text."""

    def plain(report: Report) -> Report:
        return evolve(report, raw={}, lines=tuple(evolve(line, raw={}) for line in report.lines))

    return plain(one) == plain(other)


class Decoder:
    """Contestant in a worker's process, in which all cases take turns."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._readers = {form: Reader(form) for form in BODIES}
        reports = {form: self._runner.run(reader.read()) for form, reader in self._readers.items()}
        first = reports[Format.JSON]
        if len(first.lines) != LINES or any(not same(first, report) for report in reports.values()):
            raise AssertionError("the formats do not come to equal values")

    def round(self, *, rounds: int, collect: bool) -> dict[str, Any]:
        """Return the seconds of each round, by case, with the garbage collector on as usual, or off."""
        times: dict[str, list[float]] = {}
        gc.collect()
        (gc.enable if collect else gc.disable)()
        try:
            for turn in range(rounds + 1):
                found = self._turn()
                if turn:  # the first one warms up
                    for name, seconds in found.items():
                        times.setdefault(name, []).append(seconds)
        finally:
            gc.enable()
        return {"seconds": times}

    def _turn(self) -> dict[str, float]:
        plain = self._readers[Format.JSON].body
        found = {"orjson.loads": _timed(lambda: orjson.loads(plain))}
        for form, reader in self._readers.items():
            body = reader.body

            def tree(body: bytes = body, form: Format = form) -> object:
                return decode(body, expect=form)

            found[f"{form} to dicts"] = _timed(tree)
            found[f"{form} to values"] = self._runner.run(_awaited(reader))
        return found

    def close(self) -> None:
        self._runner.close()


def _timed(case: Callable[[], object]) -> float:
    gc.collect()
    start = perf_counter()
    for _ in range(_REPEATS):
        case()
    return (perf_counter() - start) / _REPEATS


async def _awaited(reader: Reader) -> float:
    gc.collect()
    start = perf_counter()
    await reader.read(_REPEATS)
    return (perf_counter() - start) / _REPEATS


def summary(seconds: Mapping[str, list[float]]) -> dict[str, Any]:
    """Return the milliseconds and the ratios of each case."""
    unit = seconds["orjson.loads"]
    return {
        name: {"ms": spread([one * 1e3 for one in times]), "to_orjson": ratio(times, unit)}
        for name, times in seconds.items()
    }
