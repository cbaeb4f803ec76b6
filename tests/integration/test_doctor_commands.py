"""What commands may do to the doctor, and what the doctor may not do to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.doctored import APPS, DOCTOR, INSTRUMENT, Examination, environment, examine
from tests.support.processes import start
from tests.support.small_venvs import venv_without
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.small_venvs import SmallVenv

OWN_SPANS = APPS / "own_spans.py"
REGION = {"OTEL_CARBON_REGION": "openai=eastus"}
QUIET = {
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic,openai",
}


def run(way: str, folder: Path, *, options: Sequence[str] = ()) -> Examination:
    return examine([sys.executable, OWN_SPANS, way], folder, REGION, options=options)


def calls_seen(found: Examination) -> int:
    return sum(call["count"] for process in found.report["processes"] for call in process["calls"])


def how_they_ended(found: Examination) -> list[str]:
    return sorted(process["ended"] for process in found.report["processes"])


def test_a_command_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    found = examine([tmp_path / "nothing-here"], tmp_path)
    assert (found.exit_code, found.out, found.text) == (2, "", "{}")
    assert found.err == f"Error: {tmp_path / 'nothing-here'}: No such file or directory\n"


def test_a_report_that_cannot_be_written_is_refused_before_the_command_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for report, problem in (("nowhere/report", "No such file or directory"), ("file/report", "Not a directory")):
        said: list[str | Path] = [*DOCTOR, "-o", tmp_path / report, "--", "touch", tmp_path / "ran"]
        done = subprocess.run(said, capture_output=True, text=True, env=environment({}), timeout=60, check=False)
        assert (done.returncode, done.stderr) == (2, f"Error: {tmp_path / report}: {problem}\n")
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_no_program_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no program", encoding="utf-8")
    found = examine([tmp_path / "data"], tmp_path)
    assert (found.exit_code, found.err) == (2, f"Error: {tmp_path / 'data'}: Permission denied\n")


def test_a_command_that_crashes_is_told_with_its_exit_code(tmp_path: Path) -> None:
    found = run("crash", tmp_path)
    assert (found.codes, found.exit_code) == (["command_failed"], 1)
    assert found.finding("command_failed")["evidence"] == ["exit code 1"]
    assert found.report["command"]["exit_code"] == 1
    assert "RuntimeError: canary-of-an-error" in found.err
    assert "canary" not in found.text
    assert calls_seen(found) == 1


def test_of_a_command_that_is_killed_the_calls_before_are_known(tmp_path: Path) -> None:
    found = run("kill", tmp_path)
    assert (found.codes, found.exit_code, calls_seen(found)) == (["command_failed"], 1, 1)
    assert found.finding("command_failed")["evidence"] == ["ended by SIGKILL"]


def test_no_call_is_lost_with_a_process_that_is_killed(tmp_path: Path) -> None:
    found = run("killed_later", tmp_path)
    assert (found.codes, calls_seen(found), how_they_ended(found)) == (["command_failed"], 20 + 5, ["", ""])


def test_calls_of_workers_that_end_without_a_word_are_known(tmp_path: Path) -> None:
    found = run("killed_child", tmp_path)
    assert (found.codes, found.exit_code, calls_seen(found)) == (["process_unfinished"], 0, 5)
    assert sorted(process["spans"] for process in found.report["processes"]) == [0, 5]


def test_workers_of_a_pool_are_no_matter(tmp_path: Path) -> None:
    found = run("workers_pool", tmp_path)
    assert (found.codes, found.exit_code, calls_seen(found)) == ([], 0, 6)


def test_a_daemon_that_outlives_the_command_is_said_so(tmp_path: Path) -> None:
    variables = REGION | {"PID_FILE": str(tmp_path / "pid")}
    found = examine([sys.executable, OWN_SPANS, "outlive"], tmp_path, variables)
    pid = wait_until(lambda: (tmp_path / "pid").read_text(encoding="utf-8") or None, timeout_s=10, what="its pid")
    os.kill(int(pid), signal.SIGKILL)
    assert (found.codes, found.exit_code) == (["process_running"], 0)
    assert found.finding("process_running")["evidence"] == [f"process {pid}"]


def test_what_goes_in_and_out_is_untouched(tmp_path: Path) -> None:
    megabytes = b"\x00\xff 0123456789abcdef\n" * 200_000
    done = subprocess.run(
        [*DOCTOR, "-o", tmp_path / "page", "--", sys.executable, OWN_SPANS, "echo"],
        input=megabytes,
        capture_output=True,
        env=environment(REGION),
        timeout=60,
        check=True,
    )
    assert done.stdout == megabytes
    assert done.stderr == b""
    assert (tmp_path / "page").read_text(encoding="utf-8").endswith("\nNothing is wrong.\n")


@pytest.mark.parametrize("way", ["prefork", "pool"])
def test_calls_of_forked_processes_are_seen_once_each(way: str, tmp_path: Path) -> None:
    found = run(way, tmp_path)
    assert (found.codes, found.exit_code, calls_seen(found)) == ([], 0, 3)
    assert len(found.report["processes"]) == 1 + 3
    assert how_they_ended(found) == ["exit", "os._exit", "os._exit", "os._exit"]


def test_calls_of_spawned_processes_are_seen(tmp_path: Path) -> None:
    found = run("spawn", tmp_path)
    assert (found.codes, found.exit_code, calls_seen(found)) == ([], 0, 3)


def test_calls_of_many_threads_are_all_counted(tmp_path: Path) -> None:
    found = run("threads", tmp_path)
    (process,) = found.report["processes"]
    assert (found.codes, process["spans"], calls_seen(found)) == ([], 8 * 250, 8 * 250)


def test_a_folder_for_reports_that_vanishes_does_not_concern_the_command(tmp_path: Path) -> None:
    found = run("vanish", tmp_path)
    assert (found.codes, found.err, found.report["command"]["exit_code"]) == (["not_observed"], "", 0)


def test_a_command_that_clears_its_environment_is_observed_to_its_end(tmp_path: Path) -> None:
    found = run("clear", tmp_path)
    assert (calls_seen(found), how_they_ended(found)) == (1, ["exit"])


def test_a_command_that_replaces_itself_without_environment_is_known_up_to_then(tmp_path: Path) -> None:
    found = run("replace", tmp_path)
    assert (found.exit_code, calls_seen(found), how_they_ended(found)) == (0, 1, ["exec"])


def test_thousands_of_calls_of_hundreds_of_models_stay_bounded(tmp_path: Path) -> None:
    found = run("many", tmp_path)
    (process,) = found.report["processes"]
    assert (process["spans"], len(process["calls"])) == (5000, 500)
    assert process["not_kept"] == 5000 - calls_seen(found)
    assert found.finding("too_much_to_keep")["evidence"] == [f"{process['not_kept']} spans beyond the bound"]
    unknown = found.finding("model_unknown")
    assert len([piece for piece in unknown["evidence"] if " at openai: " in piece]) == 8
    assert unknown["evidence"][-1] == f"and {500 - 8} more of this kind"
    assert len(found.text) < 1_000_000


@pytest.mark.parametrize("way", ["serve", "serve_politely"])
def test_a_server_is_stopped_when_its_time_is_over(way: str, tmp_path: Path) -> None:
    found = run(way, tmp_path, options=["--timeout", "5"])
    assert (found.codes, found.exit_code, calls_seen(found)) == (["command_stopped"], 0, 1)
    assert how_they_ended(found) == ["SIGTERM" if way == "serve" else "exit"]


def test_a_signal_to_the_doctor_reaches_the_command(tmp_path: Path) -> None:
    report = tmp_path / "doctor.json"
    said: list[str | Path] = [*DOCTOR, "--json", "-o", report, "--", sys.executable, "-c", WAITS, tmp_path / "ready"]
    process = start(said, folder=tmp_path, name="doctor", environment=environment(REGION))
    try:
        process.wait_for((tmp_path / "ready").exists, timeout_s=30, what="the command")
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(30) == 1
    finally:
        process.stop()
    assert json.loads(report.read_text(encoding="utf-8"))["command"]["ended"] == "ended by SIGTERM"


WAITS = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"


@pytest.mark.parametrize("option", ["-I", "-E", "-S", "-Is"])
def test_a_python_that_is_told_to_look_away_is_said_so(option: str, tmp_path: Path) -> None:
    found = examine([sys.executable, option, "-c", 'print("done")'], tmp_path)
    assert (found.codes, found.exit_code, found.out) == (["not_observed"], 1, "done\n")
    assert found.finding("not_observed")["evidence"][0].startswith(f"{option} keeps Python from reading PYTHONPATH")
    assert found.finding("not_observed")["advice"] == f"""otel-carbon doctor -- {sys.executable} -c 'print("done")'"""


def test_a_command_that_is_no_python_is_said_so(tmp_path: Path) -> None:
    found = examine(["/bin/echo", "hello"], tmp_path)
    assert (found.codes, found.exit_code, found.out) == (["not_observed"], 1, "hello\n")


def test_a_python_without_otel_carbon_is_said_so(tmp_path: Path) -> None:
    import venv

    venv.EnvBuilder(with_pip=False, symlinks=True).create(tmp_path / "bare")
    found = examine([tmp_path / "bare/bin/python", "-c", "print('done')"], tmp_path)
    assert (found.codes, found.exit_code, found.out) == (["carbon_not_installed"], 1, "done\n")
    assert found.finding("carbon_not_installed")["advice"] == f"{tmp_path}/bare/bin/python -m pip install otel-carbon"


def test_scripts_modules_and_code_are_all_observed(tmp_path: Path) -> None:
    (tmp_path / "as_module.py").write_text(OWN_SPANS.read_text(encoding="utf-8"), encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import as_module; as_module.main('call')"
    ways: list[list[str | Path]] = [
        [sys.executable, OWN_SPANS, "call"],
        [sys.executable, "-m", "as_module", "call"],
        [sys.executable, "-c", code],
        [sys.executable, "-W", "error", "-X", "dev", OWN_SPANS, "call"],
    ]
    for command in ways:
        found = examine(command, tmp_path, REGION | {"PYTHONPATH": str(tmp_path)})
        assert (found.codes, found.exit_code, found.err, calls_seen(found)) == ([], 0, "", 1), command


LOOKS = """
import json, os, sys, threading, signal
told = [sys.path, dict(os.environ), threading.active_count(), sorted(sys.argv), sys.flags.dev_mode]
print(json.dumps(told))
"""


def test_a_command_finds_the_same_as_without_the_doctor(tmp_path: Path) -> None:
    variables = {"PYTHONPATH": str(tmp_path)}
    (tmp_path / "sitecustomize.py").write_text("import builtins\nbuiltins.hidden = 'was run'\n", encoding="utf-8")
    command = [sys.executable, "-c", f"{LOOKS}\nprint(hidden)"]
    alone = subprocess.run(command, capture_output=True, text=True, env=environment(variables), timeout=60, check=True)
    beside = examine(command, tmp_path, variables)
    (path, variables_seen, *rest), hidden = _told(alone.stdout)
    (path_beside, variables_beside, *rest_beside), hidden_beside = _told(beside.out)
    assert (path, rest, hidden) == (path_beside, rest_beside, hidden_beside)
    assert hidden == "was run"
    changed = {name for name in variables_beside if variables_beside[name] != variables_seen.get(name)}
    assert changed == {"OTEL_CARBON_DOCTOR_REPORTS", "PYTHONPATH"}
    assert variables_seen.keys() <= variables_beside.keys()


def _told(out: str) -> tuple[list[Any], str]:
    first, second = out.splitlines()
    return json.loads(first), second


def test_children_of_an_instrumented_application_are_observed_too(tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, {str(OWN_SPANS)!r}, 'call'], check=True)"
    found = examine([*INSTRUMENT, "-c", code], tmp_path, REGION | QUIET)
    assert calls_seen(found) == 1
    assert [process["automatic"] for process in found.report["processes"]] == [True, True]
    assert found.codes == ["provider_refused"]  # the child sets one up beside that of the automatic instrumentation


@pytest.mark.parametrize(
    ("text", "problem"),
    [(None, "No such file or directory"), ("file_format: [", "otel.yaml: "), ("tracer_provider: 7", "otel.yaml: ")],
)
def test_an_unreadable_configuration_is_named(text: str | None, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "otel.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    code = "import openai"
    found = examine([*INSTRUMENT, "-c", code], tmp_path, QUIET | {"OTEL_CONFIG_FILE": str(path)})
    assert (found.codes[0], found.exit_code) == ("config_file_unusable", 1)
    assert problem in found.finding("config_file_unusable")["evidence"][0]


def test_a_broken_plug_in_of_another_package_is_named(tmp_path: Path) -> None:
    small = venv_without(tmp_path / "venv")
    small.add_module("broken_plug_in.py", "raise RuntimeError('no')\n")
    entry = "[opentelemetry_instrumentor]\nbroken = broken_plug_in:Instrumentor\n"
    small.add_metadata("broken-plug-in", "1.0", entry_points=entry)
    found = examine([small.instrument, small.python, "-c", ""], tmp_path, QUIET)
    assert found.codes == ["entry_point_broken"]
    told = "broken (opentelemetry_instrumentor) of broken-plug-in: RuntimeError"
    assert found.finding("entry_point_broken")["evidence"] == [told]


RAISES = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
class Instrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()
    def _instrument(self, **kwargs):
        raise KeyError("canary-of-an-error")
    def _uninstrument(self, **kwargs):
        pass
"""


