"""Time the counting of SMS parts beside other libraries, and the conversion to GSM 03.38 and the parsing of numbers.

Run it with ``python benchmarks/bench_text.py``. The libraries are those of the extra ``bench``, which
``pip install '.[bench]'`` installs. A library that is missing is left out, with a note. Before the timing, each library
counts the parts of every text. A library that counts differently is named, and timed all the same. Some libraries are
faster than ours on Unicode: they stop at the first character outside GSM 03.38, and divide. Ours names each such
character, and packs the text into parts.

A figure is the best of several rounds, in microseconds per text. The libraries take turns. Between machines, compare
only the ratio of a library to `mensasdk.segments`.
"""

from __future__ import annotations

import importlib
import math
import timeit
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mensasdk import EnviaTuSmsClient, MensatekClient
from mensasdk.phone import parse
from mensasdk.text import segments, split, to_gsm

SENTENCE = "Su pedido llega mañana a las diez, ¿le parece bien? Gracias por su compra. "
ACCENTED = "Su pedido llegará mañana, ¿está usted allí? Gracias por su compra, señor García. "
TEXTS = {
    "GSM, 160 characters": (SENTENCE * 3)[:160],
    "GSM, 400 characters": (SENTENCE * 6)[:400],
    "GSM, 150 and 5 euro signs": (SENTENCE * 2)[:150] + "€" * 5,
    "GSM, 300 and 30 brackets": ("[" + SENTENCE[:9] + "]") * 15 + (SENTENCE * 2)[:150],
    "UCS-2, 70 characters": ACCENTED[:70],
    "UCS-2, 160 characters": (ACCENTED * 2)[:160],
    "UCS-2, 200 characters": (ACCENTED * 3)[:200],
    "emoji, 35": "😀" * 35,
    "emoji among 200 characters": ("Hola 😀 ¿qué tal? 👍🏽 " * 12)[:200],
    "emoji where parts end": "ж" * 66 + "😀" + "ж" * 66,
}
ROUNDS = 30


def parts_by_smsutil() -> Callable[[str], int]:
    library: Any = importlib.import_module("smsutil")
    return lambda text: len(library.split(text).parts)


def parts_by_sms_toolkit() -> Callable[[str], int]:
    library: Any = importlib.import_module("sms_toolkit")
    return lambda text: int(library.profile_message(text)["num_segments"])


def parts_by_sms_counter() -> Callable[[str], int]:
    library: Any = importlib.import_module("sms.counter")
    counter = library.SMSCounter()
    return lambda text: int(counter.count(sms_content=text).segment)


def parts_by_smpplib() -> Callable[[str], int]:
    library: Any = importlib.import_module("smpplib.gsm")
    return lambda text: len(library.make_parts(text)[0])


def parts_by_py_smsify() -> Callable[[str], int]:
    library: Any = importlib.import_module("py_smsify")
    return lambda text: int(library.SmsMessage(text, twilio=True).segments)


def parts_by_gsm0338() -> Callable[[str], int]:
    """Return a function that counts septets with this codec and divides them into parts, as users of it do."""
    importlib.import_module("gsm0338")

    def parts(text: str) -> int:
        try:
            units, alone, joined = len(text.encode("gsm03.38")), 160, 153
        except UnicodeError:
            units, alone, joined = len(text.encode("utf-16-be")) // 2, 70, 67
        return 1 if units <= alone else math.ceil(units / joined)

    return parts


LIBRARIES = {
    "smsutil": parts_by_smsutil,
    "sms-toolkit": parts_by_sms_toolkit,
    "sms-counter": parts_by_sms_counter,
    "smpplib": parts_by_smpplib,
    "py-smsify": parts_by_py_smsify,
    "gsm0338": parts_by_gsm0338,
}


def installed() -> dict[str, Callable[[str], int]]:
    found: dict[str, Callable[[str], int]] = {}
    for name, load in LIBRARIES.items():
        try:
            found[name] = load()
        except ImportError as error:
            print(f"left out: {name} ({error})")
    return found


