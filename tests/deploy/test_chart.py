"""The Helm chart, rendered by the real Helm library and held against the schemas of Kubernetes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.version import VERSION
from tests.support.deploy_files import CHART, ChartRefused, documents, render_chart, run_tool, yaml_text

if TYPE_CHECKING:
    from pathlib import Path

KUBERNETES = ("1.27", "1.34")
"""The oldest version that the chart takes, and a newer one."""
SPREAD: dict[str, Any] = {"collector": {"replicas": 3}, "front": {"enabled": True}}
EVERYTHING: dict[str, Any] = {
    "image": {"repository": "registry.example/otel-carbon", "digest": "sha256:" + "a" * 64},
    "imagePullSecrets": [{"name": "registry"}],
    "backend": {"endpoint": "https://backend.example"},
    "collector": {
        "replicas": 2,
        "carbon": {"regions": {"openai": "eastus"}},
        "config": {"exporters": {"otlp_http": {"headers": {"authorization": "Bearer ${env:BACKEND_TOKEN}"}}}},
        "env": [{"name": "BACKEND_TOKEN", "valueFrom": {"secretKeyRef": {"name": "backend", "key": "token"}}}],
        "queue": {"storageClassName": "fast", "volumeSize": "10Gi", "keepWhenDeleted": False},
        "annotations": {"example.org/team": "platform"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
        "priorityClassName": "high",
        "extraVolumes": [{"name": "tls", "secret": {"secretName": "collector-tls"}}],
        "extraVolumeMounts": [{"name": "tls", "mountPath": "/etc/tls", "readOnly": True}],
    },
    "front": {"enabled": True, "nodeSelector": {"kubernetes.io/os": "linux"}, "priorityClassName": "high"},
    "networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}], "collectorEgress": [{"ports": [{"port": 443}]}]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
}
MATRIX: dict[str, dict[str, Any]] = {
    "as it is": {},
    "with a backend": {"backend": {"endpoint": "http://jaeger:4318"}},
    "spread": SPREAD,
    "spread without autoscaling": {**SPREAD, "front": {"enabled": True, "autoscaling": {"enabled": False}}},
    "behind a front of one's own": {"collector": {"replicas": 2}, "front": {"external": True}},
    "without policies": {
        "networkPolicy": {"enabled": False},
        "collector": {"disruptionBudget": {"enabled": False}},
    },
    "closed": {"networkPolicy": {"otlpFrom": [], "metricsFrom": [], "collectorEgress": []}},
    "everything": EVERYTHING,
}


def pods(kind: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    """The pod template of a workload."""
    template: dict[str, Any] = render_chart(values).one(kind, name)["spec"]["template"]
    return template


@pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX.keys())
def test_what_is_rendered_fits_the_schemas_of_kubernetes(values: dict[str, Any], tmp_path: Path) -> None:
    chart = render_chart(values)
    assert not [line for line in chart.lint if not line.startswith("info")]
    path = tmp_path / "objects.yaml"
    own = [each for each in chart.objects if each["kind"] != "ServiceMonitor"]
    path.write_text("---\n".join(map(yaml_text, own)), encoding="utf-8")
    for version in KUBERNETES:
        checked = run_tool("kubernetes-validate", "-k", version, "--strict", path)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_misspelt_key_of_an_object_would_be_found(tmp_path: Path) -> None:
    statefulset = render_chart().one("StatefulSet", "carbon-otel-carbon-collector")
    statefulset["spec"]["replicaz"] = 1
    path = tmp_path / "objects.yaml"
    path.write_text(yaml_text(statefulset), encoding="utf-8")
    assert run_tool("kubernetes-validate", "-k", KUBERNETES[0], "--strict", path).returncode == 1


@pytest.mark.parametrize(("key", "fits"), [("interval", True), ("intervall", False)])
def test_the_service_monitor_fits_the_models_of_its_operator(key: str, *, fits: bool) -> None:
    monitor = render_chart(EVERYTHING).one("ServiceMonitor", "carbon-otel-carbon")
    (endpoint,) = monitor["spec"]["endpoints"]
    endpoint[key] = endpoint.pop("interval")
    check = (
        "import json, sys; from cloudcoil.models.prometheus_operator.v1 import ServiceMonitor; "
        "ServiceMonitor.model_validate(json.load(sys.stdin), extra='forbid')"
    )
    done = run_tool("python", "-c", check, text=json.dumps(monitor))
    assert (done.returncode == 0) is fits, done.stderr


def test_by_default_one_pod_counts_and_nothing_stands_before_it() -> None:
    assert render_chart().kinds() == [
        "ConfigMap/carbon-otel-carbon-collector",
        "NetworkPolicy/carbon-otel-carbon-collector",
        "PodDisruptionBudget/carbon-otel-carbon-collector",
        "Service/carbon-otel-carbon",
        "Service/carbon-otel-carbon-collector",
        "StatefulSet/carbon-otel-carbon-collector",
    ]


def test_only_the_front_scales_by_itself() -> None:
    chart = render_chart(SPREAD)
    scaled = [each["spec"]["scaleTargetRef"] for each in chart.objects if each["kind"] == "HorizontalPodAutoscaler"]
    assert scaled == [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "carbon-otel-carbon-front"}]
    assert "replicas" not in chart.one("Deployment", "carbon-otel-carbon-front")["spec"]
    assert chart.one("StatefulSet", "carbon-otel-carbon-collector")["spec"]["replicas"] == 3


def test_several_pods_that_count_are_refused_without_a_front() -> None:
    with pytest.raises(ChartRefused, match="all spans of a service have to reach the same pod"):
        render_chart({"collector": {"replicas": 2}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"colector": {}},
        {"collector": {"replicas": 0}},
        {"collector": {"queue": {"volumeSize": "four"}}},
        {"backend": {"endpoint": "jaeger:4318"}},
        {"image": {"repository": ""}},
        {"image": {"repository": "x", "digest": "latest"}},
        {"front": {"enabled": True, "external": True}},
        {"networkPolicy": {"otlpFrom": "everybody"}},
        {"serviceMonitor": {"interval": "often"}},
    ],
    ids=str,
)
def test_a_wrong_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ChartRefused):
        render_chart(wrong)


def test_every_pod_runs_without_rights_and_writes_to_its_volumes_only() -> None:
    for kind, name in (("StatefulSet", "carbon-otel-carbon-collector"), ("Deployment", "carbon-otel-carbon-front")):
        spec = pods(kind, name, SPREAD)["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]["limits"]) == {"memory"}


def test_a_changed_configuration_restarts_the_pods() -> None:
    name = "carbon-otel-carbon-collector"
    before = pods("StatefulSet", name, {})
    after = pods("StatefulSet", name, {"collector": {"carbon": {"strict": True}}})
    assert before["metadata"]["annotations"] != after["metadata"]["annotations"]


def test_the_queue_fits_its_volume_with_what_lies_beside_it() -> None:
    mib = 1 << 20
    chart = render_chart()
    (claim,) = chart.one("StatefulSet", "carbon-otel-carbon-collector")["spec"]["volumeClaimTemplates"]
    (config,) = documents(chart.one("ConfigMap", "carbon-otel-carbon-collector")["data"]["collector.yaml"])
    assert claim["spec"]["resources"]["requests"]["storage"] == "4Gi"
    assert config["extensions"]["file_storage"]["max_size_bytes"] + (16 + 64 + 8) * mib < 4 * 1024 * mib


def test_nobody_but_the_front_may_send_to_pods_that_count() -> None:
    policy = render_chart(SPREAD).one("NetworkPolicy", "carbon-otel-carbon-collector")
    otlp = [rule for rule in policy["spec"]["ingress"] if {"port": "otlp-grpc"} in rule["ports"]]
    assert [peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in otlp[0]["from"]] == ["front"]


def test_an_empty_list_of_peers_lets_nobody_in() -> None:
    policy = render_chart(MATRIX["closed"]).one("NetworkPolicy", "carbon-otel-carbon-collector")
    assert not policy["spec"]["ingress"]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_a_front_of_ones_own_gets_no_service_that_would_spread_requests_blindly() -> None:
    services = [kind for kind in render_chart(MATRIX["behind a front of one's own"]).kinds() if "Service/" in kind]
    assert services == ["Service/carbon-otel-carbon-collector"]


def test_an_image_is_named_by_its_digest_where_there_is_one() -> None:
    (container,) = pods("StatefulSet", "carbon-otel-carbon-collector", EVERYTHING)["spec"]["containers"]
    assert container["image"] == "registry.example/otel-carbon@sha256:" + "a" * 64


def test_the_version_of_the_application_is_ours() -> None:
    (chart,) = documents((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == VERSION


def test_the_notes_say_that_spans_end_here_when_no_backend_is_set() -> None:
    assert "spans are counted here and go no further" in render_chart().notes
    assert "go no further" not in render_chart(MATRIX["with a backend"]).notes
