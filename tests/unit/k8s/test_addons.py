"""What the local cluster lays over upstream's manifests."""

import json
import re
from pathlib import Path

import pytest
import yaml

from k8s.local import addons
from k8s.local.components import KEDA, PROMETHEUS
from k8s.local.images import needed
from k8s.local.places import ADDONS

ROOT = Path(__file__).parents[3]
COREDNS = """
    .:53 {
        kubernetes __DNS__DOMAIN__ in-addr.arpa {
            ttl 30
        }
        prometheus :9153
        forward . /etc/resolv.conf {
            max_concurrent 1000
        }
        cache 30
    }
        image: example.invalid/coredns/coredns:v1.0.0
            memory: __DNS__MEMORY__LIMIT__
  clusterIP: __DNS__SERVER__
"""


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    file = tmp_path / "manifests/cluster/addons/dns/coredns/coredns.yaml.base"
    file.parent.mkdir(parents=True)
    file.write_text(COREDNS, encoding="utf-8")
    monkeypatch.setattr(addons, "folder_of", lambda _: tmp_path)


@pytest.mark.usefixtures("upstream")
def test_dns_is_filled_in_and_knows_nothing_outside():
    text = addons.dns()
    outside, inside = text.split("cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {")
    assert "NXDOMAIN" in outside
    assert "kubernetes cluster.local" in inside
    assert "__" not in text
    assert "forward" not in text
    assert "clusterIP: 10.96.0.10" in text
    assert "image: localhost/nlpserve-local/coredns:" in text
    assert text.count("{") == text.count("}")


def patched_images(name):
    operations = [
        operation
        for patch in addons.overlay(name)["patches"]
        if isinstance(loaded := json.loads(patch["patch"]), list)
        for operation in loaded
    ]
    return {item["value"] for item in operations if item["path"].endswith("/image")}


@pytest.mark.parametrize("name", addons.NAMES)
def test_every_image_of_an_addon_is_one_that_is_loaded(name):
    loaded = {image.name for image in needed([name])}
    assert patched_images(name)
    assert patched_images(name) <= loaded


def test_keda_comes_in_the_pinned_version():
    pins = (ADDONS / "keda" / "pins.yaml").read_text(encoding="utf-8")
    assert f'tag: "{KEDA.version.removeprefix("v")}"' in pins


def test_prometheus_comes_in_the_pinned_version():
    """Module v0.308.x is release 3.8: Prometheus counts its modules so."""
    major, minor = re.fullmatch(r"v0\.(\d)(\d\d)\.\d+", PROMETHEUS.version).groups()
    manifest = (ADDONS / "prometheus" / "deployment.yaml").read_text(encoding="utf-8")
    assert f"image: prom/prometheus:v{major}.{int(minor)}." in manifest


def jobs():
    """Scrape jobs of the add-on's Prometheus, by name."""
    settings = yaml.safe_load((ADDONS / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    return {job["job_name"]: job for job in settings["scrape_configs"]}


def test_prometheus_keeps_of_containers_what_is_read():
    readers = (
        "monitoring/dashboards/metrics.py",
        "monitoring/runbooks.md",
        "loadtest/coordinator/prometheus.py",
    )
    text = "\n".join((ROOT / reader).read_text("utf-8") for reader in readers)
    read = set(re.findall(r"\bcontainer_[a-z_]+", text))
    (rule,) = jobs()["cadvisor"]["metric_relabel_configs"]
    assert rule["source_labels"] == ["__name__", "container"]
    assert {name for name in read if re.fullmatch(rule["regex"], f"{name};server")} == read
    assert not re.fullmatch(rule["regex"], "container_cpu_usage_seconds_total;")  # of a whole pod
    (names,) = re.findall(r"\((.+)\)", rule["regex"])
    assert {f"container_{name}" for name in names.split("|")} == read


@pytest.mark.parametrize(
    ("address", "asked"), [("10.0.0.7", "10.0.0.7:3000"), ("fd00::7", "[fd00::7]:3000")]
)
def test_prometheus_asks_pods_of_either_family(address, asked):
    rules = jobs()["pods"]["relabel_configs"]
    found = [
        match.expand(rule["replacement"].replace("$", "\\"))
        for rule in rules
        if rule.get("target_label") == "__address__"
        and (match := re.fullmatch(rule["regex"], f"{address};3000"))
    ]
    assert found == [asked]


def test_prometheus_reads_new_rules_without_a_restart():
    """Its data would be gone after one."""
    manifest = (ADDONS / "prometheus" / "deployment.yaml").read_text(encoding="utf-8")
    assert "--enable-feature=auto-reload-config" in manifest
