"""What a campaign would come to, added up message by message before a single request is made.

A `Preflight` is filled by `BatchSender.check`, and can be filled by hand: `Preflight.add` for a message that would go
out, `Preflight.refuse` for one that would not. It holds counters, and not the messages.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

from attrs import Factory, define, field, frozen

from mensasdk.codes import Code
from mensasdk.errors import ValidationError
from mensasdk.phone import mask
from mensasdk.preflight.cost import CountryCost, Estimate
from mensasdk.preflight.prices import SUMS, Prices
from mensasdk.text import Encoding, SentText, TextRule, segments, to_gsm

__all__ = ["CountryTotals", "Preflight", "Refusals", "Sample", "VendorTotals", "character_name"]

T = TypeVar("T")

_SAMPLES: Final = 5
# Texts are other people's: neither their characters nor the codes of somebody's screens may fill the memory.
_MOST_KINDS: Final = 10_000
_MANY: Final = "other"
_NO_PRICES: Final = Prices({})


@frozen
class Sample:
    """A message that would not go out, as a log or a terminal may show it.

    Attributes:
        number: its number, masked: ``"***567"``.
        reason: one sentence for a person.
    """

    number: str
    reason: str


@define
class Refusals:
    """Messages that would not go out for one reason.

    Attributes:
        count: how many.
        samples: the first of them.
    """

    count: int = 0
    samples: list[Sample] = Factory(list)


@frozen
class CountryTotals:
    """What would go to one country.

    Attributes:
        messages: how many.
        parts: SMS parts of all of them.
        cost: by vendor, in the vendor's own unit; only of vendors whose prices are known.
        unpriced: messages through such a vendor that its prices have no price for.
    """

    messages: int
    parts: int
    cost: dict[str, Decimal]
    unpriced: int


class VendorTotals:
    """What would go through one vendor.

    Attributes:
        requests: how many to send it all.
        changed: messages whose text the vendor changes.
        replacements: what it replaces by what, with the number of messages in which it does.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.changed = 0
        self.replacements: Counter[tuple[str, str]] = Counter()
        # Two accounts of one vendor may have two price lists.
        self._estimates: dict[int, Estimate] = {}

    def __repr__(self) -> str:
        return f"<VendorTotals messages={self.messages} requests={self.requests} parts={self.parts}>"

    @property
    def messages(self) -> int:
        """Messages that would go through it."""
        return sum(estimate.messages for estimate in self._estimates.values())

    @property
    def parts(self) -> int:
        """SMS parts of them, as the vendor counts them."""
        return sum(estimate.parts for estimate in self._estimates.values())

    @property
    def estimate(self) -> Estimate | None:
        """What they cost, by country, in the vendor's own unit; None where no prices were given.

        Its ``total`` is the whole cost only where its ``unpriced`` is empty.
        """
        priced = [one for one in self._estimates.values() if one.prices is not _NO_PRICES]
        if not priced:
            return None
        whole = Estimate(priced[0].prices)
        for one in self._estimates.values():
            whole.merge(one)
        return whole

    @property
    def by_country(self) -> dict[str | None, CountryCost]:
        """Messages, parts and cost by ISO 3166 alpha-2 code; under None, the numbers of no country."""
        whole = Estimate(_NO_PRICES)
        for one in self._estimates.values():
            whole.merge(one)
        return whole.by_country

    def _estimate(self, prices: Prices | None) -> Estimate:
        prices = _NO_PRICES if prices is None else prices
        found = self._estimates.get(id(prices))
        if found is None:
            found = self._estimates[id(prices)] = Estimate(prices)
        return found


class _Look(NamedTuple):
    """What there is to know about a text. Everything in it once, in the order of the text."""

    encoding: Encoding
    outside: Collection[str]
    forcing: Collection[str]
    replaced: Collection[tuple[str, str]]
    parts: int
    parts_in_gsm: int


