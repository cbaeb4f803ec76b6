from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_carbon.cli.doctor_json import doctor_json
from otel_carbon.doctor.examine import findings_of
from otel_carbon.doctor.observations import CommandOutcome
from otel_carbon.doctor.shown_command import quoted, shown_line, shown_words
from tests.unit.doctor.cases import RUN


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["env", "OPENAI_API_KEY=hush", "python", "app.py"], "env OPENAI_API_KEY=REDACTED python app.py"),
        (["curl", "-H", "Authorization: Bearer hush"], "curl -H 'Authorization: REDACTED'"),
        (["curl", "-H", "Accept: text/html"], "curl -H 'Accept: text/html'"),
        (["curl", "-u", "me:hush", "http://a"], "curl -u me:REDACTED http://a"),
        (["app", "--token", "hush", "--verbose"], "app --token REDACTED --verbose"),
        (["app", "--password=hush"], "app --password=REDACTED"),
        (["app", "--api-key=hush", "--apiKey", "hush"], "app --api-key=REDACTED --apiKey REDACTED"),
        (["app", "--token", "--verbose"], "app --token --verbose"),
        (["app", "--max-tokens", "100", "tokenizer=x"], "app --max-tokens 100 tokenizer=x"),
        (["app", "https://me:hush@host/path"], "app https://REDACTED@host/path"),
        (["app", "https://host/path?api_key=hush&x=1"], "app 'https://host/path?api_key=REDACTED&x=1'"),
        (["app", "sk-hushhushhush"], "app REDACTED"),
        (
            ["python", "-c", "f(api_key='hush', model='m')"],
            """python -c 'f(api_key='"'"'REDACTED'"'"', model='"'"'m'"'"')'""",
        ),
        (["sh", "-c", "TOKEN=hush python app.py"], "sh -c 'TOKEN=REDACTED python app.py'"),
        (["python", "-c", "a = 1\nb"], "python -c $'a = 1\\nb'"),
    ],
)
def test_secrets_are_kept_back(command: list[str], line: str) -> None:
    assert shown_line(command) == line


def test_no_report_repeats_a_secret() -> None:
    command = ("env", "OPENAI_API_KEY=hush", "app", "--token", "hush")
    examined = replace(RUN, outcome=CommandOutcome(command, exit_code=1))
    text = doctor_json(examined, findings_of(examined))
    assert json.loads(text)["command"]["arguments"] == ["env", "OPENAI_API_KEY=REDACTED", "app", "--token", "REDACTED"]
    assert "hush" not in text
    for reports in ((), RUN.reports):
        found = findings_of(replace(examined, reports=reports))
        assert [each for each in found if "hush" in each.advice] == []


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))


@given(st.lists(words))
def test_showing_twice_changes_nothing_more(command: list[str]) -> None:
    assert shown_words(shown_words(command)) == shown_words(command)


@given(words)
def test_a_word_stays_on_one_line(word: str) -> None:
    assert quoted(word).isprintable()


@pytest.mark.parametrize("word", ["a b", "it's\n\\n\ttwo", "\x1b[31m é\u2028", "", "$(x)\r"])
def test_a_shell_reads_back_what_was_quoted(word: str) -> None:
    done = subprocess.run(["bash", "-c", f"printf %s {quoted(word)}"], capture_output=True, timeout=20, check=True)
    assert done.stdout.decode() == word
