"""Two other implementations agree with `mensasdk.text`: one written from the standard below, and one of other people.

The one below is slow and obvious: 3GPP TS 23.038's tables typed out in the standard's own layout, and characters put
into parts one after the other. The other one is the library ``smsutil``; a third, ``sms-toolkit``, is compared where it
is installed (extra ``bench``). Where a library is known to differ, exactly those texts are left out, and counted.
"""

from __future__ import annotations

import importlib.util
import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import pytest
import smsutil  # type: ignore[import-untyped]

from mensasdk.text import segments, split

# The default alphabet as the standard prints it: a row for each value of the low four bits, a column for each value of
# the high three. SP, LF and CR are spelled out, and ESC leads to the table below it.
DEFAULT_ALPHABET = """
    @    Δ    SP   0    ¡    P    ¿    p
    £    _    !    1    A    Q    a    q
    $    Φ    "    2    B    R    b    r
    ¥    Γ    #    3    C    S    c    s
    è    Λ    ¤    4    D    T    d    t
    é    Ω    %    5    E    U    e    u
    ù    Π    &    6    F    V    f    v
    ì    Ψ    '    7    G    W    g    w
    ò    Σ    (    8    H    X    h    x
    Ç    Θ    )    9    I    Y    i    y
    LF   Ξ    *    :    J    Z    j    z
    Ø    ESC  +    ;    K    Ä    k    ä
    ø    Æ    ,    <    L    Ö    l    ö
    CR   æ    -    =    M    Ñ    m    ñ
    Å    ß    .    >    N    Ü    n    ü
    å    É    /    ?    O    §    o    à
"""
# The extension table in the same layout; two dots are an empty cell.
EXTENSION_TABLE = """
    ..   ..   ..   ..   |    ..   ..   ..
    ..   ..   ..   ..   ..   ..   ..   ..
    ..   ..   ..   ..   ..   ..   ..   ..
    ..   ..   ..   ..   ..   ..   ..   ..
    ..   ^    ..   ..   ..   ..   ..   ..
    ..   ..   ..   ..   ..   ..   €    ..
    ..   ..   ..   ..   ..   ..   ..   ..
    ..   ..   ..   ..   ..   ..   ..   ..
    ..   ..   {    ..   ..   ..   ..   ..
    ..   ..   }    ..   ..   ..   ..   ..
    FF   ..   ..   ..   ..   ..   ..   ..
    ..   ..   ..   ..   ..   ..   ..   ..
    ..   ..   ..   [    ..   ..   ..   ..
    ..   ..   ..   ~    ..   ..   ..   ..
    ..   ..   ..   ]    ..   ..   ..   ..
    ..   ..   \\    ..   ..   ..   ..   ..
"""
NAMES = {"SP": " ", "LF": "\n", "CR": "\r", "FF": "\f"}
ESCAPE = 0x1B


def codes(table: str) -> dict[str, int]:
    cells: dict[str, int] = {}
    for low, row in enumerate(table.split("\n")[1:-1]):
        for high, cell in enumerate(row.split()):
            if cell not in {"..", "ESC"}:
                cells[NAMES.get(cell, cell)] = 16 * high + low
    return cells


SEPTETS = {character: [code] for character, code in codes(DEFAULT_ALPHABET).items()}
SEPTETS |= {character: [ESCAPE, code] for character, code in codes(EXTENSION_TABLE).items()}


class Counted(NamedTuple):
    """The figures by which two implementations are compared."""

    encoding: str
    parts: list[str]
    units: int
    remaining: int


def utf16(character: str) -> list[int]:
    point = ord(character)
    if point < 0x10000:
        return [point]
    high, low = divmod(point - 0x10000, 0x400)
    return [0xD800 + high, 0xDC00 + low]


def by_the_standard(text: str) -> Counted:
    gsm = all(character in SEPTETS for character in text)
    encoded = [(character, SEPTETS[character] if gsm else utf16(character)) for character in text]
    # 140 octets hold 160 septets or 70 16-bit units. The header of a part, 6 octets, takes the room of 7 septets.
    alone, joined = (160, 160 - 7) if gsm else (70, 70 - 3)
    units = sum(len(codes) for _, codes in encoded)
    room = alone if units <= alone else joined
    parts, filled = [""], 0
    for character, codes_of_it in encoded:
        if filled + len(codes_of_it) > room:
            parts.append("")
            filled = 0
        parts[-1] += character
        filled += len(codes_of_it)
    return Counted("GSM-7" if gsm else "UCS-2", parts, units, room - filled)