@define(eq=False)
class Preflight:
    """What a campaign would come to. ``messages + duplicates + refused == total``, always.

    Memory does not grow with the number of messages: there are counters, and five samples of each reason. Of more than
    10,000 different characters, replacements or codes, those that come later are counted as ``"other"``.

    Attributes:
        messages: those that would go out.
        refusals: those that would not, by code: the code that their outcome would have (``"invalid_to"``,
            ``"opted_out"``, ``"closed"``, ``"budget"``, ``"duplicate"``, ...).
        requests: requests to send them.
        by_parts: messages by the SMS parts that the vendor counts.
        by_encoding: messages by the alphabet that they travel in, after what the vendor replaces. Of a vendor's own
            template only the variables are known, so it may be UCS-2 where GSM-7 is said.
        outside_gsm: messages whose text, as it was given, has characters outside GSM 03.38.
        forcing: characters that make a message travel as UCS-2, with the number of such messages.
        parts_in_gsm: what ``parts`` would be, were those characters replaced by the nearest of GSM 03.38 wherever
            that saves parts.
        scheduled: messages with a time at which the vendor shall send them.
        put_off: those of them that were given it, or another one, by a screen such as `SendingHours`.
        first_at, last_at: the earliest and the latest such time, aware; None where nothing is scheduled.
        by_vendor: by the vendor's short name.
    """

    messages: int = 0
    refusals: dict[str, Refusals] = Factory(dict)
    requests: int = 0
    by_parts: Counter[int] = Factory(Counter)
    by_encoding: Counter[Encoding] = Factory(Counter)
    outside_gsm: int = 0
    forcing: Counter[str] = Factory(Counter)
    parts_in_gsm: int = 0
    scheduled: int = 0
    put_off: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    by_vendor: dict[str, VendorTotals] = Factory(dict)
    _seen: tuple[tuple[TextRule | None, str, bool | None], _Look] | None = field(default=None, init=False, repr=False)

    @property
    def total(self) -> int:
        """Messages that were looked at."""
        return self.messages + sum(one.count for one in self.refusals.values())

    @property
    def by_code(self) -> Counter[str]:
        """How many would not go out, by code; as `BatchReport.by_code` will say it."""
        return Counter({code: one.count for code, one in self.refusals.items()})

    @property
    def duplicates(self) -> int:
        """Those that repeat an earlier one."""
        return self.by_code[Code.DUPLICATE]

    @property
    def refused(self) -> int:
        """Those that would not go out for another reason than that they repeat an earlier one."""
        return self.total - self.messages - self.duplicates

    @property
    def parts(self) -> int:
        """SMS parts of all messages that would go out."""
        return sum(parts * count for parts, count in self.by_parts.items())

    @property
    def by_country(self) -> dict[str | None, CountryTotals]:
        """What would go where, by ISO 3166 alpha-2 code, most messages first; under None, numbers of no country."""
        sums: dict[str | None, tuple[int, int, dict[str, Decimal], int]] = {}
        for name, vendor in self.by_vendor.items():
            priced = vendor.estimate is not None
            for country, cost in vendor.by_country.items():
                messages, parts, costs, unpriced = sums.get(country, (0, 0, {}, 0))
                if priced:
                    costs = {**costs, name: SUMS.add(costs.get(name, Decimal(0)), cost.cost)}
                    unpriced += cost.unpriced
                sums[country] = (messages + cost.messages, parts + cost.parts, costs, unpriced)
        ordered = sorted(sums.items(), key=lambda pair: (-pair[1][0], pair[0] or "~"))
        return {country: CountryTotals(*figures) for country, figures in ordered}

    def add(
        self,
        number: str,
        text: str,
        parts: int,
        *,
        vendor: str,
        rule: TextRule | None = None,
        unicode: bool | None = False,
        prices: Prices | None = None,
        schedule_at: datetime | None = None,
        put_off: bool = False,
    ) -> None:
        """Count a message that would go out.

        Args:
            number: the recipient in E.164.
            text: what the person would read, before what the vendor changes in it.
            parts: SMS parts that the vendor counts.
            vendor: the vendor's short name.
            rule: what the vendor does to a text; None where that is not known.
            unicode: the vendor is told to send Unicode; None where it is told so when the text needs it.
            prices: what a part costs; None where that is not known.
            schedule_at: when the vendor shall send it (aware); None for at once.
            put_off: that time comes from a screen.
        """
        found = self.by_vendor.get(vendor)
        if found is None:
            found = self.by_vendor[vendor] = VendorTotals()
        self.messages += 1
        # What is not in E.164 would be taken for the name of a country, and shown as such.
        found._estimate(prices).add(number if number[:1] == "+" else None, parts)
        self.by_parts[parts] += 1
        look = self._look(rule, text, unicode)
        self.by_encoding[look.encoding] += 1
        # Of what is counted in another way, such as a WhatsApp message, nothing can be said.
        self.parts_in_gsm += look.parts_in_gsm if look.parts == parts else parts
        if look.outside:
            self.outside_gsm += 1
        if look.forcing:
            _count(self.forcing, look.forcing, _MANY)
        if look.replaced:
            found.changed += 1
            _count(found.replacements, look.replaced, (_MANY, ""))
        if schedule_at is not None:
            self.scheduled += 1
            self.put_off += put_off
            self.first_at = schedule_at if self.first_at is None else min(self.first_at, schedule_at)
            self.last_at = schedule_at if self.last_at is None else max(self.last_at, schedule_at)

    def add_request(self, vendor: str) -> None:
        """Count a request in which messages that were counted would go out."""
        self.requests += 1
        self.by_vendor.setdefault(vendor, VendorTotals()).requests += 1

    def refuse(self, number: str, code: str, reason: str) -> None:
        """Count a message that would not go out.

        Args:
            number: its number, in any spelling; only its last digits are kept.
            code: of its outcome.
            reason: one sentence for a person, without full numbers.
        """
        found = self.refusals.get(code)
        if found is None:
            if len(self.refusals) >= _MOST_KINDS:
                code = _MANY
            found = self.refusals.setdefault(code, Refusals())
        found.count += 1
        if len(found.samples) < _SAMPLES:
            found.samples.append(Sample(mask(number), reason))

    def _look(self, rule: TextRule | None, text: str, unicode: bool | None) -> _Look:
        # Of a campaign in which everybody gets the same text, one look will do.
        key = (rule, text, unicode)
        if self._seen is not None:
            (seen_rule, seen_text, seen_unicode), look = self._seen
            if seen_rule is rule and seen_text == text and seen_unicode is unicode:
                return look
        look = _look_at(rule, text, unicode)
        self._seen = (key, look)
        return look


