"""What the local cluster lays over upstream's manifests."""

import json
import re

import pytest

from k8s.local import addons
from k8s.local.components import KEDA, PROMETHEUS
from k8s.local.images import needed
from k8s.local.places import ADDONS

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
