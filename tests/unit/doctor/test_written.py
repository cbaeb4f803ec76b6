from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_carbon.doctor.facts import Environment
from otel_carbon.doctor.observations import ProcessReport
from otel_carbon.doctor.written import read_back, written
from tests.unit.doctor.cases import REPORT

finite = st.floats(allow_nan=False, allow_infinity=False)
texts = st.dictionaries(st.text(), st.text())
counts = st.dictionaries(st.text(), st.integers())
environments = st.builds(Environment, packages=texts, variables=texts, regions=texts)
reports = st.builds(
    ProcessReport,
    started_at_s=finite,
    written_at_s=finite,
    most_in_future_s=finite,
    written_file_at_s=finite,
    lost_before_provider=counts,
    not_recorded=counts,
    environment=st.none() | environments,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(reports)
def test_what_was_written_is_read_back(report: ProcessReport) -> None:
    assert read_back(ProcessReport, written(report)) == report


@given(anything)
def test_what_is_no_report_is_a_value_error_or_a_report(value: object) -> None:
    try:
        found = read_back(ProcessReport, json.dumps(value).encode())
    except ValueError:
        return
    assert isinstance(found, ProcessReport)


@given(st.sampled_from(sorted(asdict(REPORT))), anything)
def test_no_wrong_field_gets_in(field: str, value: object) -> None:
    body = json.dumps({**asdict(REPORT), field: value}).encode()
    try:
        found = read_back(ProcessReport, body)
    except ValueError:
        return
    assert read_back(ProcessReport, written(found)) == found


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"calls": [{"scope": "x"}]}', b'{"pid": "7"}'])
def test_broken_bodies_are_value_errors(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_back(ProcessReport, body)


def test_unknown_fields_of_another_version_are_passed_over() -> None:
    assert read_back(ProcessReport, b'{"pid": 7, "of_tomorrow": 1}') == ProcessReport(pid=7)
