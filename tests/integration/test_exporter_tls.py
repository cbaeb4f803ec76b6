from __future__ import annotations

import logging
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
import pytest
import trustme

from otel_carbon.collector.app import Collector
from otel_carbon.collector.client_tls import ClientTls
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.exporters.backend import BackendSettings
from otel_carbon.collector.exporters.otlp_grpc import OtlpGrpcExport
from otel_carbon.collector.exporters.otlp_http import OtlpHttpExport
from otel_carbon.collector.sender import RetryableExportError
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import config_text, scripted_backend, trace_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    Serve = Callable[..., AbstractContextManager["Backend"]]

BATCH = Batch(Signal.TRACES, trace_request("a"), 1)
OFTEN_S = 1e-6
"""A reload interval that has always passed."""
LOOPBACK = "127.0.0.1"
Backend = tuple[str, str]
"""`grpc` or `http`, and the endpoint."""


class Authority:
    """A certificate authority and the files that a client needs of it."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self.ca = trustme.CA()
        self.ca_file = folder / f"{name}.pem"
        self.ca.cert_pem.write_to_path(self.ca_file)

    def client_files(self) -> tuple[Path, Path]:
        certificate = self.ca.issue_cert("collector.example")
        cert_file, key_file = self._folder / "client.pem", self._folder / "client.key"
        certificate.cert_chain_pems[0].write_to_path(cert_file)
        certificate.private_key_pem.write_to_path(key_file)
        return cert_file, key_file


@contextmanager
def http_backend(authority: Authority, name: str = LOOPBACK, *, mutual: bool = False) -> Iterator[Backend]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.ca.issue_cert(name).configure_cert(context)
    if mutual:
        authority.ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    with scripted_backend(tls=context) as backend:
        yield "http", backend.endpoint


@contextmanager
def grpc_backend(authority: Authority, name: str = LOOPBACK, *, mutual: bool = False) -> Iterator[Backend]:
    certificate = authority.ca.issue_cert(name)
    pair = (certificate.private_key_pem.bytes(), b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    trusted = authority.ca.cert_pem.bytes() if mutual else None
    credentials = grpc.ssl_server_credentials([pair], trusted, require_client_auth=mutual)
    handler = grpc.unary_unary_rpc_method_handler(lambda _body, _context: b"")
    service = grpc.method_handlers_generic_handler(Signal.TRACES.grpc_service, {"Export": handler})
    with ThreadPoolExecutor(2) as workers:
        server = grpc.server(workers, handlers=[service])
        port = server.add_secure_port(f"{LOOPBACK}:0", credentials)
        server.start()
        yield "grpc", f"{LOOPBACK}:{port}"
        server.stop(None).wait()


BACKENDS = pytest.mark.parametrize("serve", [http_backend, grpc_backend])


def export_to(backend: Backend, tls: ClientTls | None) -> OtlpHttpExport | OtlpGrpcExport:
    transport, endpoint = backend
    settings = BackendSettings("test", endpoint, {}, gzip=False, timeout_s=5, secure=True, behind_proxy=False, tls=tls)
    return OtlpHttpExport(settings) if transport == "http" else OtlpGrpcExport(settings)


def send(backend: Backend, tls: ClientTls | None) -> int:
    export = export_to(backend, tls)
    try:
        return export.send(BATCH)
    finally:
        export.close()


@BACKENDS
def test_an_authority_of_ones_own_is_trusted_when_it_is_named_and_else_not(tmp_path: Path, serve: Serve) -> None:
    authority = Authority(tmp_path)
    with serve(authority) as backend:
        assert send(backend, ClientTls(authority.ca_file)) == 0
        for distrusting in (None, ClientTls(), ClientTls(Authority(tmp_path, "other").ca_file)):
            with pytest.raises(RetryableExportError):
                send(backend, distrusting)


@BACKENDS
def test_a_backend_that_wants_to_know_who_comes_is_shown_a_certificate(tmp_path: Path, serve: Serve) -> None:
    authority = Authority(tmp_path)
    tls = ClientTls(authority.ca_file)
    with serve(authority, mutual=True) as backend:
        assert send(backend, replace(tls, cert_file=(files := authority.client_files())[0], key_file=files[1])) == 0
        with pytest.raises(RetryableExportError):
            send(backend, tls)


@BACKENDS
def test_a_certificate_in_another_name_is_taken_only_when_that_name_is_given(tmp_path: Path, serve: Serve) -> None:
    authority = Authority(tmp_path)
    tls = ClientTls(authority.ca_file)
    with serve(authority, "backend.example") as backend:
        assert send(backend, replace(tls, server_name="backend.example")) == 0
        with pytest.raises(RetryableExportError):
            send(backend, tls)


@BACKENDS
def test_changed_files_are_used_and_broken_ones_are_not(
    tmp_path: Path, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "otel_carbon")
    old, new = Authority(tmp_path), Authority(tmp_path, "new")
    renewed = old.ca_file.read_bytes() + new.ca_file.read_bytes()
    with serve(old) as backend:
        export = export_to(backend, ClientTls(old.ca_file, reload_interval_s=OFTEN_S))
        assert export.send(BATCH) == 0
        old.ca_file.write_bytes(b"torn while it was written")
        assert [export.send(BATCH), export.send(BATCH)] == [0, 0]
        assert len(caplog.messages) == 1
        said = "exporters.test.tls: what was read before stays in force: exporters.test.tls: the files cannot be used: "
        assert caplog.messages[0].startswith(said)
        old.ca_file.write_bytes(renewed)
        assert [export.send(BATCH), export.send(BATCH)] == [0, 0]
        assert caplog.messages[1:] == ["exporters.test.tls: read anew"]
        old.ca_file.write_bytes(new.ca_file.read_bytes())
        with pytest.raises(RetryableExportError):  # it trusts the old authority no more
            export.send(BATCH)
        export.close()


def test_verification_can_be_switched_off_over_http(tmp_path: Path) -> None:
    with http_backend(Authority(tmp_path), "backend.example") as backend:
        assert send(backend, ClientTls(verify=False)) == 0


def test_an_older_version_than_allowed_is_not_spoken(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.ca.issue_cert(LOOPBACK).configure_cert(context)
    with scripted_backend(tls=context) as backend:
        assert send(("http", backend.endpoint), ClientTls(authority.ca_file)) == 0
        with pytest.raises(RetryableExportError):
            send(("http", backend.endpoint), ClientTls(authority.ca_file, min_version="1.3"))


def collector_with(exporter: str) -> Collector:
    config = parse_config(config_text(exporter, names=exporter.partition(":")[0]), "test.yaml", {}).config
    return Collector(config, build_carbon=lambda _config: pytest.fail("no pipeline names it"))


@pytest.mark.parametrize("exporter", ["otlp_http", "otlp_grpc"])
def test_files_that_hold_no_certificate_are_told_at_the_start(tmp_path: Path, exporter: str) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match=f"exporters.{exporter}.tls: the files cannot be used: "):
        collector_with(f'{exporter}: {{endpoint: "https://b:1", tls: {{ca_file: "{tmp_path / "ca.pem"}"}}}}')


@pytest.mark.parametrize("exporter", ["otlp_http", "otlp_grpc"])
def test_a_key_with_a_password_is_told_at_the_start_and_not_asked_for(tmp_path: Path, exporter: str) -> None:
    from cryptography.hazmat.primitives import serialization

    cert_file, key_file = Authority(tmp_path).client_files()
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    key_file.write_bytes(locked)
    tls = f'tls: {{cert_file: "{cert_file}", key_file: "{key_file}"}}'
    with pytest.raises(ConfigError, match="the private key has a password; name one without"):
        collector_with(f'{exporter}: {{endpoint: "https://b:1", {tls}}}')


@pytest.mark.parametrize(
    ("exporter", "problem"),
    [
        (
            "otlp_grpc: {endpoint: 'https://b:1', tls: {ca_file: /no/such.pem}}",
            "tls.ca_file: there is no file '/no/such",
        ),
        ("otlp_grpc: {endpoint: 'b:1', tls: {cert_file: x}}", "cert_file and key_file belong together"),
        (
            "otlp_grpc: {endpoint: 'https://b:1', tls: {insecure: true}}",
            "says https:// and tls.insecure says without TLS",
        ),
        (
            "otlp_http: {endpoint: 'http://b:1', tls: {insecure_skip_verify: true}}",
            "says http://, which is without TLS",
        ),
        ("otlp_grpc: {endpoint: 'b:1', tls: {insecure_skip_verify: true}}", "cannot be had over gRPC"),
        ("otlp_grpc: {endpoint: 'b:1', tls: {min_version: 1.3}}", "cannot be had over gRPC"),
        ("otlp_http: {endpoint: 'https://b:1', tls: {min_version: 1.1}}", "must be '1.2' or '1.3', not '1.1'"),
        ("otlp_http: {endpoint: 'https://b:1', tls: {insecure: true, ca_file: x}}", "insecure: true is without TLS"),
    ],
)
def test_what_cannot_be_is_told_before_the_start(exporter: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        collector_with(exporter)
    assert problem in "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    ("endpoint", "tls", "secure"),
    [
        ("https://b:1", "{}", True),
        ("http://b:1", "{insecure: true}", False),
        ("b:1", "{}", True),
        ("b:1", "{insecure: true}", False),
        ("localhost:1", "{}", True),
        ("localhost:1", "", False),
    ],
)
def test_whether_grpc_uses_tls_is_told_by_the_scheme_or_else_by_tls(endpoint: str, tls: str, *, secure: bool) -> None:
    exporter = f"otlp_grpc: {{endpoint: '{endpoint}'{', tls: ' + tls if tls else ''}}}"
    config = parse_config(config_text(exporter, names="otlp_grpc"), "test.yaml", {}).config
    assert config.exporters["otlp_grpc"].secure is secure  # type: ignore[union-attr] # of this kind
