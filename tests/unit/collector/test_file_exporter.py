from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.config.exporters import FileExporterConfig
from otel_carbon.collector.exporters.file import file_export
from otel_carbon.collector.sender import PermanentExportError, RetryableExportError
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.otlp.delimited import records_in
from tests.unit.otlp.messages import inference_span, request_of, spans_of

if TYPE_CHECKING:
    from pathlib import Path


def test_records_of_several_threads_stay_whole_through_rotations(tmp_path: Path) -> None:
    config = FileExporterConfig.model_validate(
        {"path": str(tmp_path / "traces"), "format": "proto", "rotation": {"max_megabytes": 1}}
    )
    export = file_export("file", config)
    padding = {"padding": "x" * 50_000}

    def send(number: int) -> None:
        body = request_of(inference_span(number, more=padding)).SerializeToString()
        export.send(Batch(Signal.TRACES, body, 1))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(send, range(1, 101)))
    export.close()
    files = list(tmp_path.iterdir())
    # 100 records of 50 kB are 5 MB, and no file is larger than 1 MiB, which 20 of them fill.
    assert len(files) == 5
    spans = [spans_of(record)[0] for file in files for record in records_in(file.read_bytes())]
    assert sorted(int.from_bytes(span.span_id) for span in spans) == list(range(1, 101))


def test_what_json_cannot_hold_is_refused_for_good_and_a_missing_folder_for_now(tmp_path: Path) -> None:
    export = file_export("file", FileExporterConfig.model_validate({"path": str(tmp_path / "no" / "traces")}))
    not_utf8 = request_of(inference_span()).SerializeToString().replace(b"chat", b"\xff\xffat")
    with pytest.raises(PermanentExportError, match="that JSON can hold"):
        export.send(Batch(Signal.TRACES, not_utf8, 1))
    with pytest.raises(RetryableExportError, match="No such file or directory"):
        export.send(Batch(Signal.TRACES, request_of(inference_span()).SerializeToString(), 1))
    export.close()
