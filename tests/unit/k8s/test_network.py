"""The rules that keep pods inside, and the addresses that must be free."""

from k8s.local import network, preflight
from k8s.local.node import Node
from k8s.local.places import HOST_ADDRESS


def test_the_fence_stands_before_what_it_lets_through():
    rules = [" ".join(words) for words in network.fence()]
    host = next(place for place, rule in enumerate(rules) if f"-d {HOST_ADDRESS}" in rule)
    passes = [place for place, rule in enumerate(rules) if rule.endswith("-j RETURN")]
    rest = next(
        place for place, rule in enumerate(rules) if rule.endswith("NEW -j DROP") and place > host
    )
    assert host < min(passes)
    assert rest > max(passes)
    assert rules[-1].endswith(f"-o {network.UPLINK} -j {network.FENCE}")


def routes(monkeypatch, text):
    monkeypatch.setattr(preflight, "run", lambda _: text)
    return preflight.networks()


def test_a_route_of_the_hosts_own_is_named(monkeypatch):
    problems = routes(monkeypatch, "default via 192.0.2.1 dev eth0\n10.96.4.0/24 dev vpn0\n")
    assert problems == ["the host already has a route to 10.96.4.0/24: 10.96.0.0/16 must be free"]


def test_our_own_routes_are_no_obstacle(monkeypatch):
    own = "192.168.200.0/24 dev nlpserve-host\n10.96.0.0/16 via 192.168.200.1 dev nlpserve-host\n"
    assert routes(monkeypatch, f"192.0.2.0/24 dev eth0\n{own}") == []


def test_nodes_share_the_machine(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    reserved = [Node(number, 4)._kubelet()["systemReserved"]["cpu"] for number in range(1, 5)]
    assert reserved == ["3000m"] * 4
    assert Node(1, 1)._kubelet()["systemReserved"]["cpu"] == "0m"


def test_nodes_have_nothing_in_common():
    one, two = Node(1, 2), Node(2, 2)
    for part in ("name", "folder", "run", "socket", "cgroup", "logs"):
        assert getattr(one, part) != getattr(two, part)
    assert not set(one.names()) & set(two.names())
