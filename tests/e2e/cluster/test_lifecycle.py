"""The local cluster comes up after anything and leaves nothing."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import kubectl as k
import objects
import pytest
from local_cluster import local

sys.path.insert(0, str(k.ROOT))

from k8s.local import cgroups, network, processes
from k8s.local.places import DATA

pytestmark = pytest.mark.alone


def up():
    return local("up", "--nodes", str(max(1, network.most_node())))


def test_repeating_up_changes_nothing():
    before = {record.name: record.id for record in processes.records()}
    up()
    assert {record.name: record.id for record in processes.records()} == before


def test_everything_killed_comes_up_again_with_what_it_held(namespace):
    namespace.apply(objects.web("web", "survived"))
    namespace.wait("deployment/web", "Available")
    gone = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "nlpserve-node-9"}}
    k.kubectl("apply", "-f", "-", feed=json.dumps(gone))
    killed = cgroups.members()
    for process in killed:
        processes.kill(process)
    k.until("the end of all of them", lambda: not killed & cgroups.members())
    status = local("status", check=False)
    assert status.returncode == 1
    assert "kubelet-1 is dead; it logged last:" in status.stdout
    up()
    assert local("status").stdout.count("runs") == len(processes.records())

    def answers():
        command = ("timeout", "5", "wget", "-qO-", "http://localhost:8080/")
        return namespace.run("deployment/web", *command) == "survived\n"

    k.until("the page again", answers, 180)
    assert "nlpserve-node-9" not in k.kubectl("get", "nodes", "-o", "name")


def test_one_dead_process_is_found_and_started_again():
    record = processes.find("kube-scheduler")
    os.kill(record.id, signal.SIGKILL)
    k.until("its end", lambda: not processes.find("kube-scheduler").alive())
    untouched = {item.name: item.id for item in processes.records() if item.name != record.name}
    up()
    now = {item.name: item.id for item in processes.records()}
    assert now.pop("kube-scheduler") != record.id
    assert now == untouched


def test_down_leaves_nothing_and_may_be_repeated():
    nodes = max(1, network.most_node())
    local("down")
    bare, firewall = traces(), host_rules()
    try:
        local("down")
        assert traces() == bare
    finally:
        local("up", "--nodes", str(nodes))
    # Each kind must be able to show something, or finding nothing of it would mean nothing.
    assert {kind for kind, found in traces().items() if found == bare[kind]} == set()
    assert host_rules() == firewall
    local("down")
    try:
        assert traces() == bare
        assert local("status", check=False).returncode == 3
    finally:
        local("up", "--nodes", str(nodes))


def test_a_start_that_fails_says_why_clears_up_and_tries_once_more():
    nodes = max(1, network.most_node())
    local("down")
    etcd = DATA / "etcd"
    etcd.parent.mkdir()
    etcd.write_text("not a folder", encoding="ascii")
    done = local("up", "--nodes", str(nodes))
    assert "etcd ended while the API server was awaited" in done.stderr
    assert "etcd.log ended with:" in done.stderr
    assert "not a directory" in done.stderr
    assert "clearing up and trying once more" in done.stderr
    assert local("status").returncode == 0


SOCKETS = ("-ignore_readdir_race", "-xdev", "-type", "s")


def traces():
    """What a running cluster has on the machine, by kind."""
    tops = [Path(name) for name in ("/run", "/var/lib", "/var/log")]
    marks = ("nlpserve", "containerd", "kube", "cni")
    mountinfo = Path("/proc/self/mountinfo")
    return {
        "processes": ours(),
        "mounts": {path for path in column(mountinfo, 4) if any(mark in path for mark in marks)},
        "interfaces": {path.name for path in Path("/sys/class/net").iterdir()},
        "namespaces": {path.name for path in Path("/run/netns").glob("*")},
        "routes": said("ip", "route"),
        "cgroups": {str(p) for top in cgroups.hierarchies() for p in top.glob("nlpserve*")},
        "sockets": said("find", *map(str, tops), "/tmp", *SOCKETS),
        "folders": {p.name for top in tops for p in top.iterdir() if p.name.startswith(marks)},
    }


def host_rules():
    """The host's own firewall, without counters: not to be touched at any time."""
    return said("iptables-save")


def ours():
    words = ("nlpserve-cluster", "nlpserve-local", "/nlpserve/cluster/programs")
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if any(word in text for word in words):
            found.add(text.replace("\0", " "))
    return found


def column(file, place):
    rows = (line.split() for line in file.read_text(encoding="utf-8").splitlines())
    return {row[place] for row in rows if len(row) > place}


def said(*words):
    return set(
        subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    )
