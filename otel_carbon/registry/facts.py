"""The kinds of fact that the registry holds, as the compiled form spells them."""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass
from dataclasses import fields as dataclass_fields
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from otel_carbon.core.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Record:
    """What its fields say, for good.

    Dataclasses that write no methods: those would take 10 ms of the start of every application.
    """

    __slots__ = ()

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401 - each field has a type of its own
        """Take each field by name; one with a default may be left out.

        Raises:
            TypeError: a field is missing or unknown.
        """
        for name, default in _fields_of(type(self)):  # type: ignore[arg-type]  # mypy takes its instances for the class
            if name in fields:
                object.__setattr__(self, name, fields.pop(name))
            elif default is not MISSING:
                object.__setattr__(self, name, default)
            else:
                msg = f"{type(self).__name__} needs {name!r}"
                raise TypeError(msg)
        if fields:
            msg = f"{type(self).__name__} has no {', '.join(map(repr, fields))}"
            raise TypeError(msg)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: facts do not change."""
        raise FrozenInstanceError(name)


@cache
def _fields_of(record: type) -> tuple[tuple[str, object], ...]:
    """The names and defaults of a record's fields, in their order."""
    return tuple((field.name, field.default) for field in dataclass_fields(record))


@dataclass(init=False, repr=False, slots=True)
class Source(_Record):
    """Who published a figure, where, under which licence, and when it was read."""

    id: str
    producer: str
    title: str
    year: int
    url: str
    licence: str
    accessed: date
    redistributable: str
    """`yes`, `limited` (a few cited figures only) or `facts` (single figures are citable facts)."""
    locator: str = ""
    note: str = ""


@dataclass(init=False, repr=False, eq=False, slots=True)
class Fact(_Record):
    """What every fact has: an id that is never reused, its sources, its evidence and its dates.

    `evidence` grades how the number came about: metered, supplier, benchmark, parametric or assumed.
    A fact applies to calls from `valid_from` up to, not including, `valid_to`; it is known since `published`.
    Facts are told apart by identity, as there is one object for each id; a generated `__eq__` would slow imports down.
    """

    id: str
    sources: tuple[str, ...]
    evidence: str
    published: date
    valid_from: date
    valid_to: date | None
    supersedes: str | None
    note: str

    def __repr__(self) -> str:
        """Name the fact: its id says what it is."""
        return f"{type(self).__name__}({self.id!r})"

    def applies_at(self, day: date) -> bool:
        """Whether a call on that day may use the fact."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(init=False, repr=False, eq=False, slots=True)
class EnergyCoefficient(Fact):
    """IT energy per 1,000 tokens of one model, in Wh; the same whoever hosts it."""

    developer: str
    models: tuple[str, ...]
    aliases: tuple[str, ...]
    operations: tuple[str, ...]
    open_weights: bool
    """Whether anyone may host the model."""
    method: str
    output_wh_per_ktoken: Interval
    input_wh_per_ktoken: Interval
    assumptions: tuple[str, ...]
    family: str = ""
    """The line of models that it belongs to."""
    sized_by: str = ""
    """The method fact that made the two amounts from the size below; empty when they were written down."""
    size_evidence: str = ""
    """`published` by the developer, told by the model's `name`, or `guessed`."""
    active_b_low: float | None = None
    active_b_high: float | None = None
    """Billions of parameters that work on one token."""
    total_b_low: float | None = None
    total_b_high: float | None = None
    benchmark_wh_per_ktoken: float | None = None
    """What the accelerators took for output in a benchmark of these weights, at the method's batch."""
    other_wh_per_ktoken_low: float | None = None
    other_wh_per_ktoken_high: float | None = None
    """The range of another admissible method, brought to this boundary."""
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    """List price on `price_date`, in US dollars per million tokens."""
    price_date: date | None = None
    kv_bytes_per_token: float | None = None
    """What the accelerator reads again for each token of context and each token that it writes."""
    context_wh_per_ktoken_ktoken: Interval | None = None
    """For 1,000 output tokens at 1,000 tokens of context; made from the bytes above."""
    derivation: str = ""
    """How the amounts were computed, with every term."""


