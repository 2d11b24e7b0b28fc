"""Add up what a campaign would send and cost, message by message, before any request is made.

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
# Texts and screens come from the caller, so their characters and codes must not fill the memory.
_MOST_KINDS: Final = 10_000
_MANY: Final = "other"
_NO_PRICES: Final = Prices({})


@frozen
class Sample:
    """Message that would not go out, in a form that is safe to log or show.

    Attributes:
        number: the recipient's number, masked: ``"***567"``.
        reason: one sentence for a person.
    """

    number: str
    reason: str


@define
class Refusals:
    """Messages that would not go out, with one code.

    Attributes:
        count: count of messages.
        samples: the first five of them.
    """

    count: int = 0
    samples: list[Sample] = Factory(list)


@frozen
class CountryTotals:
    """Totals of the messages that would go to one country.

    Attributes:
        messages: count of messages.
        parts: SMS parts of all messages.
        cost: cost by vendor, in the vendor's own unit; only of vendors whose prices are known.
        unpriced: count of messages through these vendors for which the vendor's prices have no price.
    """

    messages: int
    parts: int
    cost: dict[str, Decimal]
    unpriced: int


class VendorTotals:
    """Totals of the messages that would go through one vendor.

    Attributes:
        requests: count of requests to send them.
        changed: count of messages whose text the vendor changes.
        replacements: count of messages in which the vendor replaces one text by another, by the pair of texts.
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
        """Count of messages that would go through the vendor."""
        return sum(estimate.messages for estimate in self._estimates.values())

    @property
    def parts(self) -> int:
        """SMS parts of all messages, as the vendor counts them."""
        return sum(estimate.parts for estimate in self._estimates.values())

    @property
    def estimate(self) -> Estimate | None:
        """Cost of the messages by country, in the vendor's own unit; None if no prices were given.

        Its ``total`` is the whole cost only if its ``unpriced`` is empty.
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
        """Messages, parts and cost by ISO 3166 alpha-2 code; under None, numbers that belong to no country."""
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
    """Findings about a text; each character and replacement is in them once, in the order of the text."""

    encoding: Encoding
    outside: Collection[str]
    forcing: Collection[str]
    replaced: Collection[tuple[str, str]]
    parts: int
    parts_in_gsm: int


@define(eq=False)
class Preflight:
    """Totals of a campaign that has been checked and not sent.

    ``messages + duplicates + refused == total``, always. Memory does not grow with the count of messages: there are
    counters, and five samples for each code. After 10,000 different characters, replacements or codes, further ones are
    counted as ``"other"``.

    Attributes:
        messages: count of messages that would go out.
        refusals: messages that would not go out, by the code that their outcome would have (``"invalid_to"``,
            ``"opted_out"``, ``"closed"``, ``"budget"``, ``"duplicate"``, ...).
        requests: count of requests to send the messages.
        by_parts: count of messages by their SMS parts, as the vendor counts them.
        by_encoding: count of messages by the alphabet in which they are sent, after the vendor's replacements. Of a
            vendor's own template only the variables are known, so a message counted as GSM-7 may be UCS-2.
        outside_gsm: count of messages whose text, as given, has characters outside GSM 03.38.
        forcing: count of messages by each character that makes them UCS-2.
        parts_in_gsm: ``parts`` as it would be if those characters were replaced by the nearest of GSM 03.38, wherever
            that saves parts.
        scheduled: count of messages with a time at which the vendor has to send them.
        put_off: count of scheduled messages whose time was set or changed by a screen such as `SendingHours`.
        first_at: the earliest such time, aware; None if no message is scheduled.
        last_at: the latest such time, aware; None if no message is scheduled.
        by_vendor: totals by the vendor's short name.
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
        """Count of all messages, those that would not go out included."""
        return self.messages + sum(one.count for one in self.refusals.values())

    @property
    def by_code(self) -> Counter[str]:
        """Count of messages that would not go out, by code, as in `BatchReport.by_code`."""
        return Counter({code: one.count for code, one in self.refusals.items()})

    @property
    def duplicates(self) -> int:
        """Count of messages that repeat an earlier one."""
        return self.by_code[Code.DUPLICATE]

    @property
    def refused(self) -> int:
        """Count of messages that would not go out, duplicates excluded."""
        return self.total - self.messages - self.duplicates

    @property
    def parts(self) -> int:
        """SMS parts of all messages that would go out."""
        return sum(parts * count for parts, count in self.by_parts.items())

    @property
    def by_country(self) -> dict[str | None, CountryTotals]:
        """Totals by ISO 3166 alpha-2 code, most messages first; under None, numbers that belong to no country."""
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
            text: the text that the person would read, before the vendor's replacements.
            parts: SMS parts of the message, as the vendor counts them.
            vendor: the vendor's short name.
            rule: what the vendor does to a text; None if that is not known.
            unicode: True if the vendor is told to send Unicode; None if it is told so only when the text needs it.
            prices: the vendor's prices; None if they are not known.
            schedule_at: when the vendor has to send the message (aware); None for at once.
            put_off: True if a screen set that time.
        """
        found = self.by_vendor.get(vendor)
        if found is None:
            found = self.by_vendor[vendor] = VendorTotals()
        self.messages += 1
        # Anything but E.164 would be taken for the code of a country.
        found._estimate(prices).add(number if number[:1] == "+" else None, parts)
        self.by_parts[parts] += 1
        look = self._look(rule, text, unicode)
        self.by_encoding[look.encoding] += 1
        # Where the vendor counts in another way, as for a WhatsApp message, no saving can be told.
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
        """Count a request to a vendor."""
        self.requests += 1
        self.by_vendor.setdefault(vendor, VendorTotals()).requests += 1

    def refuse(self, number: str, code: str, reason: str) -> None:
        """Count a message that would not go out.

        Args:
            number: the recipient's number, in any spelling; only the last digits are kept.
            code: the code that its outcome would have.
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
        # Many campaigns have the same text for all, so the last findings are kept.
        key = (rule, text, unicode)
        if self._seen is not None:
            (seen_rule, seen_text, seen_unicode), look = self._seen
            if seen_rule is rule and seen_text == text and seen_unicode is unicode:
                return look
        look = _look_at(rule, text, unicode)
        self._seen = (key, look)
        return look


def character_name(character: str) -> str:
    """Return the code and the Unicode name of a character: ``"U+00ED LATIN SMALL LETTER I WITH ACUTE"``.

    For a text of several characters, such as a letter and its accents, return those of each, joined by ``" + "``.
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
            pass  # the client has accepted the text, so it is no SMS, or only a part of one
    return SentText(text, segments=segments(text, unicode=unicode))


def _parts_in_gsm(rule: TextRule | None, text: str, otherwise: int) -> int:
    plain = to_gsm(text).text
    if rule is None:
        return segments(plain).parts
    try:
        return rule.apply(plain).segments.parts
    except ValidationError:
        return otherwise  # the vendor takes the text as Unicode only


def _once(found: Iterable[T]) -> Collection[T]:
    return dict.fromkeys(found).keys()


def _count(counter: Counter[T], found: Iterable[T], other: T) -> None:
    for one in found:
        counter[one if one in counter or len(counter) < _MOST_KINDS else other] += 1
