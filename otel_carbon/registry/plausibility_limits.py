"""The limits of plausibility and the findings that are known, read from their data file when asked for."""

from __future__ import annotations

import json
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "plausibility.json"
PRICE_LOW = "little_energy_for_its_price"
PRICE_HIGH = "more_energy_than_its_price_pays"
WATTS_HIGH = "more_power_than_an_accelerator_draws"
SMALLER_ABOVE_LARGER = "smaller_model_above_larger"
SIZE_ABOVE_LARGER = "smaller_model_guessed_larger"
MID_BELOW_FLOOR = "mid_below_floor"
MID_ABOVE_CEILING = "mid_above_ceiling"
CODES = {
    PRICE_LOW: "The energy is little for the list price: the size may be guessed too small, or the price is high.",
    PRICE_HIGH: "At list price a dollar would have to pay for more electricity than comes with a dollar of hardware.",
    WATTS_HIGH: "At its published speed and the assumed batch each accelerator would draw more than it can.",
    SMALLER_ABOVE_LARGER: "A model that its name calls small takes more than its larger sibling.",
    SIZE_ABOVE_LARGER: "A model that its name calls small works with more parameters than its larger sibling.",
    MID_BELOW_FLOOR: "The mid lies below what no benchmark has come below.",
    MID_ABOVE_CEILING: "The mid lies above what the list price can pay for.",
}
"""Code of a finding to what it says."""


class Finding(NamedTuple):
    """What looks wrong of a fact; `other_id` is the sibling that it was held against, else empty."""

    code: str
    fact_id: str
    other_id: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is plausible; units are in the names."""

    accelerator_watts: float
    accelerator_memory_gb: float
    memory_overhead: float
    weight_bits: int
    size_words: tuple[tuple[str, ...], ...]
    """Words of names from small to large; an empty one is a name without a word."""


@dataclass(frozen=True, slots=True)
class KnownFindings:
    """Findings of one cause, with the cause."""

    reason: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class PlausibilityData:
    """The limits, where they come from, and what is known to lie beyond them."""

    limits: Limits
    sources: Mapping[str, Mapping[str, str | int]]
    """Id to producer, title, year, address, licence, day of access and note of what the limits rest on."""
    known: tuple[KnownFindings, ...]

    def reason_of(self, finding: Finding) -> str:
        """Why a finding stands; empty when nobody has said so yet."""
        return next((each.reason for each in self.known if finding in each.findings), "")


def plausibility_data() -> PlausibilityData:
    """The content of the data file.

    Raises:
        RegistryError: the package was installed without it.
    """
    body = pkgutil.get_data("otel_carbon.registry", f"data/{FILE}")
    if body is None:
        msg = f"{FILE} cannot be read from where otel-carbon is installed"
        raise RegistryError(msg)
    content: dict[str, Any] = json.loads(body)
    words = tuple(tuple(ladder) for ladder in content["limits"].pop("size_words"))
    known = tuple(
        KnownFindings(group["reason"], tuple(_finding(group["code"], text) for text in group["facts"]))
        for group in content["known"]
    )
    return PlausibilityData(Limits(**content["limits"], size_words=words), content["sources"], known)


def _finding(code: str, text: str) -> Finding:
    """`FACT`, or `FACT > LARGER` where two are compared."""
    fact_id, _, other_id = text.partition(" > ")
    return Finding(code, fact_id, other_id)