def by_mensasdk(text: str) -> Counted:
    found = segments(text)
    parts = list(split(text))
    assert found.parts == len(parts)
    return Counted(found.encoding, parts, found.units, found.remaining)


def by_smsutil(text: str) -> Counted:
    found = smsutil.split(text)
    gsm = found.encoding == "gsm0338"
    alone, joined, size = (160, 153, 1) if gsm else (140, 134, 2)
    room = alone if len(found.parts) == 1 else joined
    return Counted(
        "GSM-7" if gsm else "UCS-2",
        [part.content for part in found.parts],
        found.total_bytes // size,
        (room - found.parts[-1].bytes) // size,
    )


def by_sms_toolkit(text: str) -> Counted:
    toolkit: Any = importlib.import_module("sms_toolkit")
    encoding = importlib.import_module("sms_toolkit.utils").determine_encoding_for_string(text)
    found = toolkit.profile_message(text)
    sizes = [part["total_segment_length"] for part in found["segments"]]
    room = {"gsm": {True: 160, False: 153}, "ucs2": {True: 70, False: 67}}[encoding][len(sizes) == 1]
    return Counted(
        "GSM-7" if encoding == "gsm" else "UCS-2",
        [part["message"] for part in found["segments"]],
        sum(sizes),
        room - sizes[-1],
    )


def a_bare_escape(text: str) -> bool:
    """Except the escape, which ``smsutil`` has in its alphabet as a character and no handset shows."""
    return "\x1b" in text and all(character in SEPTETS for character in text.replace("\x1b", ""))


def nothing(text: str) -> bool:
    """Except the empty text: ``smsutil`` says Unicode, and ``sms-toolkit`` that it has no parts."""
    return text == ""


# The implementation, the texts on which it is known to differ, and of how many texts one is compared: sms-toolkit takes
# ten times as long as smsutil.
LIBRARIES: dict[str, tuple[Callable[[str], Counted], list[Callable[[str], bool]], int]] = {
    "smsutil": (by_smsutil, [a_bare_escape, nothing], 1),
    "sms_toolkit": (by_sms_toolkit, [nothing], 4),
}

a, b, z = "a", "b", "中"
euro, grin = "€", "😀"  # an escape and a code, two septets; a surrogate pair, two 16-bit units

