"""Pods reach each other and nothing else, while the host reaches them."""

import socket
import subprocess
import sys
import threading

import kubectl as k
import objects
import pytest

sys.path.insert(0, str(k.ROOT))

from k8s.local import network
from k8s.local.places import HOST_ADDRESS, node_address, node_name
from k8s.local.shell import inside, run


@pytest.fixture
def listener():
    """A listener of the host's on every address; what it was asked."""
    visitors = []
    with socket.create_server(("", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def serve():
            while not done.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                visitors.append(address[0])
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], visitors
        finally:
            done.set()
            thread.join()


def own_addresses():
    """Every address of the host but loopback's."""
    return run(["hostname", "-I"]).split()


def connects(namespace, address, port):
    """Whether a pod gets a connection: then, and only then, its nc runs `true`."""
    try:
        namespace.run("inside", "nc", "-w", "2", address, str(port), "-e", "true")
    except k.Failed:
        return False
    return True


def test_pods_reach_no_listener_of_the_host(namespace, listener):
    port, visitors = listener
    namespace.apply(objects.pod("inside"))
    namespace.wait("pod/inside", "Ready")
    assert connects(namespace, node_address(1), 6443), "nc must be able to succeed"
    with socket.create_connection((HOST_ADDRESS, port), timeout=5):
        pass
    k.until("the listener to answer the host", lambda: visitors == [HOST_ADDRESS])
    addresses = [address for address in own_addresses() if ":" not in address]
    assert HOST_ADDRESS in addresses
    for address in addresses:
        assert not connects(namespace, address, port), address
    assert visitors == [HOST_ADDRESS]


def test_pods_reach_nothing_outside(namespace):
    namespace.apply(objects.pod("inside"))
    namespace.wait("pod/inside", "Ready")
    before = dropped()
    # Of the addresses reserved for documentation (RFC 5737): nobody is there to be bothered.
    assert not connects(namespace, "198.51.100.1", 80)
    assert dropped() > before, "the fence itself must have stopped it"


def dropped():
    """Packets that the fences stopped, all nodes together."""
    total = 0
    for number in range(1, network.most_node() + 1):
        words = ["iptables", "-w", "-t", "mangle", "-L", network.FENCE, "-nvx"]
        lines = run([*inside(node_name(number)), *words]).splitlines()
        total += sum(int(line.split()[0]) for line in lines if "DROP" in line)
    return total


def test_the_host_reaches_pods_and_node_ports(namespace):
    namespace.apply(objects.web("web", "hello"), objects.service("web", type="NodePort"))
    namespace.wait("deployment/web", "Available")
    pod = namespace.ready_pods("app=web")[0]["status"]["podIP"]
    service = namespace.get("service", "web")["spec"]
    node_port = service["ports"][0]["nodePort"]
    for address in (
        f"{pod}:8080",
        f"{service['clusterIP']}:8080",
        f"{node_address(1)}:{node_port}",
    ):
        k.until(address, lambda address=address: fetched(address) == "hello\n", 30)


def fetched(address):
    words = ["curl", "-sS", "--max-time", "5", "--noproxy", "*", f"http://{address}/"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout
