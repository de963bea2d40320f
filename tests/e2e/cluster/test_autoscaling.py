"""Autoscalers that scale for real: on CPU through metrics-server, on a query through KEDA."""

import kubectl as k
import objects

AT_ONCE = {
    "scaleUp": {"stabilizationWindowSeconds": 0},
    "scaleDown": {"stabilizationWindowSeconds": 0},
}
"""Autoscalers wait five minutes before they take pods away; a test cannot."""


def test_cpu_scales_up_and_down(namespace):
    busy = "while test -e /tmp/busy; do :; done; exec sleep 600"
    namespace.apply(
        objects.deployment(
            "burner",
            f"touch /tmp/busy; {busy}",
            replicas=None,
            pod_more=objects.SCRATCH,
            **objects.SCRATCH_MOUNT,
        ),
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "burner"},
            "spec": {
                "scaleTargetRef": target("burner"),
                "minReplicas": 1,
                "maxReplicas": 2,
                "behavior": AT_ONCE,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "averageUtilization": 60},
                        },
                    }
                ],
            },
        },
    )
    k.until("two pods", lambda: len(namespace.ready_pods("app=burner")) == 2, 150)
    for pod in namespace.ready_pods("app=burner"):
        namespace.run(pod["metadata"]["name"], "rm", "/tmp/busy")
    k.until("one pod", lambda: len(namespace.ready_pods("app=burner")) == 1, 150)


def test_a_query_scales_up_and_down(namespace):
    scrape = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
    # Prometheus takes plain text alone, and by its ending busybox tells what a file is.
    scrape["prometheus.io/path"] = "/metrics.txt"
    namespace.apply(
        objects.web("wish", wished(namespace, 3), "metrics.txt", annotations=scrape),
        objects.deployment("follower", "exec sleep 600", replicas=None),
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": {"name": "follower"},
            "spec": {
                "scaleTargetRef": {"name": "follower"},
                "minReplicaCount": 1,
                "maxReplicaCount": 4,
                "pollingInterval": 2,
                "advanced": {"horizontalPodAutoscalerConfig": {"behavior": AT_ONCE}},
                "triggers": [
                    {
                        "type": "prometheus",
                        "metadata": {
                            "serverAddress": "http://prometheus.monitoring.svc:9090",
                            "query": f'sum(wished_pods{{of="{namespace.name}"}})',
                            "threshold": "1",
                        },
                    }
                ],
            },
        },
    )
    namespace.wait("scaledobject/follower", "Ready")
    k.until("three pods", lambda: len(namespace.ready_pods("app=follower")) == 3, 120)
    write = f"echo '{wished(namespace, 1)}' > /tmp/www/metrics.txt"
    namespace.run("deployment/wish", "sh", "-c", write)
    k.until("one pod", lambda: len(namespace.ready_pods("app=follower")) == 1, 120)


def wished(namespace, count):
    return f'wished_pods{{of="{namespace.name}"}} {count}'


def target(name):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