# What the rules give, worked by hand: the text, its alphabet, and the units in each part.
BOUNDARIES: list[tuple[str, str, list[int]]] = [
    ("", "GSM-7", [0]),
    # One SMS has 140 octets: 140 * 8 / 7 = 160 septets.
    (a * 159, "GSM-7", [159]),
    (a * 160, "GSM-7", [160]),
    # A longer one loses 6 octets of each part to the header: (140 - 6) * 8 / 7 = 153.14, so 153 septets.
    (a * 161, "GSM-7", [153, 8]),  # 161 - 153 = 8
    (a * 305, "GSM-7", [153, 152]),
    (a * 306, "GSM-7", [153, 153]),  # 2 * 153 = 306
    (a * 307, "GSM-7", [153, 153, 1]),
    (a * 459, "GSM-7", [153, 153, 153]),  # 3 * 153 = 459
    (a * 460, "GSM-7", [153, 153, 153, 1]),
    (a * 1000, "GSM-7", [153] * 6 + [82]),  # 6 * 153 = 918, 1000 - 918 = 82
    # The extension table takes two septets a character.
    (euro * 80, "GSM-7", [160]),  # 80 * 2 = 160
    (euro * 81, "GSM-7", [152, 10]),  # 162; 76 pairs are 152, a 77th would end at 154; 5 * 2 = 10
    (a * 158 + euro, "GSM-7", [160]),  # 158 + 2
    (a * 159 + euro, "GSM-7", [153, 8]),  # 159 + 2 = 161, cut at 153; the pair stands at 160/161, far behind it
    # An escape pair at septets 152/153 ends the first part; at 153/154 it goes to the second as a whole.
    (a * 151 + euro + a * 7, "GSM-7", [160]),  # 151 + 2 + 7 = 160: alone, nothing is cut
    (a * 151 + euro + a * 8, "GSM-7", [153, 8]),
    (a * 152 + euro + a * 6, "GSM-7", [160]),
    (a * 152 + euro + a * 7, "GSM-7", [152, 9]),  # 152 + 2 + 7 = 161; 2 + 7 = 9
    (a * 151 + euro + a * 153, "GSM-7", [153, 153]),
    (a * 152 + euro + a * 151, "GSM-7", [152, 153]),  # 305 septets, and both parts are full
    (a * 152 + euro + a * 152, "GSM-7", [152, 153, 1]),  # 306 septets, which a division would call two parts
    # ... and once more at the end of the second part, septets 305 to 307.
    (a * 304 + euro + a, "GSM-7", [153, 153, 1]),  # the pair at 305/306 ends the second part
    (a * 305 + euro, "GSM-7", [153, 152, 2]),  # the pair at 306/307 goes to the third
    (a * 152 + euro + a * 150 + euro + a, "GSM-7", [152, 152, 3]),  # 2 + 150 = 152, and a pair needs 2 more
    (euro * 153, "GSM-7", [152, 152, 2]),  # 306 septets: 76 + 76 + 1 pairs
    ("\f" * 77, "GSM-7", [154]),  # form feed, too, is an escape and a code
    # One SMS has 140 / 2 = 70 units of 16 bits, each part of a longer one (140 - 6) / 2 = 67.
    (z * 69, "UCS-2", [69]),
    (z * 70, "UCS-2", [70]),
    (z * 71, "UCS-2", [67, 4]),
    (z * 133, "UCS-2", [67, 66]),
    (z * 134, "UCS-2", [67, 67]),  # 2 * 67 = 134
    (z * 135, "UCS-2", [67, 67, 1]),
    (z * 1000, "UCS-2", [67] * 14 + [62]),  # 14 * 67 = 938, 1000 - 938 = 62
    # A character beyond U+FFFF is a surrogate pair, two units.
    (grin * 35, "UCS-2", [70]),  # 35 * 2 = 70
    (grin * 36, "UCS-2", [66, 6]),  # 72; 33 pairs are 66, a 34th would end at 68; 3 * 2 = 6
    (z * 68 + grin, "UCS-2", [70]),
    (z * 69 + grin, "UCS-2", [67, 4]),  # 71: the pair stands at 70/71, behind the cut
    # A surrogate pair at units 66/67 ends the first part; at 67/68 it goes to the second as a whole.
    (z * 65 + grin + z * 4, "UCS-2", [67, 4]),
    (z * 66 + grin + z * 2, "UCS-2", [70]),  # 66 + 2 + 2: alone, nothing is cut
    (z * 66 + grin + z * 3, "UCS-2", [66, 5]),  # 66 + 2 + 3 = 71; 2 + 3 = 5
    (z * 66 + grin + z * 65, "UCS-2", [66, 67]),
    (z * 66 + grin + z * 66, "UCS-2", [66, 67, 1]),  # 134 units, which a division would call two parts
    (z * 132 + grin + z, "UCS-2", [67, 67, 1]),  # the pair at 133/134 ends the second part
    (z * 133 + grin, "UCS-2", [67, 66, 2]),  # the pair at 134/135 goes to the third
    # One character decides for the whole text, in which the euro sign is one unit then.
    (euro * 69 + "á", "UCS-2", [70]),
    (euro * 70 + "á", "UCS-2", [67, 4]),
    # What looks like one picture are seven code points, 2+1+2+1+2+1+2 = 11 units, and parts may end inside of it.
    (z * 60 + "👨\u200d👩\u200d👧\u200d👦", "UCS-2", [66, 5]),  # 60 + 2+1+2+1 = 66, a pair does not fit; 2+1+2 = 5
    (z * 61 + "👨\u200d👩\u200d👧\u200d👦", "UCS-2", [67, 5]),  # 61 + 2+1+2+1 = 67, which ends with a joiner
    # A heart and its variation selector are two units, both below U+10000.
    ("❤\ufe0f" * 35, "UCS-2", [70]),
    ("❤\ufe0f" * 36, "UCS-2", [67, 5]),  # 72 = 67 + 5: the selector of the 34th heart opens the second part
]  # fmt: skip


IDS = [f"{text[:1]!a} {encoding} {'+'.join(map(str, expected))}" for text, encoding, expected in BOUNDARIES]