def agree(libraries: Mapping[str, Callable[[str], int]]) -> None:
    """Check that our count equals the parts of `split`, and print the libraries that count differently."""
    wrong: dict[str, list[str]] = {}
    for label, text in TEXTS.items():
        parts = segments(text).parts
        assert parts == len(split(text))
        for name, count in libraries.items():
            if count(text) != parts:
                wrong.setdefault(name, []).append(f"{label}: {count(text)} parts, not {parts}")
    right = [name for name in libraries if name not in wrong]
    # These two agree with us on the ten thousand texts of tests/test_text_agreement.py: a difference is our fault.
    assert not {"smsutil", "sms-toolkit"} & wrong.keys(), wrong
    print(f"same parts for all texts: mensasdk{''.join(', ' + name for name in right)}")
    for name, texts in wrong.items():
        print(f"differs: {name} ({'; '.join(texts)})")


def microseconds(functions: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the best round of each function. They take turns, so that a busy moment of the machine hits all."""
    timers = {name: timeit.Timer(function) for name, function in functions.items()}
    numbers = {}
    for name, timer in timers.items():
        timer.timeit(20)  # fills caches and does lazy imports, which are not measured
        numbers[name] = max(1, int(0.004 / (timer.timeit(20) / 20)))
    best = dict.fromkeys(timers, math.inf)
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            best[name] = min(best[name], timer.timeit(numbers[name]) / numbers[name])
    return {name: seconds * 1e6 for name, seconds in best.items()}


def compare(libraries: Mapping[str, Callable[[str], int]]) -> None:
    print(f"\n{'µs a text, and × ours':<28}{'mensasdk':>10}", *(f"{name:>20}" for name in libraries), sep="")
    for label, text in TEXTS.items():
        functions: dict[str, Callable[[], object]] = {"mensasdk": partial(segments, text)}
        functions |= {name: partial(count, text) for name, count in libraries.items()}
        took = microseconds(functions)
        ours = took.pop("mensasdk")
        print(f"{label:<28}{ours:10.2f}", *(f"{one:11.1f} ({one / ours:5.1f})" for one in took.values()), sep="")


def rest() -> None:
    mensatek, enviatusms = MensatekClient.text_rule, EnviaTuSmsClient.text_rule
    gsm, accented = TEXTS["GSM, 160 characters"], TEXTS["UCS-2, 160 characters"]
    emoji = TEXTS["emoji among 200 characters"]
    took = microseconds(
        {
            "baseline: 160 characters to UTF-16": lambda: gsm.encode("utf-16-be"),
            "split: GSM, 400 characters": lambda: split(TEXTS["GSM, 400 characters"]),
            "split: UCS-2, 200 characters": lambda: split(TEXTS["UCS-2, 200 characters"]),
            "to_gsm: nothing to do": lambda: to_gsm(gsm),
            "to_gsm: Spanish accents": lambda: to_gsm(accented),
            "to_gsm: emoji": lambda: to_gsm(emoji),
            "Mensatek's rule: nothing to do": lambda: mensatek.apply(gsm),
            "Mensatek's rule: Spanish accents": lambda: mensatek.apply(accented),
            "EnvíaTuSMS's rule: Spanish accents": lambda: enviatusms.apply(accented),
            "parse: E.164": lambda: parse("+34600000000"),
            "parse: national, with a default country": lambda: parse("600000000", default_country="ES"),
            "parse: international without plus (checked)": lambda: parse("34600000000"),
            "parse: with spaces": lambda: parse("+34 600 00 00 00"),
        }
    )
    baseline = next(iter(took.values()))
    print("\nµs, and × the baseline")
    for name, one in took.items():
        print(f"{name:<46}{one:8.2f} {one / baseline:7.1f}")


def main() -> None:
    warnings.simplefilter("ignore")  # sms-counter uses deprecated parts of pydantic
    libraries = installed()
    agree(libraries)
    compare(libraries)
    rest()


if __name__ == "__main__":
    main()
