"""Three nodes: spreading, draining, losing one and having it back."""

import sys

import kubectl as k
import objects
import pytest
from local_cluster import local

sys.path.insert(0, str(k.ROOT))

from k8s.local import network
from k8s.local.places import node_address, node_name

pytestmark = pytest.mark.alone
SPREAD = {
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "web"}},
        }
    ]
}


@pytest.fixture(scope="module", autouse=True)
def three_nodes():
    """Two more nodes than there were; afterwards as many as before."""
    before = max(1, network.most_node())
    local("up", "--nodes", "3")
    yield
    local("up", "--nodes", str(before))
    assert network.most_node() == before
    nodes = {item["metadata"]["name"] for item in k.Namespace("default").get("nodes")["items"]}
    assert nodes == {node_name(number) for number in range(1, before + 1)}


@pytest.fixture
def spread(namespace):
    """One web server on each node, behind a Service with a port on every node."""
    namespace.apply(
        objects.web("web", "hello", replicas=3, pod_more={**objects.SCRATCH, **SPREAD}),
        objects.service("web", type="NodePort"),
        objects.pod("client", nodeName=node_name(2)),
    )
    namespace.wait("deployment/web", "Available")
    namespace.wait("pod/client", "Ready")
    k.until("three ready pods", lambda: len(namespace.ready_pods("app=web")) == 3)
    return namespace


def places(namespace):
    return {pod["spec"]["nodeName"] for pod in namespace.ready_pods("app=web")}


def get(namespace, address):
    command = ("timeout", "5", "wget", "-qO-", f"http://{address}/")
    return namespace.run("client", *command)


def answers(namespace, address, times):
    """Whether each of so many requests is answered; the first that is not raises."""
    return all(get(namespace, address) == "hello\n" for _ in range(times))


def test_pods_spread_and_answer_across_nodes(spread):
    assert places(spread) == {node_name(number) for number in (1, 2, 3)}
    port = spread.get("service", "web")["spec"]["ports"][0]["nodePort"]
    addresses = [
        *(f"{pod['status']['podIP']}:8080" for pod in spread.ready_pods("app=web")),
        *(f"{node_address(number)}:{port}" for number in (1, 2, 3)),
        "web:8080",
    ]
    for address in addresses:
        k.until(f"an answer of {address}", lambda at=address: answers(spread, at, 3), 30)


def test_a_drain_respects_the_disruption_budget(spread):
    node = node_name(3)
    budget = {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}}
    spread.apply(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web"},
            "spec": budget,
        }
    )
    drain = ("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force")
    selector = "--pod-selector=app=web"
    try:
        with pytest.raises(k.Failed, match="disruption budget"):
            k.kubectl(*drain, selector, "--timeout=6s")
        assert len(spread.ready_pods("app=web")) == 3
        spread.kubectl("patch", "pdb", "web", "-p", '{"spec": {"minAvailable": 2}}')
        k.kubectl(*drain, selector, "--timeout=60s", timeout=70)
        assert node not in places(spread)
    finally:
        k.kubectl("uncordon", node)


def test_a_node_without_its_cable_is_noticed_and_comes_back(spread):
    gone = next(p for p in spread.ready_pods("app=web") if p["spec"]["nodeName"] == node_name(3))
    local("unplug", "3")
    try:
        k.until("the node to be missed", lambda: not is_ready(3), 90)
        k.until("its pod to be out of service", lambda: places(spread) == others())
        # Proxies hear of it after the API server, and one answer may be another pod's luck.
        k.until("its address to be left out", lambda: answers(spread, "web:8080", 10))
    finally:
        local("plug", "3")
    k.until("the node to be back", lambda: is_ready(3), 60)
    k.until("its pod to be back in service", lambda: len(places(spread)) == 3)
    assert gone["metadata"]["name"] in {p["metadata"]["name"] for p in spread.ready_pods("app=web")}


def others():
    return {node_name(1), node_name(2)}


def is_ready(number):
    conditions = k.Namespace("default").get("node", node_name(number))["status"]["conditions"]
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
