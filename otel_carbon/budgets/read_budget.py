"""The parts of one budget as they stand in the file: scope, window, burn rates, money."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from otel_carbon.budgets.burn_defaults import default_burn_rates
from otel_carbon.budgets.fields import Fields, mapping_names, positive, seconds, suggestion, text_problem
from otel_carbon.budgets.model import MAX_PRICE, BurnRate, Money, Severity
from otel_carbon.budgets.scopes import PROMETHEUS_LABELS
from otel_carbon.budgets.windows import DAY_S, MINUTE_S, CalendarWindow, Period, RollingWindow
from otel_carbon.core.tokens import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from otel_carbon.budgets.windows import Window
    from otel_carbon.yaml_source import Entry, Problem

MAX_VALUES_OF_LABEL = 100
MAX_ROLLING_DAYS = 90
MAX_FACTOR = 10_000.0
MAX_BURN_RATES = 4
BURN_RATE_KEYS = ("long", "short", "factor", "severity")
MONEY_KEYS = ("amount", "currency", "price_per_unit", "price_per_million_tokens")
CURRENCY = re.compile(r"[A-Z]{3}")


def read_scope(fields: Fields, allowed: Collection[str], problems: list[Problem]) -> dict[str, tuple[str, ...]] | None:
    """Values by label; None when something is wrong."""
    entry = fields.part("scope")
    if entry is None or entry.mapping() is None:
        fields.wrong("is required: values by label, such as {tenant: search}, or {} for all calls", "scope")
        return None
    before = len(problems)
    names = mapping_names(entry)
    section = Fields(entry, fields.path("scope"), problems, names)
    for name in names.keys() - set(allowed):
        section.wrong(_unknown_label(name, allowed), name)
    scope = {name: _values(section, name, below) for name, below in names.items()}
    return scope if len(problems) == before else None


def _unknown_label(name: str, allowed: Collection[str]) -> str:
    underscored = name.replace(".", "_")
    short = next((word for word, spelled in PROMETHEUS_LABELS.items() if spelled == underscored), "")
    if short:
        return f"write {short!r} for this label"
    return f"unknown label; {suggestion(name, allowed)} A label of your own is declared under `labels`"


def _values(section: Fields, name: str, entry: Entry) -> tuple[str, ...]:
    entries = entry.content if isinstance(entry.content, tuple) else (entry,)
    if not entries or len(entries) > MAX_VALUES_OF_LABEL:
        section.wrong(f"must have one to {MAX_VALUES_OF_LABEL} values", name)
        return ()
    values = []
    for each in entries:
        problem = text_problem(each.content)
        if problem:
            section.wrong(problem, name)
        else:
            values.append(str(each.content))
    return tuple(dict.fromkeys(values))


def read_window(fields: Fields, default_zone: str) -> Window | None:
    """The window of a budget; None when something is wrong."""
    zone = fields.text("time_zone", default_zone)
    text = fields.text("window")
    if text is None or zone is None:
        return None
    length_s = seconds(text)
    if length_s is not None:
        if fields.has("time_zone"):
            fields.wrong("a rolling window has no time zone; remove it", "time_zone")
        if length_s % DAY_S or not DAY_S <= length_s <= MAX_ROLLING_DAYS * DAY_S:
            fields.wrong(f"a rolling window is 1d to {MAX_ROLLING_DAYS}d; longer: quarter or year", "window")
            return None
        return RollingWindow(length_s, f"last {length_s // DAY_S}d")
    periods = [period.value for period in Period]
    if text not in periods:
        fields.wrong(f"unknown window {text!r}; {suggestion(text, (*periods, '30d'))}", "window")
        return None
    if not _is_zone(zone):
        nearest = get_close_matches(zone, available_timezones() or {"UTC"}, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else "such as UTC or Europe/Berlin"
        fields.wrong(f"unknown time zone {zone!r}; {hint}", "time_zone")
        return None
    return CalendarWindow(Period(text), zone)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown, no name of a file, or a folder
        return False
    return True


def read_burn_rates(fields: Fields, window: Window, problems: list[Problem]) -> tuple[BurnRate, ...]:
    """The burn rates that a budget names, or the usual ones; an empty list is none."""
    entry = fields.part("burn_rates")
    if entry is None or entry.content is None:
        return default_burn_rates(window.nominal_s)
    if entry.content == ():
        return ()
    entries = fields.items("burn_rates")
    if len(entries) > MAX_BURN_RATES:
        fields.wrong(f"has more than {MAX_BURN_RATES} entries", "burn_rates")
    found = []
    for position, each in enumerate(entries[:MAX_BURN_RATES]):
        one = Fields(each, f"{fields.path('burn_rates')}[{position}]", problems, BURN_RATE_KEYS)
        long_s = one.duration("long", None, least_s=MINUTE_S, most_s=window.nominal_s)
        short_s = one.duration("short", None, least_s=MINUTE_S, most_s=window.nominal_s)
        factor = one.number("factor", maximum=MAX_FACTOR)
        severity = one.choice("severity", (level.value for level in Severity), Severity.TICKET.value)
        if long_s is None or short_s is None or factor is None or severity is None:
            continue
        if short_s >= long_s:
            one.wrong("must be shorter than the long window", "short")
        found.append(BurnRate(long_s, short_s, factor, Severity(severity)))
    return tuple(found)


def read_money(fields: Fields, problems: list[Problem]) -> Money | None:
    """The money beside a budget, None when there is none or something is wrong."""
    entry = fields.part("money")
    if entry is None or entry.content is None:
        return None
    one = Fields(entry, fields.path("money"), problems, MONEY_KEYS)
    amount, currency = one.number("amount"), one.text("currency")
    if currency is not None and not CURRENCY.fullmatch(currency):
        one.wrong(f"must be a code of three letters, such as EUR, not {currency!r}", "currency")
    if one.has("price_per_unit") == one.has("price_per_million_tokens"):
        one.wrong("needs either price_per_unit or price_per_million_tokens; prices are yours to give")
        return None
    price = one.number("price_per_unit", maximum=MAX_PRICE) if one.has("price_per_unit") else None
    prices = _token_prices(one, problems)
    return None if amount is None or currency is None else Money(amount, currency, price, prices)


def _token_prices(money: Fields, problems: list[Problem]) -> dict[str, float]:
    entry = money.part("price_per_million_tokens")
    if entry is None or entry.content is None:
        return {}
    section = Fields(entry, money.path("price_per_million_tokens"), problems, KINDS)
    found: dict[str, float] = {}
    for kind, below in mapping_names(entry).items():
        price = positive(below, MAX_PRICE)
        if price is None:
            section.wrong(f"must be a price over 0, not {below!r}", kind)
        elif kind in KINDS:
            found[kind] = price
    if not mapping_names(entry):
        section.wrong(f"needs a price for at least one of {', '.join(KINDS)}")
    return found