def character_name(character: str) -> str:
    """A character by its number and its name in Unicode: ``"U+00ED LATIN SMALL LETTER I WITH ACUTE"``.

    Of several characters, such as a letter with its accents, each.
    """
    return " + ".join(f"U+{ord(one):04X} {unicodedata.name(one, _no_name(one))}" for one in character)


def _no_name(character: str) -> str:
    return "control character" if unicodedata.category(character) == "Cc" else "without a name"


def _look_at(rule: TextRule | None, text: str, unicode: bool | None) -> _Look:
    outside = _once(character for _, character in segments(text).forced_by)
    sent = _sent(rule, text, bool(outside) if unicode is None else unicode)
    counted, saved = sent.segments, sent.segments.parts
    if counted.encoding is Encoding.UCS2:
        saved = min(saved, _parts_in_gsm(rule, text, saved))
    return _Look(
        counted.encoding,
        outside,
        _once(character for _, character in counted.forced_by),
        _once((change.before, change.after) for change in sent.changes),
        counted.parts,
        saved,
    )


def _sent(rule: TextRule | None, text: str, unicode: bool) -> SentText:
    if rule is not None:
        try:
            return rule.apply(text, unicode=unicode and rule.unicode is not None)
        except ValidationError:
            pass  # its client has let it through: it is no SMS, or not the whole of it
    return SentText(text, segments=segments(text, unicode=unicode))


def _parts_in_gsm(rule: TextRule | None, text: str, otherwise: int) -> int:
    plain = to_gsm(text).text
    if rule is None:
        return segments(plain).parts
    try:
        return rule.apply(plain).segments.parts
    except ValidationError:
        return otherwise  # too long for this vendor, but as Unicode


def _once(found: Iterable[T]) -> Collection[T]:
    return dict.fromkeys(found).keys()


def _count(counter: Counter[T], found: Iterable[T], other: T) -> None:
    for one in found:
        counter[one if one in counter or len(counter) < _MOST_KINDS else other] += 1
