"""Resources of the OpenTelemetry Operator: what they have of Kubernetes' own is held against its schemas.

The schemas of the operator itself are not on any package index, so its own fields are held against the list below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.support.deploy_files import DEPLOY, documents, render_chart, run_tool, yaml_text

if TYPE_CHECKING:
    from pathlib import Path

OBJECT = {"type": "object"}
METADATA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "namespace": {"type": "string"}},
    "required": ["name", "namespace"],
    "additionalProperties": False,
}
COLLECTOR_FIELDS = {
    "mode": {"enum": ["daemonset", "deployment", "sidecar", "statefulset"]},
    "image": {"type": "string", "pattern": r":\d+\.\d+\.\d+$"},
    "autoscaler": {
        "type": "object",
        "properties": {key: {"type": "integer"} for key in ("minReplicas", "maxReplicas", "targetCPUUtilization")},
        "additionalProperties": False,
    },
    "podDisruptionBudget": OBJECT,
    "resources": OBJECT,
    "podSecurityContext": OBJECT,
    "securityContext": OBJECT,
    "config": {
        "type": "object",
        "required": ["receivers", "exporters", "service"],
        "properties": dict.fromkeys(("receivers", "processors", "exporters", "extensions", "service"), OBJECT),
        "additionalProperties": False,
    },
}
INSTRUMENTATION_FIELDS = {
    "exporter": {"type": "object", "properties": {"endpoint": {"type": "string"}}, "additionalProperties": False},
    "propagators": {"type": "array", "items": {"enum": ["tracecontext", "baggage", "b3", "b3multi", "none"]}},
    "sampler": {"type": "object", "properties": {"type": {"const": "parentbased_always_on"}}},
    "env": {"type": "array", "items": OBJECT},
}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "OpenTelemetryCollector": ("opentelemetry.io/v1beta1", COLLECTOR_FIELDS),
    "Instrumentation": ("opentelemetry.io/v1alpha1", INSTRUMENTATION_FIELDS),
}


def resource(name: str) -> dict[str, Any]:
    (found,) = documents((DEPLOY / f"operator/{name}.yaml").read_text(encoding="utf-8"))
    read: dict[str, Any] = found
    return read


@pytest.mark.parametrize("name", ["front", "instrumentation"])
def test_the_resource_has_fields_of_its_version_only(name: str) -> None:
    found = resource(name)
    version, fields = KINDS[found["kind"]]
    schema = {
        "type": "object",
        "properties": {
            "apiVersion": {"const": version},
            "kind": {"const": found["kind"]},
            "metadata": METADATA,
            "spec": {"type": "object", "properties": fields, "additionalProperties": False},
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
    }
    jsonschema.Draft202012Validator(schema).validate(found)


def test_what_the_resources_hand_on_to_kubernetes_fits_its_schemas(tmp_path: Path) -> None:
    front, instrumentation = resource("front")["spec"], resource("instrumentation")["spec"]
    deployment = render_chart({"front": {"enabled": True}}).one("Deployment", "carbon-otel-carbon-front")
    pod = deployment["spec"]["template"]["spec"]
    pod["securityContext"] = front["podSecurityContext"]
    pod["containers"][0] |= {key: front[key] for key in ("image", "resources", "securityContext")}
    pod["containers"][0]["env"] = instrumentation["env"]
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "front"},
        "spec": front["podDisruptionBudget"],
    }
    path = tmp_path / "objects.yaml"
    path.write_text(yaml_text(deployment) + "---\n" + yaml_text(budget), encoding="utf-8")
    checked = run_tool("kubernetes-validate", "-k", "1.34", "--strict", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_applications_send_to_the_service_that_the_operator_makes_for_the_front() -> None:
    front = resource("front")["metadata"]
    endpoint = resource("instrumentation")["spec"]["exporter"]["endpoint"]
    assert endpoint == f"http://{front['name']}-collector.{front['namespace']}.svc:4318"


def test_the_chart_as_the_front_says_to_install_it_has_the_pods_that_it_sends_to() -> None:
    chart = render_chart({"collector": {"replicas": 2}, "front": {"external": True}})
    names = [each["metadata"]["name"] for each in chart.objects if each["kind"] == "StatefulSet"]
    assert names == ["carbon-otel-carbon-collector"]
    policy = chart.one("NetworkPolicy", names[0])
    assert policy["spec"]["ingress"][0]["from"] == [{"podSelector": {}}]  # the front is in the same namespace
