"""A stand-in for kube-state-metrics, for tests: what rules and dashboards name, nothing else.

Runs as a pod: reads one namespace from the API server on each scrape. Standard library only.
"""

import json
import os
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

SERVER = "https://kubernetes.default.svc"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SIZES = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
TARGETS = {"averageUtilization": "utilization", "averageValue": "average", "value": "value"}
Sample = tuple[str, dict[str, str], float]


def quantity(text: str | int) -> float:
    """A quantity of Kubernetes as a number."""
    number = str(text)
    unit = number.lstrip("0123456789.-+e")
    return float(number.removesuffix(unit)) * (SIZES[unit] if unit else 1)


def of_deployment(item: dict) -> Iterator[Sample]:
    labels = {"deployment": item["metadata"]["name"]}
    status, name = item["status"], "kube_deployment_"
    yield name + "spec_replicas", labels, item["spec"]["replicas"]
    yield name + "status_replicas", labels, status.get("replicas", 0)
    yield name + "status_replicas_ready", labels, status.get("readyReplicas", 0)
    yield name + "status_replicas_available", labels, status.get("availableReplicas", 0)
    yield name + "status_replicas_updated", labels, status.get("updatedReplicas", 0)


def of_autoscaler(item: dict) -> Iterator[Sample]:
    labels = {"horizontalpodautoscaler": item["metadata"]["name"]}
    spec, status, name = item["spec"], item["status"], "kube_horizontalpodautoscaler_"
    yield name + "spec_min_replicas", labels, spec["minReplicas"]
    yield name + "spec_max_replicas", labels, spec["maxReplicas"]
    yield name + "status_desired_replicas", labels, status["desiredReplicas"]
    for condition in status.get("conditions", ()):
        for state in ("True", "False", "Unknown"):
            more = {"condition": condition["type"], "status": state.lower()}
            yield name + "status_condition", labels | more, condition["status"] == state
    for part, metrics, key in (
        ("spec_target_metric", spec.get("metrics"), "target"),
        ("status_target_metric", status.get("currentMetrics"), "current"),
    ):
        for metric in metrics or ():
            # One without a value yet has no type.
            source = metric.get(metric.get("type", "")[:1].lower() + metric.get("type", "")[1:])
            if source:
                called = source["name"] if "name" in source else source["metric"]["name"]
                for field, kind in TARGETS.items():
                    if field in source[key]:
                        more = {"metric_name": called, "metric_target_type": kind}
                        yield name + part, labels | more, quantity(source[key][field])


def of_pod(item: dict) -> Iterator[Sample]:
    for container in item["status"].get("containerStatuses", ()):
        labels = {"pod": item["metadata"]["name"], "container": container["name"]}
        yield "kube_pod_container_status_restarts_total", labels, container["restartCount"]


READERS = {
    "/apis/apps/v1/namespaces/{}/deployments": of_deployment,
    "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers": of_autoscaler,
    "/api/v1/namespaces/{}/pods": of_pod,
}


def page(namespace: str) -> Iterator[str]:
    """In Prometheus' text format."""
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    token = {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"}
    for path, read in READERS.items():
        request = Request(SERVER + path.format(namespace), headers=token)
        with urlopen(request, context=trusted, timeout=5) as answer:
            items = json.load(answer)["items"]
        for name, labels, value in (sample for item in items for sample in read(item)):
            pairs = (f'{key}="{text}"' for key, text in ({"namespace": namespace} | labels).items())
            yield f"{name}{{{','.join(pairs)}}} {float(value):g}\n"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = "".join(page(os.environ["NAMESPACE"])).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8080), Handler).serve_forever()