def test_a_plug_in_that_raises_while_it_instruments_is_named(tmp_path: Path) -> None:
    small = venv_without(tmp_path / "venv")
    small.add_module("raising_plug_in.py", RAISES)
    entry = "[opentelemetry_instrumentor]\naaa_raising = raising_plug_in:Instrumentor\n"
    small.add_metadata("raising-plug-in", "1.0", entry_points=entry)
    variables = QUIET | {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic"}
    found = examine([small.instrument, small.python, "-c", "import openai"], tmp_path, variables)
    assert (found.codes, found.exit_code) == (["entry_point_broken"], 1)
    told = "aaa_raising (opentelemetry_instrumentor) of raising-plug-in: KeyError"
    assert found.finding("entry_point_broken")["evidence"] == [told]
    line = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=anthropic,aaa_raising"
    assert found.finding("entry_point_broken")["advice"] == line
    assert "canary" not in found.text


def small_venv_whose_instrumentation_lacks_a_module(folder: Path) -> SmallVenv:
    package = "opentelemetry-instrumentation-genai-openai"
    small = venv_without(folder, package)
    small.add_module("lacks_a_module.py", "import not_there_at_all.inner\n")
    wanted = ['openai>=1; extra == "instruments"', "not-there-at-all<0.5"]
    entry = "[opentelemetry_instrumentor]\nopenai = lacks_a_module:OpenAIInstrumentor\n"
    small.add_metadata(package, "9.0", requires=wanted, entry_points=entry)
    return small


WITHOUT_MODULE = (
    [
        "openai of opentelemetry-instrumentation-genai-openai 9.0: ImportError: not_there_at_all",
        "it needs not-there-at-all<0.5",
    ],
    "pip install 'not-there-at-all<0.5'",
)


def test_an_instrumentation_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    small = small_venv_whose_instrumentation_lacks_a_module(tmp_path / "venv")
    variables = QUIET | {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic"}
    found = examine([small.instrument, small.python, "-c", "import openai"], tmp_path, variables)
    assert (found.codes, found.exit_code) == (["instrumentation_not_importable"], 1)
    told = found.finding("instrumentation_not_importable")
    assert (told["evidence"], told["advice"]) == WITHOUT_MODULE


def test_without_a_command_an_instrumentation_that_cannot_be_imported_is_named_too(tmp_path: Path) -> None:
    small = small_venv_whose_instrumentation_lacks_a_module(tmp_path / "venv")
    variables = QUIET | {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic"}
    done = subprocess.run(
        [small.python, "-m", "otel_carbon.cli", "doctor", "--json"],
        capture_output=True,
        env=environment(variables),
        timeout=60,
        check=False,
    )
    (told,) = json.loads(done.stdout)["findings"]
    assert (done.returncode, told["code"]) == (1, "instrumentation_not_importable")
    assert (told["evidence"], told["advice"]) == WITHOUT_MODULE


def test_broken_metadata_of_another_package_is_passed_over(tmp_path: Path) -> None:
    small = venv_without(tmp_path / "venv")
    (small.packages / "nameless-1.0.dist-info").mkdir()
    (small.packages / "nameless-1.0.dist-info" / "METADATA").write_bytes(b"\xff\xfe")
    found = examine([small.python, OWN_SPANS, "call"], tmp_path, REGION)
    assert (found.codes, found.exit_code, calls_seen(found)) == ([], 0, 1)


def test_reports_that_are_no_reports_are_passed_over(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; folder = pathlib.Path(os.environ['OTEL_CARBON_DOCTOR_REPORTS']); "
        "(folder / '1.json').write_text('{'); (folder / '2.json').write_text('[7]'); "
        "(folder / '3.json').write_text('{\"calls\": [{\"scope\": 7}]}'); (folder / '4.json').mkdir()"
    )
    found = examine([sys.executable, "-c", code], tmp_path)
    assert (found.codes, found.exit_code, len(found.report["processes"])) == ([], 0, 1)


def test_the_page_goes_to_standard_error_and_nothing_is_left_behind(tmp_path: Path) -> None:
    variables = environment(REGION | {"TMPDIR": str(tmp_path)})
    command: list[str | Path] = [*DOCTOR, sys.executable, OWN_SPANS, "call"]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "calls  provider  model   match, or why none  region" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_outlives_the_command_does_not_hold_up_the_doctor(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    child = f"import os, pathlib, time; pathlib.Path({str(ready)!r}).write_text(str(os.getpid())); time.sleep(60)"
    code = (
        f"import subprocess, sys, pathlib, time; subprocess.Popen([sys.executable, '-c', {child!r}], stdin=-3, "
        f"stdout=-3, stderr=-3); path = pathlib.Path({str(ready)!r})\nwhile not path.exists(): time.sleep(0.01)"
    )
    began_s = time.monotonic()
    try:
        assert examine([sys.executable, "-c", code], tmp_path).exit_code == 0
        assert time.monotonic() - began_s < 50
    finally:
        pid = int(wait_until(lambda: ready.read_text(encoding="utf-8") or None, timeout_s=10, what="its pid"))
        os.kill(pid, signal.SIGKILL)
