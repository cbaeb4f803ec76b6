"""What the documents point at exists, and what exists is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otel_carbon import attributes, metric_names, switches
from otel_carbon.core.reasons import SENTENCES
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import Fact, GridIntensity
from otel_carbon.sdk import environment
from tests.docs.pages import README, REPOSITORY, all_pages, anchors_of, code_of, links_of, page_name

every_page = pytest.mark.parametrize("page", [pytest.param(page, id=page_name(page)) for page in all_pages()])

# Names of files that readers make themselves.
FILES_OF_READERS = {"app.py", "collector.yaml", ".clients/"}
"""What readers write or make."""
PATH = re.compile(r"^[\w.-]+(/[\w.-]+)*(/|\.(py|md|yaml|yml|json|toml|txt|binpb))$")
NEVER_SAID = (
    r"\bpypi\.org\b|\bpythonhosted\b",  # hosts of package registries
    r"\bCSRD[- ]compliant\b|\baudit[- ]proof\b|\bcarbon[- ]neutral\b",
    r"±|\+/-",
    r"\b(seamless|effortless|powerful|robust|blazing|cutting-edge|world-class|state-of-the-art|revolutionary)",
    r"\bmeasured (energy|emissions|footprint)",
)


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in links_of(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if path.startswith(("https://", "http://")):
            continue
        goal = (page.parent / path).resolve() if path else page
        is_page = goal.suffix == ".md" and goal.is_file()
        if not goal.exists() or (anchor and is_page and anchor not in anchors_of(goal.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


@every_page
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = {code for code in code_of(page.read_text(encoding="utf-8")) if PATH.match(code)}
    places = (REPOSITORY, REPOSITORY / "otel_carbon", REPOSITORY / "otel_carbon/registry/data", page.parent)
    missing = {code for code in named if not any((place / code).exists() for place in places)}

    assert missing - FILES_OF_READERS == set()


@every_page
def test_no_page_says_what_we_never_say(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert [found[0] for pattern in NEVER_SAID for found in re.finditer(pattern, text, re.IGNORECASE)] == []


def test_files_of_the_drawing_exist() -> None:
    (drawing,) = re.findall(
        r"^```text\n(capture .*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    files = re.findall(r"otel_carbon/[\w/]+\.py", drawing)

    hops = re.findall(r"^\w+", drawing, re.MULTILINE)
    assert hops == ["capture", "receive", "read", "count", "estimate", "write", "send"]
    assert [file for file in files if not (REPOSITORY / file).is_file()] == []
    assert {Path(file).parts[1] for file in files} >= {
        "capture",
        "sdk",
        "collector",
        "spans",
        "counting",
        "methods",
        "otlp",
    }


def test_attributes_and_counters_that_the_readme_names_are_emitted() -> None:
    emitted = {value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)}
    exposed = {metric.prometheus_name for metric in metric_names.ALL}
    codes = code_of(README.read_text(encoding="utf-8"))

    assert {code for code in codes if code.startswith("otel_carbon.")} <= emitted
    assert {code for code in codes if code.startswith("otel_carbon_")} <= exposed


def test_the_first_line_says_co2() -> None:
    first, *_ = README.read_text(encoding="utf-8").splitlines()

    assert "CO2" in first


def test_every_reason_code_has_its_line_with_an_anchor() -> None:
    page = (REPOSITORY / "docs/reference/reasons.md").read_text(encoding="utf-8")
    lines = re.findall(r'^\| <a id="(\w+)"></a>`(\w+)` \| ([^|]+) \|', page, re.MULTILINE)

    assert {code: sentence for _, code, sentence in lines} == SENTENCES
    assert [code for anchor, code, _ in lines if anchor != code] == []


def test_every_page_of_the_documents_is_in_an_index() -> None:
    pages = set((REPOSITORY / "docs").rglob("*.md"))
    indexes = {REPOSITORY / "docs" / folder / "README.md" for folder in ("", "decisions", "runbooks")}
    listed = {
        (index.parent / target.partition("#")[0]).resolve()
        for index in indexes
        for target in links_of(index.read_text(encoding="utf-8"))
    }

    assert pages - listed - indexes == set()


def test_decisions_are_numbered_dated_and_complete() -> None:
    pages = sorted((REPOSITORY / "docs/decisions").glob("[0-9]*.md"))

    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.match(rf"# {page.name[:4]}: .+\n\n\d{{4}}-\d\d-\d\d\n", text), page.name
        assert set(re.findall(r"^## (.+)$", text, re.MULTILINE)) >= {"Context", "Choice", "Consequences"}, page.name


def test_the_methodology_has_the_section_that_facts_cite() -> None:
    sources = (REPOSITORY / "otel_carbon/registry/data/sources.yaml").read_text(encoding="utf-8")
    (page, anchor) = re.findall(r"locator: (docs/[\w.]+)#([\w-]+)", sources)[0]

    assert anchor in anchors_of((REPOSITORY / page).read_text(encoding="utf-8"))


def test_settings_that_the_readme_names_are_read() -> None:
    settings = {code for code in code_of(README.read_text(encoding="utf-8")) if code.startswith("OTEL_CARBON_")}

    assert settings == {
        switches.DISABLED,
        switches.CAPTURE,
        environment.REGION,
        environment.MODELS,
        environment.ACCOUNTING_POINT,
        environment.ATTRIBUTES,
        environment.STRICT,
        environment.REGISTRY,
    }


def test_the_readme_counts_what_the_registry_knows() -> None:
    registry = Registry.bundled()
    superseded = {fact.supersedes for fact in registry.facts()}

    def current(kind: str) -> list[Fact]:
        return [fact for fact in registry.facts(kind) if fact.id not in superseded]

    zones = {fact.zone for fact in current("grid") if isinstance(fact, GridIntensity)}
    countries = [zone for zone in zones if re.fullmatch(r"[A-Z]{3}", zone) and zone != "WOR"]
    sub_regions = [zone for zone in zones if zone.startswith("USA-")]
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert f"knows [{len(current('energy'))} models]" in text
    assert (
        f"where {len(current('provider'))} providers usually run, {len(current('region'))} cloud regions, "
        f"{len(sub_regions)} sub-regions of the United States and {len(countries)} countries"
    ) in text
