from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.config.load import parse_config
from otel_carbon.errors import ConfigError
from tests.support.certificates import Authority

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
receivers:
  otlp:
    protocols:
      grpc: {GRPC}
      http: {HTTP}
exporters:
  debug:
extensions:
  bearertokenauth/ingest: {token: t}
  EXTENSION
service:
  extensions: [RUN]
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"""
HTTP = "c.yaml:5: receivers.otlp.protocols.http"


def text(*, grpc: str = "", http: str = "", extension: str = "", run: str = "bearertokenauth/ingest") -> str:
    filled = CONFIG.replace("GRPC", grpc or "endpoint: 'localhost:0'").replace(
        "HTTP", http or "endpoint: 'localhost:0'"
    )
    return filled.replace("  EXTENSION\n", f"  {extension}\n" if extension else "").replace("RUN", run)


def problems(**parts: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text(**parts), "c.yaml", {})
    return caught.value.problems


def warnings(**parts: str) -> tuple[str, ...]:
    return parse_config(text(**parts), "c.yaml", {}).warnings


def test_an_authenticator_that_is_not_declared_is_named_with_the_nearest() -> None:
    (problem,) = problems(http="auth: {authenticator: bearertokenauth/ingress}")
    where, _, what = problem.rpartition("authenticator: ")
    assert where == f"{HTTP}.auth."
    assert what == "'bearertokenauth/ingress' is no authenticator in extensions; did you mean 'bearertokenauth/ingest'?"


def test_an_extension_that_authenticates_nobody_is_no_authenticator() -> None:
    (problem,) = problems(
        grpc="auth: {authenticator: health_check}",
        extension="health_check: {endpoint: 'localhost:0'}",
        run="health_check, bearertokenauth/ingest",
    )
    assert "'health_check' is no authenticator in extensions; allowed: bearertokenauth/ingest" in problem


def test_an_authenticator_that_does_not_run_is_told() -> None:
    (problem,) = problems(
        http="auth: {authenticator: basicauth}",
        extension="basicauth: {htpasswd: {inline: 'a:b'}}",
    )
    assert problem.endswith("http.auth.authenticator: basicauth does not run; add it to service.extensions")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("{}", "needs a token: set token, tokens or filename"),
        ("{tokens: [a, '']}", "must not hold an empty token"),
        ("{token: a, filename: f}", "takes either filename, or token and tokens"),
        ("{filename: /missing/tokens}", "cannot be read: /missing/tokens: No such file or directory"),
    ],
)
def test_tokens_have_to_be_there(settings: str, problem: str) -> None:
    (found,) = problems(extension=f"bearertokenauth: {settings}", run="bearertokenauth, bearertokenauth/ingest")
    assert found == f"c.yaml:10: extensions.bearertokenauth: {problem}"


def test_the_files_of_tls_are_read_when_the_configuration_is_checked(tmp_path: Path) -> None:
    first, second = Authority(tmp_path).issue("first"), Authority(tmp_path, "other").issue("second")
    no_pem = tmp_path / "text"
    no_pem.write_text("hello", encoding="utf-8")

    def found(cert: object, key: object, more: str = "") -> str:
        (problem,) = problems(http=f"tls: {{cert_file: '{cert}', key_file: '{key}'{more}}}")
        return problem.removeprefix("c.yaml:5: receivers.otlp.protocols.http.tls.")

    assert found("/missing", first.key_file) == "cert_file: cannot be read: /missing: No such file or directory"
    assert (
        found(first.cert_file, second.key_file) == f"key_file: is not the key of {first.cert_file}: {second.key_file}"
    )
    assert found(no_pem, first.key_file) == f"cert_file: holds no PEM certificate: {no_pem}"
    without_password = "holds no PEM private key that can be read without a password"
    assert found(first.cert_file, no_pem) == f"key_file: {without_password}: {no_pem}"
    ca = f", client_ca_file: '{no_pem}'"
    assert found(first.cert_file, first.key_file, ca) == f"client_ca_file: holds no PEM certificates: {no_pem}"


def test_a_key_behind_a_password_is_refused_and_not_asked_for(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    files = Authority(tmp_path).issue("server")
    key = serialization.load_pem_private_key(files.key_file.read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"password")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    files.key_file.write_bytes(pem)
    (problem,) = problems(grpc=f"tls: {{cert_file: '{files.cert_file}', key_file: '{files.key_file}'}}")
    assert "key_file: holds no PEM private key that can be read without a password" in problem


@pytest.mark.parametrize("version", ["1.3", "'1.3'"])
def test_grpc_cannot_demand_tls_1_3(tmp_path: Path, version: str) -> None:
    files = Authority(tmp_path).issue("server")
    section = f"tls: {{cert_file: '{files.cert_file}', key_file: '{files.key_file}', min_version: {version}}}"
    (problem,) = problems(grpc=section, http=section)
    assert "receivers.otlp.protocols.grpc.tls.min_version: must be 1.2 for gRPC" in problem


@pytest.mark.parametrize("version", ["1.1", "2", "true"])
def test_other_versions_of_tls_are_refused(version: str) -> None:
    (problem,) = problems(http=f"tls: {{cert_file: a, key_file: b, min_version: {version}}}")
    assert "min_version: must be '1.2' or '1.3'" in problem


@pytest.mark.parametrize(
    ("settings", "wrongs"),
    [
        ("endpoint: 'localhost:0'", []),
        ("endpoint: '127.0.0.1:0'", []),
        ("endpoint: '0.0.0.0:0'", ["can send, unless auth", "can be read on the way, unless tls"]),
        ("endpoint: '0.0.0.0:0', auth: {authenticator: bearertokenauth/ingest}", ["credentials, can be read"]),
        ("endpoint: '0.0.0.0:0', TLS", ["can send, unless auth"]),
        ("endpoint: '0.0.0.0:0', TLS, auth: {authenticator: bearertokenauth/ingest}", []),
        ("endpoint: '[::]:0', MTLS", []),
    ],
)
def test_a_receiver_that_others_can_reach_is_warned_of(tmp_path: Path, settings: str, wrongs: list[str]) -> None:
    authority = Authority(tmp_path)
    files = authority.issue("server")
    tls = f"tls: {{cert_file: '{files.cert_file}', key_file: '{files.key_file}'"
    mutual = f"{tls}, client_ca_file: '{authority.ca_file}'}}"
    found = warnings(grpc=settings.replace("MTLS", mutual).replace("TLS", tls + "}"))
    assert len(found) == (1 if wrongs else 0)
    assert all(wrong in found[0] for wrong in wrongs)
    assert ("; " in "".join(found).partition("alone: ")[2]) is (len(wrongs) == 2)


def test_the_largest_request_is_64_mib_unless_configured() -> None:
    protocols = parse_config(text(), "c.yaml", {}).config.receivers["otlp"].protocols
    assert protocols.grpc is not None
    assert protocols.http is not None
    assert protocols.grpc.max_recv_msg_size_mib == 64
    assert protocols.http.max_request_body_size == 64 * 1024 * 1024
