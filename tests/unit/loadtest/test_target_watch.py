"""The target's pods while it is loaded: whose counters count, and whose must be there."""

import threading
from types import SimpleNamespace

from loadtest.cluster import ClusterError
from loadtest.coordinator.counters import Counted
from loadtest.coordinator.target import Watch
from loadtest.objects import Pod

TARGET = SimpleNamespace(namespace="n", selector="s", name="t")


def pod(name, *, ready=True, ending=False):
    return Pod(name, "n", name, ready, ending, "Running", "", None, address="10.0.0.1", port=3000)


class Cluster:
    """Says what the test wants; a pod's log ends when the test says so."""

    def __init__(self, *pods):
        self.there = list(pods)
        self.ended = threading.Event()

    def pods(self, _namespace, _selector):
        return self.there

    def target(self, _target):
        return SimpleNamespace(replicas=len(self.there))

    def follow(self, _pod):
        self.ended.wait(10)
        return []


def watching(cluster, counted):
    """`counted` has the counters of each pod that gives them."""
    watch = Watch(cluster, TARGET, "intent", "v1", clock=lambda: 1.0)

    async def read(asked):
        try:
            return Counted({"200": counted[asked.name]}, 0)
        except KeyError:
            raise ClusterError(f"read the counters of {asked.name}: refused") from None

    watch.read = read
    return watch


async def test_a_pod_that_starts_at_the_end_has_counted_nothing_and_is_no_problem():
    cluster, counted = Cluster(pod("old")), {"old": 5}
    watch = watching(cluster, counted)
    await watch.before()
    counted["old"] = 25
    cluster.there.append(pod("new", ready=False))
    await watch.look()
    facts = {item.name: item for item in await watch.after()}
    assert watch.problems == []
    assert facts["old"].counted == {"200": 20}
    assert sum(facts["new"].counted.values()) == 0


async def test_a_pod_that_was_ready_and_says_nothing_is_one():
    cluster, counted = Cluster(pod("mute")), {"mute": 5}
    watch = watching(cluster, counted)
    await watch.before()
    counted.clear()
    cluster.there = [pod("mute", ready=False)]
    await watch.look()
    await watch.after()
    assert watch.problems == ["read the counters of mute: refused"]


async def test_a_pod_that_ends_late_is_read_while_it_answers(monkeypatch):
    monkeypatch.setattr("loadtest.coordinator.target.LAST_WORD_SECONDS", 0.05)
    cluster, counted = Cluster(pod("going")), {"going": 5}
    watch = watching(cluster, counted)
    await watch.before()
    cluster.there = [pod("going", ending=True)]
    counted["going"] = 105
    await watch.look()
    (facts,) = await watch.after()
    assert facts.counted == {"200": 100}
    assert watch.problems == []
    cluster.ended.set()


async def test_many_that_end_together_do_not_stop_the_looks(monkeypatch):
    monkeypatch.setattr("loadtest.coordinator.target.LAST_WORD_SECONDS", 0.01)
    names = [f"p{number}" for number in range(20)]
    cluster = Cluster(*(pod(name) for name in names))
    watch = watching(cluster, dict.fromkeys(names, 0))
    await watch.before()
    cluster.there = [pod(name, ending=True) for name in names]
    await watch.look()
    await watch.look()
    assert watch.replicas[-1].ready == 0
    cluster.ended.set()
    await watch.after()