@dataclass(init=False, repr=False, eq=False, slots=True)
class Fallback(Fact):
    """IT energy per 1,000 tokens, in Wh, of models that no coefficient is about: of a family, a size class, or of any.

    `patterns` are held against normalised model ids (`spellings.plain_name`), `*` stands for anything.
    `low_b` and `high_b` are billions of parameters in all, which a name may tell; 0 where size says nothing.
    """

    level: str
    """`family`, `size_class` or `generic`; `none` for names of models that no coefficient of tokens fits."""
    name: str
    patterns: tuple[str, ...]
    operations: tuple[str, ...]
    open_weights: bool
    low_b: float
    high_b: float
    output_wh_per_ktoken: Interval
    input_wh_per_ktoken: Interval
    assumptions: tuple[str, ...]
    method: str = "fallback"
    developer: str = ""
    """Who makes the models of a family; empty when several do, or nobody knows."""
    sized_by: str = ""
    """The method fact that made the amounts of a band of sizes."""
    derivation: str = ""


@dataclass(init=False, repr=False, eq=False, slots=True)
class Assessment(Fact):
    """A supplier's life-cycle assessment of one of its models, as it serves it: per 1,000 output tokens.

    It says what is emitted and drunk, hardware within; it converts to no energy and takes no grid.
    """

    supplier: str
    models: tuple[str, ...]
    operations: tuple[str, ...]
    boundary: str
    """`life_cycle_of_inference`: servers made and run for the marginal inference, without training."""
    gco2e_per_output_ktoken: Interval
    l_per_output_ktoken: Interval


@dataclass(init=False, repr=False, eq=False, slots=True)
class SizeMethod(Fact):
    """How energy follows from the size of a model: a fit over benchmarks, what is assumed of serving, and the bounds.

    Parameters count in billions; the coefficients are those of `core.parametric.OutputFit`.
    """

    method: str
    intercept: float
    ln_active_b: float
    ln_total_b: float
    ln_batch: float
    ln_batch_squared: float
    fp8: float
    b200: float
    batch_origin: float
    fitted_active_b_low: float
    fitted_active_b_high: float
    fitted_total_b_low: float
    fitted_total_b_high: float
    batch: Interval
    """Requests that are served together."""
    it_per_accelerator: Interval
    """Accelerator, host and idle reserve, relative to the accelerators alone."""
    fit_factor: float
    """95 % of models lie within this factor of the fit, either way."""
    size_factor: float
    """How far a guessed size may be off."""
    serving_factor: float
    """How far the serving stack and hardware may be off where the weights themselves were benchmarked."""
    input_per_output: float
    """Energy of an input token relative to an output token."""
    input_divisor_low: float
    input_factor_high: float
    """From the mid of an input token to its bounds."""
    suspect_factor_high: float
    """From mid to high where the price contradicts the guessed size."""
    floor_j_per_active_b: float
    """Joules of the accelerators per token and billion active parameters that no benchmark has come below."""
    kwh_per_usd: float
    """Electricity at the facility that a dollar of accelerator time pays for at most."""
    kwh_per_usd_own_chips: float
    own_chips: tuple[str, ...]
    """Developers who run chips of their own."""
    least_kwh_per_usd: float
    """Below so much per dollar of list price, a guessed size is suspect."""
    facility_per_it: float
    """The PUE at which prices are compared."""
    prefill_flops_per_s: float
    prefill_utilisation: Interval
    prefill_watts: float
    """One accelerator reading input at 16 bits."""
    context_j_per_gb: Interval
    """Joules of the accelerators for reading a gigabyte of the context's keys and values."""


@dataclass(init=False, repr=False, eq=False, slots=True)
class GridIntensity(Fact):
    """Life-cycle emissions per kWh of electricity in a zone, in gCO2e; `basis` is `location` or `market`."""

    zone: str
    basis: str
    gco2e_per_kwh: Interval
    derivation: str = ""
    """How the mid was computed, with every term, so that it can be recomputed; empty when published as it is."""


@dataclass(init=False, repr=False, eq=False, slots=True)
class DirectIntensity(Fact):
    """Emissions of burning fuel alone per kWh of electricity in a zone, in gCO2e; for comparison with inventories.

    A kind of its own, so that no look-up, mix or estimate can take it for a life-cycle intensity.
    """

    zone: str
    direct_gco2e_per_kwh: Interval


@dataclass(init=False, repr=False, eq=False, slots=True)
class WaterIntensity(Fact):
    """Water consumed by power stations per kWh of electricity in a zone, in litres."""

    zone: str
    l_per_kwh: Interval


