"""The laws of the archive: it is a dict that forgets the oldest, and no verdict tells whether a call is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon.counting import memory
from otel_carbon.counting.archive import Archive, Entries
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, DUPLICATE, NO_TOKENS, Call
from tests.unit.counting.candidates import candidate, window

if TYPE_CHECKING:
    from otel_carbon.counting.candidate import Candidate, Verdict
    from otel_carbon.counting.window import CountingWindow

many = settings(max_examples=300, deadline=None)
STEPS = (16, 40)
"""Long histories, as calls have to be archived before anything is told of them."""
MAX_TOGETHER = 3
MAX_CALLS, YOUNG_CALLS = 1000, 2
"""So that nearly all calls of an example are archived, and none is forgotten."""

times = st.tuples(st.integers(-3, 30), st.integers(0, 20)).map(lambda time: (time[0], sum(time)))
"""Some before 1970, which the archive has no numbers for."""
candidates = st.builds(
    candidate,
    st.integers(0, 9),
    parent=st.just(0) | st.integers(0, 9),
    trace=st.integers(1, 2),
    scope=st.sampled_from("abc"),
    times_ns=times,
    response_id=st.sampled_from(["", "short-1", "short-2", "a-long-response-id-1", "a-long-response-id-2"]),
    model=st.sampled_from(["", "gpt-4o", "gpt-4o-2024-08-06", "o3"]),
    tokens=st.sampled_from([(100, 10), (100, 11), (7, None), NO_TOKENS]),
    trust=st.integers(1, 2),
)


class Step(NamedTuple):
    """What is told to a window at once."""

    what: str
    spans: list[Candidate]

    def verdicts(self, counting: CountingWindow) -> list[Verdict | None]:
        """What the window says."""
        first = self.spans[0]
        if self.what == "together":
            return list(counting.judge_together(self.spans))
        if self.what in (COUNTED, DUPLICATE, AGGREGATE):
            return [counting.note_judged(first, self.what)]
        if self.what == "relay":
            return [counting.note_relay(first)]  # type: ignore[func-returns-value]  # nothing, as for a step that says nothing
        return [counting.note_structure(first, aggregate=self.what == "sum")]


steps = st.builds(
    Step,
    st.sampled_from(["together", "together", "together", COUNTED, DUPLICATE, AGGREGATE, "relay", "step", "sum"]),
    st.lists(candidates, min_size=1, max_size=MAX_TOGETHER),
)


@many
@given(st.lists(steps, min_size=STEPS[0], max_size=STEPS[1]))
def test_no_verdict_tells_whether_calls_are_archived(told: list[Step]) -> None:
    with patch.object(memory, "YOUNG_PART", MAX_CALLS // YOUNG_CALLS):
        young, archived = window(), window(max_calls=MAX_CALLS)
    for step in told:
        assert step.verdicts(archived) == step.verdicts(young)
    assert archived.evicted == 0


@many
@given(st.lists(steps, min_size=STEPS[0], max_size=STEPS[1]))
def test_no_verdict_tells_whether_calls_are_archived_on_a_thread_of_its_own(told: list[Step]) -> None:
    with patch.object(memory, "YOUNG_PART", MAX_CALLS // YOUNG_CALLS):
        young, archived = window(), window(max_calls=MAX_CALLS, archives_apart=True)
    for step in told:
        assert step.verdicts(archived) == step.verdicts(young)
    assert archived.evicted == 0


class Generation(NamedTuple):
    """Keys that are archived together; `again` are keys whose calls are revived and archived again with them."""

    keys: list[int]
    again: list[int]
    ends_period: bool


generations = st.builds(
    Generation, st.lists(st.integers(-8, 8), unique=True), st.lists(st.integers(-8, 8), max_size=2), st.booleans()
)


@many
@given(st.lists(generations, max_size=12))
def test_an_archive_is_a_dict_that_forgets_what_came_before_the_last_period(made: list[Generation]) -> None:
    archive = Archive(1000, 1000)
    expected: dict[int, tuple[int, str]] = {}
    nothing_young: dict[int, Call] = {}
    period = 0
    for number, generation in enumerate(made):
        find = archive.responses.finder(nothing_young.get)
        entries = {key: Call(frozenset(), 0, f"{number}/{key}", NO_TOKENS, 0, 0, 0.0) for key in generation.keys}
        for key in generation.again:
            known = find(key)
            if known is not None:
                archive.revive(known)
                entries[key] = known
        archive.settle(Entries({}, {}, dict(entries), {}), period)
        expected.update({key: (period, call.model) for key, call in entries.items()})
        if generation.ends_period:
            archive.forget_before(period)
            expected = {key: (of, model) for key, (of, model) in expected.items() if of >= period}
            period += 1
        find = archive.responses.finder(nothing_young.get)
        found = {key: call.model for key in range(-8, 9) if (call := find(key)) is not None}
        assert found == {key: model for key, (_, model) in expected.items()}