def sizes(text: str, encoding: str) -> int:
    return sum(len(SEPTETS[character] if encoding == "GSM-7" else utf16(character)) for character in text)


@pytest.mark.parametrize(("text", "encoding", "expected"), BOUNDARIES, ids=IDS)
def test_a_boundary_worked_by_hand(text: str, encoding: str, expected: list[int]) -> None:
    for counted in (by_mensasdk(text), by_the_standard(text)):
        assert counted.encoding == encoding
        assert [sizes(part, encoding) for part in counted.parts] == expected
        assert "".join(counted.parts) == text
        assert counted.units == sum(expected)
        room = {"GSM-7": (160, 153), "UCS-2": (70, 67)}[encoding][len(expected) > 1]
        assert counted.remaining == room - expected[-1]


def test_the_standards_tables_have_127_and_10_characters() -> None:
    assert len(codes(DEFAULT_ALPHABET)) == 127
    assert len(codes(EXTENSION_TABLE)) == 10
    # Corners of the chart, and what programs often have wrong: § and à at the end, and no backtick.
    assert [SEPTETS[one] for one in "@ É§à€|"] == [[0], [0x20], [0x1F], [0x5F], [0x7F], [0x1B, 0x65], [0x1B, 0x40]]
    assert "`" not in SEPTETS


# ---------------------------------------------------------------------------------------------------------- the corpus

SENTENCES = (
    "Hola su pedido de mañana llega a las diez Gracias por su compra ¿Confirma? ¡Oferta! señor niño pingüino él qué "
    "café Cataluña año 15 20:30 no. el la los una para con más_info envío@tienda.es 12,50 -10% (IVA) calle nº"
)
ACCENTED = "está llegará mañana así aquí según Íñigo Óscar Úrsula ÁVILA"
WORDS = SENTENCES.split()
POOLS: dict[str, list[str]] = {
    "basic": [word for word in WORDS if all(character in SEPTETS for character in word)],
    "spanish": WORDS + ACCENTED.split(),
    "extension": [*"€[]{}~^|\\\f", "10€", "[x]", "{nombre}", "a|b", "~5", "C:\\tmp", *WORDS[:12]],
    "outside": [*"áíóúÁÍÓÚçºª`´«»“”…–—‘’\t\x1b\u00a0\u200b", "São", "œuvre", "n\u0303", "e\u0301"],
    "emoji": ["😀", "👍🏽", "❤\ufe0f", "👨\u200d👩\u200d👧", "🇪🇸", "1\ufe0f\u20e3", "🏴\u200d☠\ufe0f", "☀", "✅", "𝓗"],
    "scripts": ["中", "文", "한국", "жук", "Ωμέγα", "שלום", "مرحبا", "हिन्दी", "\ufeff", "\uffff", "\U0010ffff"],
}
LENGTHS = [0, 1, 2, *range(66, 72), *range(132, 136), 140, *range(151, 162), 201, 268, *range(304, 308), 402, 459, 460]
START, ROUNDS = 23_038, 18


def written(random_: random.Random, pools: list[str], length: int, glue: str) -> str:
    """Return words of these pools, cut at so many characters."""
    text = ""
    while len(text) < length:
        text += random_.choice(POOLS[random_.choice(pools)]) + glue
    return text[:length]


def edges(random_: random.Random, wide: str, narrow: str, around: int, total: int) -> str:
    """Narrow characters with up to three wide ones near a place where a part may end."""
    text = list(narrow * total)
    for _ in range(random_.randint(1, 3)):
        place = around + random_.randint(-4, 2)
        if place < len(text):
            text[place] = wide
    return "".join(text)


def generated() -> Iterator[str]:
    random_ = random.Random(START)
    mixtures = [
        ["basic"],
        ["basic", "basic", "basic", "extension"],
        ["extension"],
        ["spanish"],
        ["spanish", "spanish", "emoji"],
        ["emoji"],
        ["basic", "outside"],
        ["scripts", "spanish", "emoji"],
        list(POOLS),
    ]
    for _ in range(ROUNDS):
        for pools in mixtures:
            for length in [*LENGTHS, *(random_.randint(0, 1000) for _ in range(10))]:
                yield written(random_, pools, length, random_.choice([" ", " ", ""]))
    for _ in range(2500):
        part = random_.choice([1, 2, 3])
        more = random_.choice([random_.randint(0, 8), random_.randint(0, 160), 153, 152, 151, 150])
        yield edges(random_, random_.choice("€[]{}~^|\\\f"), random_.choice("aé"), 153 * part, 153 * part + more)
        more = random_.choice([random_.randint(0, 4), random_.randint(0, 70), 67, 66, 65, 64])
        yield edges(random_, random_.choice("😀𝓗👍"), random_.choice("á中"), 67 * part, 67 * part + more)
    for _ in range(600):  # the escape, alone and among what GSM has and has not
        yield edges(random_, "\x1b", random_.choice("aá"), random_.randint(0, 160), random_.randint(1, 320))


