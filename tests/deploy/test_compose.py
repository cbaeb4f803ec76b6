"""compose.yaml: one that the schema of Compose takes, open on this machine only, with nothing left to chance."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.compose_services import compose_services, composed
from tests.support.deploy_files import DEPLOY, documents, run_tool, yaml_text

if TYPE_CHECKING:
    from pathlib import Path

SERVICES = compose_services()
BUILT_HERE = {"otel-carbon:local", "otel-carbon-traffic:local"}


def test_the_file_fits_the_schema_of_compose(tmp_path: Path) -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    good = run_tool("check-jsonschema", *schema, DEPLOY / "compose.yaml")
    assert good.returncode == 0, good.stdout + good.stderr
    (document,) = documents((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    document["services"]["collector"]["portz"] = []
    (tmp_path / "compose.yaml").write_text(yaml_text(document), encoding="utf-8")
    assert run_tool("check-jsonschema", *schema, tmp_path / "compose.yaml").returncode == 1


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())
def test_every_service_has_a_version_no_rights_and_ports_on_this_machine_only(service: dict[str, Any]) -> None:
    assert service["image"] in BUILT_HERE or re.fullmatch(r"docker\.io/[a-z/-]+:v?\d+\.\d+\.\d+", service["image"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert service["logging"]["options"]["max-size"] == "10m"


def test_every_file_that_is_mounted_is_there() -> None:
    sources = [volume.partition(":")[0] for each in SERVICES.values() for volume in each.get("volumes", ())]
    files = [source for source in sources if source.startswith(".")]
    assert len(files) > 8
    assert [file for file in files if not (DEPLOY / file).exists()] == []


def test_every_volume_and_dependency_is_declared() -> None:
    (document,) = documents((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    sources = {volume.partition(":")[0] for each in SERVICES.values() for volume in each.get("volumes", ())}
    assert {source for source in sources if not source.startswith(".")} == set(document["volumes"])
    assert {needed for each in SERVICES.values() for needed in each.get("depends_on", ())} <= set(SERVICES)


def test_grafana_asks_the_services_of_this_file_and_keeps_dashboards_where_it_looks_for_them() -> None:
    folder = DEPLOY / "grafana/provisioning"
    (sources,) = documents((folder / "datasources/otel-carbon.yaml").read_text(encoding="utf-8"))
    hosts = {httpx.URL(each["url"]).host for each in sources["datasources"]}
    assert hosts == {"prometheus", "jaeger"}
    (providers,) = documents((folder / "dashboards/otel-carbon.yaml").read_text(encoding="utf-8"))
    (provider,) = providers["providers"]
    mounted = {volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]}
    assert provider["options"]["path"] in mounted


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"[]", b'{"alerts": [{}]}', b'{"alerts": ["x"]}', b'{"alerts": 3}'], ids=repr
)
def test_the_log_of_alerts_refuses_what_is_no_notification_and_goes_on(body: bytes, tmp_path: Path) -> None:
    alert = {"status": "resolved", "labels": {"alertname": "Test"}, "annotations": {"summary": "over"}}
    with composed(tmp_path, "alert-webhook") as services:
        url, log = services.url("alert-webhook", 8080), services.processes["alert-webhook"]
        log.wait_for(lambda: "waiting for alerts" in log.stderr(), timeout_s=30, what="log of alerts")
        assert httpx.post(url, content=body).status_code == 400
        assert httpx.post(url, content=json.dumps({"alerts": [alert]})).status_code == 200
        assert "resolved: Test: over\n" in log.stderr()
