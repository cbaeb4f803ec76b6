"""Send serialized requests to a backend by OTLP/HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from isal import isal_zlib

from otel_carbon.collector.exporters.http_backend import HttpBackend
from otel_carbon.collector.exporters.partial_success import Rejections
from otel_carbon.collector.status import RETRYABLE_HTTP_STATUSES, UNAUTHORIZED_HTTP_STATUSES, Encoding

if TYPE_CHECKING:
    from otel_carbon.collector.exporters.backend import BackendSettings
    from otel_carbon.collector.signals import Batch

_GZIP_LEVEL = 2
_GZIP_WINDOW = 16 + isal_zlib.MAX_WBITS


class OtlpHttpExport:
    """OTLP/HTTP with protobuf bodies over one kept-alive connection.

    Raises:
        ConfigError: the files of TLS cannot be used.
    """

    def __init__(self, settings: BackendSettings) -> None:
        self._settings = settings
        self._rejections = Rejections(settings.exporter)
        headers = {"content-type": Encoding.PROTOBUF.value}
        if settings.gzip:
            headers["content-encoding"] = "gzip"
        unauthorized = UNAUTHORIZED_HTTP_STATUSES if settings.retries_unauthorized else frozenset()
        retryable = RETRYABLE_HTTP_STATUSES | unauthorized
        self._backend = HttpBackend(settings, headers, is_retryable=retryable.__contains__, explain=_status_text)

    def send(self, batch: Batch) -> int:
        """Send one batch; see `Export.send`."""
        content = gzip_body(batch.body) if self._settings.gzip else batch.body
        answer = self._backend.post(batch.signal.http_path, content)
        return self._rejections.note(batch, answer.body, answer.redaction)

    def close(self) -> None:
        """Close the connection."""
        self._rejections.close()
        self._backend.close()


def gzip_body(body: bytes) -> bytes:
    """Compress as small as zlib does at its levels 1 to 6, for a seventh of what its level 1 costs."""
    compressor = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()


def _status_text(answer: bytes) -> str:
    """The message of a `google.rpc.Status` body, if it is one."""
    try:
        message = status_pb2.Status.FromString(answer).message
    except DecodeError:
        return ""
    return str(message)
