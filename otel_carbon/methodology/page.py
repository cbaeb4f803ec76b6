"""The whole methodology document of a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.methodology.document import Code, Document, Section, paragraph
from otel_carbon.methodology.sections.arithmetic import arithmetic_section
from otel_carbon.methodology.sections.checks import checks_section, weaknesses_section
from otel_carbon.methodology.sections.comparison import comparison_section
from otel_carbon.methodology.sections.facts import models_section, places_section, shared_section
from otel_carbon.methodology.sections.method import method_section
from otel_carbon.methodology.sections.scope import exclusions_section, scope_section
from otel_carbon.methodology.sections.sources import sources_section

if TYPE_CHECKING:
    from datetime import date

    from otel_carbon.registry.catalog import Registry

TITLE = "How otel-carbon estimates energy, emissions and water of LLM inference"


def methodology_document(registry: Registry) -> Document:
    """The document; equal registries give equal documents, whatever the day.

    Estimates in it are for calls on the day as of which the registry is looked at, else on that of its last fact.
    """
    day = registry.known_on or _last_published(registry)
    sections = (
        _about_section(registry, day),
        scope_section(),
        exclusions_section(),
        arithmetic_section(registry, day),
        method_section(registry),
        models_section(registry),
        shared_section(registry),
        places_section(registry),
        checks_section(registry, day),
        weaknesses_section(registry),
        comparison_section(registry, day),
        sources_section(registry),
    )
    return Document(TITLE, registry.version, registry.digest, registry.known_on, sections)


def _about_section(registry: Registry, day: date) -> Section:
    known = f" as it was known on {registry.known_on}" if registry.known_on else ""
    return Section(
        "about",
        "About this page",
        (
            paragraph(
                "Made from the registry of facts, version ",
                Code(registry.version),
                f"{known}, digest ",
                Code(registry.digest),
                f". The same registry gives the same page. Calls in examples are of {day}. All amounts are modelled.",
            ),
            paragraph(
                "Facts that others have superseded are left out; ",
                Code("otel-carbon registry list"),
                " has them, and ",
                Code("otel-carbon estimate --json"),
                " shows every step of any call as the example below does.",
            ),
        ),
    )


def _last_published(registry: Registry) -> date:
    return max(fact.published for fact in registry.facts())
