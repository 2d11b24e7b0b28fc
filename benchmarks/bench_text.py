"""Time `segments` on a GSM text of 160 characters and `parse` on an E.164 number.

Run it with ``python benchmarks/bench_text.py``. Each figure is the best of several rounds, in microseconds a call, and
as a multiple of a trivial operation that was timed in the same run, which is what can be compared between machines.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from mensasdk.phone import parse
from mensasdk.text import segments

TEXT = ("Su pedido está en camino y llega mañana. " * 5).replace("á", "a")[:160]
MIXED = TEXT[:150] + "€" * 5
LONG = MIXED * 4


def microseconds(function: Callable[[], object]) -> float:
    timer = timeit.Timer(function)
    timer.timeit(100)  # caches and lazy imports are not what is measured
    number, _ = timer.autorange(None)
    number = max(1, number // 4)
    return min(timer.repeat(repeat=5, number=number)) / number * 1e6


def main() -> None:
    baseline = microseconds(lambda: TEXT.encode("utf-16-be"))
    print(f"{'baseline: 160 characters to UTF-16':<44}{baseline:8.2f} µs    1.0")
    cases: list[tuple[str, Callable[[], object]]] = [
        ("segments: 160 GSM characters", lambda: segments(TEXT)),
        ("segments: 160 septets with euro signs", lambda: segments(MIXED)),
        ("segments: 640 septets with euro signs", lambda: segments(LONG)),
        ("segments: 160 characters of Unicode", lambda: segments("中" + TEXT[1:])),
        ("parse: E.164", lambda: parse("+34600000000")),
        ("parse: national, with a default country", lambda: parse("600000000", default_country="ES")),
        ("parse: international without plus (checked)", lambda: parse("34600000000")),
        ("parse: with spaces", lambda: parse("+34 600 00 00 00")),
    ]
    for name, function in cases:
        took = microseconds(function)
        print(f"{name:<44}{took:8.2f} µs {took / baseline:6.1f}")


if __name__ == "__main__":
    main()
