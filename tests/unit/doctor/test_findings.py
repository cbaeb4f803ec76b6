from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import otel_carbon.doctor
from otel_carbon.doctor.findings import (
    MAX_EVIDENCE,
    MAX_OF_A_KIND,
    SEVERITIES,
    anything_wrong,
    finding,
    finding_kinds,
    without_consequences,
)
from tools import generate_doctor_reference

PACKAGE = Path(otel_carbon.doctor.__file__).parent


def test_every_kind_is_whole() -> None:
    for code, kind in finding_kinds().items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert kind.severity in SEVERITIES
        assert re.fullmatch(r"[A-Z|a-z].*[^.]\.", kind.sentence), code
        assert kind.advice
        assert set(kind.hides) <= finding_kinds().keys() - {code}


def test_every_code_of_the_table_is_found_by_a_check_and_no_other() -> None:
    checks = "\n".join(path.read_text(encoding="utf-8") for path in sorted((PACKAGE / "checks").glob("*.py")))
    used = set(re.findall(r'(?:finding|setting)\(\s*"([a-z_]+)"', checks)) | {"model_unknown", "model_by_family"}
    assert used == set(finding_kinds())


def test_advice_is_filled_in_and_a_missing_value_is_an_error() -> None:
    assert finding("exporter_missing", ["x"], package="exporter-x").advice == "pip install exporter-x"
    assert finding("usage_missing", ["x"]).advice == 'stream_options={"include_usage": True}'
    with pytest.raises(KeyError, match="package"):
        finding("exporter_missing", ["x"])


def test_evidence_is_bounded_and_says_how_much_more_there_is() -> None:
    evidence = finding("carbon_disabled", [str(i) for i in range(MAX_EVIDENCE + 3)]).evidence
    assert evidence == (*(str(i) for i in range(MAX_EVIDENCE)), "and 3 more")


def test_findings_come_worst_first_each_once_and_without_consequences() -> None:
    note = finding("region_assumed", ["b"], regions="openai=REGION")
    earlier = replace(note, evidence=("a",))
    missing = finding("provider_missing", ["x"], advice="opentelemetry-instrument python app.py")
    consequence = finding("no_calls_seen", ["x"], command="python app.py")
    warning = finding("usage_missing", ["x"])
    assert without_consequences([note, consequence, warning, earlier, note, missing]) == [
        missing,
        warning,
        earlier,
        note,
    ]


def test_of_many_findings_of_a_kind_the_first_are_kept() -> None:
    many = [finding("usage_missing", [f"{i:02}"]) for i in range(MAX_OF_A_KIND + 5)]
    kept = without_consequences(many)
    assert [each.evidence[0] for each in kept] == [f"{i:02}" for i in range(MAX_OF_A_KIND)]
    assert kept[-1].evidence == (f"{MAX_OF_A_KIND - 1:02}", "and 5 more of this kind")


def test_notes_alone_are_nothing_wrong() -> None:
    note = finding("region_assumed", ["a"], regions="openai=REGION")
    assert not anything_wrong([note])
    assert not anything_wrong([])
    assert anything_wrong([note, finding("usage_missing", ["x"])])
    assert anything_wrong([finding("carbon_disabled", ["x"])])


def test_the_reference_page_is_what_the_table_says() -> None:
    page = generate_doctor_reference.REPOSITORY / generate_doctor_reference.PAGE
    assert page.read_text(encoding="utf-8") == generate_doctor_reference.doctor_page()
    assert generate_doctor_reference.main(["--check"]) == 0