@cache
def corpus() -> dict[str, Counted]:
    """Return each text with what the standard gives for it; texts that came up twice are one."""
    return {text: by_the_standard(text) for text in generated()}


@pytest.mark.slow
def test_the_corpus_has_what_it_is_for() -> None:
    """At least 10,000 different texts, of every kind and around every limit."""
    found = corpus()
    assert len(found) >= 10_000
    kinds = Counter[str]()
    for text, counted in found.items():
        gsm = counted.encoding == "GSM-7"
        kinds[counted.encoding] += 1
        kinds[f"{counted.encoding} in parts"] += len(counted.parts) > 1
        full = 153 if gsm else 67
        kinds[f"{counted.encoding} moved"] += len(counted.parts) > 1 and counted.units + counted.remaining < full * len(
            counted.parts
        )
        naive = -(-counted.units // full)
        kinds[f"{counted.encoding} more than a division says"] += len(counted.parts) > naive > 1
        kinds["joiner"] += "\u200d" in text
        kinds["selector"] += "\ufe0f" in text
        kinds["beyond the basic plane"] += max(text, default="") > "\uffff"
        kinds["500 or more"] += len(text) >= 500
        kinds[f"exactly {counted.units} {counted.encoding}"] += 1
    for kind, least in {
        "GSM-7": 3000, "GSM-7 in parts": 2000, "GSM-7 moved": 600, "GSM-7 more than a division says": 80,
        "UCS-2": 3000, "UCS-2 in parts": 2000, "UCS-2 moved": 1000, "UCS-2 more than a division says": 80,
        "joiner": 500, "selector": 500, "beyond the basic plane": 1500, "500 or more": 300,
        **{f"exactly {units} GSM-7": 5 for units in (*range(152, 162), *range(305, 308))},
        **{f"exactly {units} UCS-2": 5 for units in (69, 70, 71, 133, 134, 135)},
    }.items():  # fmt: skip
        assert kinds[kind] >= least, (kind, kinds[kind])


@pytest.mark.slow
def test_the_standard_and_mensasdk_agree_on_every_text_of_the_corpus() -> None:
    """Alphabet, parts, units, what remains, and where the text is cut."""
    differing = [text for text, expected in corpus().items() if by_mensasdk(text) != expected]
    assert not differing


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_of_other_people_agrees_on_every_text_of_the_corpus(library: str) -> None:
    """Save those on which it is known to differ. They are few, they do differ, and so each reason is a live one."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed; the extra 'bench' has it")
    count, known, step = LIBRARIES[library]
    left_out = Counter[str]()
    for text, expected in islice(corpus().items(), None, None, step):
        reasons = [reason.__name__ for reason in known if reason(text)]
        if reasons:
            left_out.update(reasons)
        else:
            assert count(text) == expected
    # By exact number: a change of the corpus that leaves out more has to be looked at.
    assert left_out == {reason.__name__: LEFT_OUT[reason.__name__] for reason in known}


LEFT_OUT = {"a_bare_escape": 220, "nothing": 1}


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_known_differences_are_real(library: str) -> None:
    """A library that mends one makes this fail, and its texts are compared again."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed; the extra 'bench' has it")
    count, known, _ = LIBRARIES[library]
    for reason in known:
        text = next(text for text in corpus() if reason(text))
        try:
            counted = count(text)
        except IndexError:  # no parts at all
            continue
        assert counted != corpus()[text]


@pytest.mark.parametrize(("text", "encoding", "expected"), BOUNDARIES, ids=IDS)
def test_smsutil_is_right_at_every_boundary_worked_by_hand(text: str, encoding: str, expected: list[int]) -> None:
    if text:
        counted = by_smsutil(text)
        assert (counted.encoding, [sizes(part, encoding) for part in counted.parts]) == (encoding, expected)
