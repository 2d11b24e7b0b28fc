"""What reading a report of 1,000 recipients costs, in units of `orjson.loads` on the same report in JSON.

Run ``python benchmarks/bench_codec.py [rounds]``. The cases take turns in every round, so that a busy machine
slows all of them alike; the medians of the ratios count, not the milliseconds.
"""

from __future__ import annotations

import gc
import statistics
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from time import perf_counter
from typing import Any

import orjson
from attrs import frozen

from mensasdk.codec import Format, decode, make_converter, raw_field, structure, wire

LINES = 1_000
STATES = (("11", "Entregado al teléfono"), ("51", "No entregado"), ("1002", "Esperando al operador"))


class StatusCode(int):
    """An open enum, as the vendors define them."""


@frozen
class Line:
    at: str = wire("Fecha")
    seconds: int = wire("Tiempo")
    number: str = wire("Telefono", "Movil")
    status: StatusCode = wire("Resultado")
    text: str = wire("Estado")
    raw: Mapping[str, Any] = raw_field()


@frozen
class Report:
    result: int = wire("Res", "Resp")
    credits: Decimal = wire("Cred", "Saldo")
    lines: tuple[Line, ...] = wire("Informe")
    raw: Mapping[str, Any] = raw_field()


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


def measure(cases: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            gc.collect()
            start = perf_counter()
            for _ in range(5):
                case()
            times[name].append((perf_counter() - start) / 5)
    return times


def main(rounds: int = 30) -> None:
    """Print one line per case: milliseconds, and the ratio to ``orjson.loads`` without and with garbage collection."""
    converter = make_converter()
    plain = as_json()

    def dicts(body: bytes, form: Format) -> object:
        return decode(body, expect=form)

    def classes(body: bytes, form: Format) -> object:
        return structure(converter, decode(body, expect=form).tree, Report, vendor=None)

    cases: dict[str, Callable[[], object]] = {"orjson.loads": lambda: orjson.loads(plain)}
    for form, body in {Format.JSON: plain, Format.XML: as_xml(), Format.TXT: as_txt()}.items():
        cases[f"{form} to dicts"] = partial(dicts, body, form)
        cases[f"{form} to attrs"] = partial(classes, body, form)
    gc.disable()
    without = measure(cases, rounds)
    gc.enable()
    collected = measure(cases, rounds)

    def ratio(times: dict[str, list[float]], name: str) -> float:
        return statistics.median(own / unit for own, unit in zip(times[name], times["orjson.loads"], strict=True))

    print(f"{'':14} {'ms':>8}  {'ratio':>6}  {'ratio with gc':>13}")
    for name in cases:
        milliseconds = statistics.median(without[name]) * 1e3
        print(f"{name:<14} {milliseconds:8.2f}  {ratio(without, name):6.2f}  {ratio(collected, name):13.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
