"""A configuration that a child process has read is the one that this process would have read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, SecretStr

from otel_carbon.collector.config.apart import NotReadApart, read_apart
from otel_carbon.collector.config.load import load_config
from otel_carbon.collector.config.secret_values import secrets_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no child that is a copy")

EVERY_PART = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "localhost:4317", keepalive: {server_parameters: {max_connection_age: 5m}}}
      http: {endpoint: "localhost:4318", max_request_body_size: 1048576, auth: {authenticator: basicauth}}
processors:
  carbon:
    attributes: full
    hold: 2s
    regions: {openai: us-east-1}
    accounting_point: {count: [gateway]}
    usage_source: {services: {batch: metrics}}
  memory_limiter: {limit_percentage: 80}
exporters:
  otlp_grpc: {endpoint: "https://backend:4317", headers: {x-key: wordofgrpc}, sending_queue: {storage: file_storage}}
  otlp_http:
    endpoint: http://backend:4318
    headers: {x-key: wordofhttp}
    auth: {authenticator: bearertokenauth}
    retry_on_failure: {max_elapsed_time: 0s}
    sending_queue: {queue_size_bytes: 1048576, batch: {min_size: 0}}
  prometheus: {endpoint: "localhost:9464", page: {enabled: false}}
  prometheusremotewrite: {endpoint: "http://backend/api/v1/write", external_labels: {site: here}}
  file: {path: FOLDER/out.jsonl, rotation: {max_backups: 3}}
  debug:
extensions:
  health_check: {endpoint: "localhost:13133"}
  bearertokenauth: {token: wordofbearer}
  basicauth: {htpasswd: {inline: "me:wordofbasic"}}
  file_storage: {directory: FOLDER/storage}
service:
  extensions: [health_check, bearertokenauth, basicauth, file_storage]
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, carbon], exporters: [otlp_http, prometheus, debug]}
    metrics: {receivers: [otlp], processors: [carbon], exporters: [otlp_grpc, file, prometheusremotewrite]}
  telemetry: {logs: {level: warn}}
"""

READ_APART = """
import json, sys
from pathlib import Path
from otel_carbon.collector.config.apart import read_apart

def read():
    from otel_carbon.collector.config.load import load_config
    return load_config(Path(sys.argv[1])).config

config = read_apart(read)

from otel_carbon.collector.config.modelling import BaseModel, SecretStr
from otel_carbon.collector.config.secret_values import secrets_of

def told(value):
    if isinstance(value, SecretStr):
        return ["secret", value.get_secret_value(), str(value)]
    if isinstance(value, BaseModel):
        values = {name: told(each) for name, each in vars(value).items()}
        return [type(value).__name__, sorted(value.model_fields_set), values]
    if isinstance(value, dict):
        return {key: told(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [told(each) for each in value]
    return [type(value).__name__, value]

grpc, limiter = config.exporters["otlp_grpc"], config.processors["memory_limiter"]
print(json.dumps({
    "config": told(config),
    "secrets": sorted(secrets_of(config)),
    "methods": [str(grpc.target), grpc.secure, limiter.hard_bytes(1000), list(config.carbons)],
    "loaded": sorted({name.partition(".")[0] for name in sys.modules} & {"pydantic", "pydantic_core", "ruamel"}),
}))
"""


def told(value: object) -> Any:
    """As the program above tells it, of models."""
    if isinstance(value, SecretStr):
        return ["secret", value.get_secret_value(), str(value)]
    if isinstance(value, BaseModel):
        values = {name: told(getattr(value, name)) for name in type(value).model_fields}
        return [type(value).__name__, sorted(value.model_fields_set), values]
    if isinstance(value, dict):
        return {key: told(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [told(each) for each in value]
    return [type(value).__name__, value]


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "collector.yaml"
    path.write_text(EVERY_PART.replace("FOLDER", str(tmp_path)), encoding="utf-8")
    return path


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_setting_of_every_part_arrives_and_no_library_that_checks_is_loaded(config_file: Path) -> None:
    done = run(READ_APART, config_file)
    assert done.returncode == 0, done.stderr
    apart = json.loads(done.stdout)
    config = load_config(config_file).config
    assert apart["config"] == json.loads(json.dumps(told(config)))
    assert apart["secrets"] == sorted(secrets_of(config))
    assert {"wordofgrpc", "wordofhttp", "wordofbearer", "wordofbasic"} <= {
        secret.removeprefix("me:") for secret in apart["secrets"]
    }
    assert apart["methods"] == ["backend:4317", True, 800, ["carbon"]]
    assert apart["loaded"] == []


SHOWS_MISTAKES = """
import sys
from otel_carbon.collector.config.apart import read_apart

def read():
    print("a mistake", file=sys.stderr)

sys.exit(0 if read_apart(read) is None else 1)
"""


def test_mistakes_are_shown_once_and_nothing_is_returned() -> None:
    done = run(SHOWS_MISTAKES)
    assert (done.returncode, done.stderr) == (0, "a mistake\n")


FAILS = """
import os, sys, threading
from otel_carbon.collector.config import plain
from otel_carbon.collector.config.apart import NotReadApart, read_apart

def fail():
    raise RuntimeError("broken")

def end():
    os.kill(os.getpid(), 9)

def idle():
    threading.Event().wait()

def is_refused(read):
    try:
        read_apart(read)
    except NotReadApart:
        return not plain.are_enough
    return False

refused = [is_refused(fail), is_refused(end)]
threading.Thread(target=idle, daemon=True).start()
refused.append(is_refused(lambda: sys.exit("a copy of a process with threads")))
sys.exit(0 if all(refused) else str(refused))
"""


def test_what_fails_in_the_child_and_what_has_threads_is_left_to_the_process_itself() -> None:
    done = run(FAILS)
    assert (done.returncode, done.stderr) == (0, "")


def test_where_models_are_loaded_already_nothing_would_be_saved() -> None:
    with pytest.raises(NotReadApart):
        read_apart(lambda: None)


IS_NOT_TOLD = """
import signal, sys
from otel_carbon.collector.config.apart import NotReadApart, read_apart

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as some who start programs leave it
try:
    read_apart(lambda: {"a": 1})
except NotReadApart:
    sys.exit(0)
sys.exit("it cannot know how its child ended")
"""


def test_where_nobody_is_told_how_children_end_it_is_left_to_the_process_itself() -> None:
    done = run(IS_NOT_TOLD)
    assert (done.returncode, done.stderr) == (0, "")
