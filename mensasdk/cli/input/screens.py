"""Read the options that delay or refuse messages: opt-outs, hours, a spread, prices and caps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from mensasdk import registry
from mensasdk.campaign import Screen
from mensasdk.cli.wording import of_option
from mensasdk.errors import ConfigurationError
from mensasdk.limits import Budget
from mensasdk.preflight import DAYS, OptOuts, Prices, SendingHours, Spread
from mensasdk.preflight.timeline import Day

__all__ = ["NOTHING", "Screening", "make_screening"]

_WINDOW = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?-([0-9]{1,2})(?::([0-9]{2}))?").fullmatch
_DURATION = re.compile(r"(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m(?:in)?)?").fullmatch


@frozen
class Screening:
    """Screens, prices and budgets of a campaign.

    Attributes:
        optouts: lists of people who must get no message.
        hours: hours in which messages may go out; None for any time.
        spread: time over which the messages are spread; None for no spread.
        begin: begin of the spread; None for at once.
        prices: prices by vendor.
        budgets: budgets by vendor.
    """

    optouts: Sequence[OptOuts] = ()
    hours: SendingHours | None = None
    spread: timedelta | None = None
    begin: datetime | None = None
    prices: Mapping[str, Prices] = field(factory=dict)
    budgets: Mapping[str, Budget] = field(factory=dict)

    def screens(self, total: int | None = None) -> list[Screen]:
        """Return the screens for a sender, in their order.

        Args:
            total: count of the messages of the whole campaign, which sets the pace of the spread: the rest of a
                resumed campaign takes its share of the time. None to spread nothing.
        """
        screens: list[Screen] = [*self.optouts]
        if self.spread is not None and total is not None:
            screens.append(Spread(self.spread, max(total, 1), start=self.begin, hours=self.hours))
        # After the spread, which leaves alone messages that have a time of their own, or are late for their turn.
        if self.hours is not None:
            screens.append(self.hours)
        return screens


NOTHING: Final = Screening()


def make_screening(
    given: Mapping[str, Any], vendors: Sequence[str], *, default_country: str | None, begin: datetime | None
) -> Screening:
    """Read the values of the options that delay or refuse messages.

    Args:
        given: the options by name.
        vendors: the vendors of the campaign.
        default_country: country of national numbers; None for none.
        begin: time at which the first message goes out; None for at once.

    Raises:
        ConfigurationError: a value is wrong; names the option and the remedy. Nothing was sent.
    """
    spread = _spread(given["spread"], vendors)
    with of_option():
        prices = {
            vendor: Prices.from_csv(file)
            for vendor, file in _by_vendor("--prices", "FILE", given["prices"], vendors).items()
        }
    return Screening(
        optouts=_optouts(given["opt_outs"], given["opt_out_column"], default_country),
        hours=_hours(given, vendors),
        spread=spread,
        begin=begin if spread is not None else None,
        prices=prices,
        budgets=_budgets(given, vendors, prices),
    )


# --------------------------------------------------------------------------------------------------------- opt-outs


def _optouts(files: Sequence[Path], column: str | None, default_country: str | None) -> list[OptOuts]:
    if column is not None and not files:
        raise ConfigurationError("--opt-out-column belongs to --opt-outs, which is missing")
    with of_option():
        return [OptOuts(file, default_country=default_country, column=column) for file in files]


# ------------------------------------------------------------------------------------------------------------ hours


def _hours(given: Mapping[str, Any], vendors: Sequence[str]) -> SendingHours | None:
    hours, days, zones, outside = (given[name] for name in ("hours", "days", "time_zones", "outside_hours"))
    if hours is None and days is None:
        for option, value in (("--time-zone-of", zones), ("--outside-hours", outside)):
            if value:
                raise ConfigurationError(f"{option} belongs to --hours or --days, which are missing")
        return None
    idle = [vendor for vendor in vendors if not registry.vendor_info(vendor).has("schedule")]
    if outside == "schedule" and len(idle) == len(vendors):
        raise ConfigurationError(
            f"--outside-hours schedule: {idle[0]} cannot send later; give --outside-hours refuse, and send the refused "
            "messages again within the hours"
        )
    if outside is None:
        outside = "refuse" if len(idle) == len(vendors) else "schedule"
    windows = [] if hours is None else [_window(part) for part in hours.split(",")]
    wanted = DAYS if days is None else _days(days)
    choices = dict(_choice(value) for value in zones)
    with of_option("--time-zone-of"):
        SendingHours(choices=choices)
    with of_option():
        return SendingHours(windows=windows, days=wanted, choices=choices, when_closed=outside)


def _window(text: str) -> tuple[time, time]:
    match = _WINDOW(text.replace(" ", ""))
    if match is not None:
        start, end = (_time(match[hour], match[hour + 1]) for hour in (1, 3))
        if start is not None and end is not None:
            return start, end
    raise ConfigurationError(f"--hours {text.strip()[:20]!r} must look like 9:00-20:00, or 9:00-14:00,16:30-20:00")


def _time(hour: str, minute: str | None) -> time | None:
    number, rest = int(hour), int(minute or 0)
    if (number, rest) == (24, 0):
        return time(0)  # the end of the day
    return time(number, rest) if number < 24 and rest < 60 else None


def _days(text: str) -> list[Day]:
    wanted: list[Day] = []
    for part in text.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        names = [day for day in (first, last if dash else first) if day in DAYS]
        if len(names) != 2:
            raise ConfigurationError(f"--days {part[:20]!r} must look like mon-fri, or mon,wed,sat; days are {_NAMES}")
        start, end = (DAYS.index(name) for name in names)
        count = (end - start) % len(DAYS) + 1  # sat-mon is three days
        wanted += [DAYS[(start + offset) % len(DAYS)] for offset in range(count)]
    return list(dict.fromkeys(wanted))


_NAMES: Final = ", ".join(DAYS)


def _choice(value: str) -> tuple[str, str]:
    country, equals, zone = (part.strip() for part in value.partition("="))
    if not (country and equals and zone):
        raise ConfigurationError(f"--time-zone-of {value[:40]!r} must look like ES=Europe/Madrid")
    return country.upper(), zone


# ------------------------------------------------------------------------------------------------- spread and money


def _spread(text: str | None, vendors: Sequence[str]) -> timedelta | None:
    if text is None:
        return None
    for vendor in vendors:
        if not registry.vendor_info(vendor).has("schedule"):
            raise ConfigurationError(
                f"{vendor} has no --spread: its API sends at once; leave it out, and slow it down with --rate"
            )
    match = _DURATION(text.strip().lower().replace(" ", ""))
    length = timedelta(0)
    if match is not None:
        days, hours, minutes = (int(one or 0) for one in match.groups())
        length = timedelta(days=days, hours=hours, minutes=minutes)
    if not length:
        raise ConfigurationError(f"--spread {text[:20]!r} must be a time above 0, such as 90m, 2h or 1h30m")
    return length


def _by_vendor(option: str, what: str, values: Sequence[str], vendors: Sequence[str]) -> dict[str, str]:
    """Return the value of an option for each vendor.

    Args:
        option: the option's name.
        what: the word for its value in errors, such as ``"FILE"``.
        values: the values that were given: ``VENDOR=VALUE``, or ``VALUE`` where there is one vendor.
        vendors: the vendors of the campaign.

    Raises:
        ConfigurationError: a value names no vendor of the campaign, or a vendor has two values.
    """
    found: dict[str, str] = {}
    for value in values:
        vendor, equals, rest = value.partition("=")
        if equals and vendor.strip() in registry.vendors():
            vendor, value = vendor.strip(), rest.strip()
            if vendor not in vendors:
                raise ConfigurationError(f"{option} {vendor}={what}: the campaign does not go through {vendor}")
        elif len(vendors) == 1:
            vendor = vendors[0]
        else:
            raise ConfigurationError(
                f"{option} {what} names no vendor: the campaign goes through {' and '.join(vendors)}, and each counts "
                f"in its own unit; give {option} {vendors[0]}={what}, and so on"
            )
        if vendor in found:
            raise ConfigurationError(f"{option} is given twice for {vendor}; keep one")
        found[vendor] = value
    return found


def _budgets(given: Mapping[str, Any], vendors: Sequence[str], prices: Mapping[str, Prices]) -> dict[str, Budget]:
    limits = {
        vendor: _amount(value)
        for vendor, value in _by_vendor("--max-credits", "N", given["max_credits"], vendors).items()
    }
    messages = {
        vendor: _count(value)
        for vendor, value in _by_vendor("--max-messages", "N", given["max_messages"], vendors).items()
    }
    for vendor in limits:
        if vendor not in prices:
            mine = f"{vendor}=" if len(vendors) > 1 else ""
            raise ConfigurationError(
                f"--max-credits needs to know what a message costs: give --prices {mine}FILE as well, or cap the "
                f"messages with --max-messages {mine}N"
            )
    return {
        vendor: Budget(
            limits.get(vendor),
            prices[vendor] if vendor in limits else None,
            max_messages=messages.get(vendor),
        )
        for vendor in vendors
        if vendor in limits or vendor in messages
    }


def _amount(value: str) -> Decimal:
    with of_option():
        limit = Budget(value.strip(), Prices({})).limit
    assert limit is not None
    return limit


def _count(value: str) -> int:
    digits = value.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 16):
        raise ConfigurationError(f"--max-messages {value[:20]!r} must be a whole number, such as 5000")
    return int(digits)