@dataclass(init=False, repr=False, eq=False, slots=True)
class Zone(Fact):
    """A grid zone: its names, and whose water intensity it takes (`water_zone`)."""

    zone: str
    names: tuple[str, ...]
    water_zone: str


@dataclass(init=False, repr=False, eq=False, slots=True)
class Site(Fact):
    """Data-centre efficiency of a cloud region or of a provider's fleet: PUE, and WUE in L per IT kWh."""

    site: str
    pue: Interval
    wue_l_per_it_kwh: Interval


@dataclass(init=False, repr=False, eq=False, slots=True)
class Region(Fact):
    """A cloud region: the grid zone it draws from and the site that stands there."""

    region: str
    cloud: str
    zone: str
    site: str


@dataclass(init=False, repr=False, eq=False, slots=True)
class ProviderPlace(Fact):
    """Where a provider runs when nobody says: the names it goes by, a zone (or mix of zones) and a site."""

    provider: str
    names: tuple[str, ...]
    zone: str
    site: str


@dataclass(init=False, repr=False, eq=False, slots=True)
class Embodied(Fact):
    """Manufacture of the hardware per kWh of IT energy, in gCO2e."""

    gco2e_per_it_kwh: Interval


@dataclass(init=False, repr=False, eq=False, slots=True)
class TokenRatio(Fact):
    """Energy of one kind of token relative to an uncached input token; `token_kind` is cache_read or cache_write."""

    token_kind: str
    ratio: Interval


@dataclass(init=False, repr=False, eq=False, slots=True)
class ActivityTokens(Fact):
    """What one request of a product is taken to read and write, in tokens, where nobody counts them."""

    product: str
    names: tuple[str, ...]
    input_tokens: Interval
    output_tokens: Interval


@dataclass(init=False, repr=False, eq=False, slots=True)
class CharactersPerToken(Fact):
    """How long a token is in a script."""

    script: str
    characters_per_token: Interval


@dataclass(init=False, repr=False, eq=False, slots=True)
class Meter(Fact):
    """What a meter of a call's energy covers: IT energy for each kWh that it shows.

    `boundary` is `accelerator`, `it` or `facility`; of the last the PUE of the call's place is taken out afterwards.
    """

    boundary: str
    it_per_metered: Interval


@dataclass(init=False, repr=False, eq=False, slots=True)
class RangeRule(Fact):
    """How far low and high lie from a mid that is published without a range: factors on the mid."""

    factor_low: float
    factor_high: float


FACT_KINDS: dict[str, type[Fact]] = {
    "energy": EnergyCoefficient,
    "grid": GridIntensity,
    "direct": DirectIntensity,
    "water": WaterIntensity,
    "zone": Zone,
    "site": Site,
    "region": Region,
    "provider": ProviderPlace,
    "embodied": Embodied,
    "ratio": TokenRatio,
    "range": RangeRule,
    "activity": ActivityTokens,
    "assessment": Assessment,
    "characters": CharactersPerToken,
    "meter": Meter,
    "method": SizeMethod,
    "fallback": Fallback,
}
"""First part of a fact's id to its class."""

_DATES = frozenset({"published", "valid_from", "valid_to", "accessed", "price_date"})


def kind_of(fact_id: str) -> str:
    """The kind that a fact's id starts with."""
    return fact_id.partition("/")[0]


def fact_from_record(record: Mapping[str, Any]) -> Fact:
    """A fact object from its record in the compiled form.

    Raises:
        KeyError: the id starts with no known kind.
        TypeError: a field is missing or unknown.
        ValueError: an interval or a date is none.
    """
    return FACT_KINDS[kind_of(record["id"])](**{key: _typed(key, entry) for key, entry in record.items()})


def source_from_record(record: Mapping[str, Any]) -> Source:
    """A source object from its record in the compiled form; raises as `fact_from_record`."""
    return Source(**{key: _typed(key, entry) for key, entry in record.items()})


def _typed(key: str, entry: Any) -> Any:  # noqa: ANN401 - JSON in, typed fact fields out
    if isinstance(entry, dict):
        return Interval(entry["low"], entry["mid"], entry["high"])
    if isinstance(entry, list):
        return tuple(entry)
    if key in _DATES and entry is not None:
        return date.fromisoformat(entry)
    return entry
