"""The Grafana add-on: valid Kubernetes, with every dashboard, and at the add-on's Prometheus."""

import re
from functools import cache

import yaml

from tests.chart.rendering import ROOT, find, program, run
from tests.chart.schemas import VERSIONS, locations

FOLDER = ROOT / "k8s" / "addons" / "grafana"


@cache
def rendered(name="grafana"):
    done = run([program("kubectl"), "kustomize", ROOT / "k8s" / "addons" / name])
    assert done.returncode == 0, done.stderr
    return done.stdout


def items(name="grafana"):
    return list(yaml.load_all(rendered(name), Loader=yaml.CSafeLoader))


def data_of(prefix):
    (found,) = [i for i in items() if i["metadata"]["name"].startswith(f"{prefix}-")]
    return found["data"]


def conform(text):
    places = [word for place in locations(VERSIONS[-1]) for word in ("-schema-location", place)]
    return run([program("kubeconform"), "-strict", "-summary", *places, "-"], text=text)


def test_every_object_is_valid():
    done = conform(rendered())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Skipped: 0" in done.stdout
    assert conform(rendered().replace("mountPath:", "mountsPath:")).returncode == 1


def test_it_has_every_dashboard():
    folder = ROOT / "monitoring" / "dashboards" / "grafana"
    assert data_of("grafana-dashboards") == {
        file.name: file.read_text("utf-8") for file in folder.glob("*.json")
    }


def test_it_is_told_where_dashboards_and_prometheus_are():
    provisioning = data_of("grafana-provisioning")
    (provider,) = yaml.safe_load(provisioning["dashboards.yaml"])["providers"]
    (container,) = find(items(), "Deployment", "grafana")["spec"]["template"]["spec"]["containers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert mounts[provider["options"]["path"]] == "dashboards"
    (source,) = yaml.safe_load(provisioning["datasources.yaml"])["datasources"]
    host, port = source["url"].removeprefix("http://").split(":")
    service = find(items("prometheus"), "Service", host)
    assert service["metadata"]["namespace"] == "monitoring"
    assert service["spec"]["ports"][0]["port"] == int(port)
    settings = find(items("prometheus"), "ConfigMap", configuration())["data"]["prometheus.yaml"]
    scraped = yaml.safe_load(settings)["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraped


def configuration():
    (name,) = [i["metadata"]["name"] for i in items("prometheus") if i["kind"] == "ConfigMap"]
    return name


def test_it_is_the_grafana_whose_model_the_dashboards_follow():
    (made_for,) = re.findall(r'"grafana-foundation-sdk==\d+!([\d.]+)"', project())
    image = find(items(), "Deployment", "grafana")["spec"]["template"]["spec"]["containers"][0]
    assert image["image"] == f"grafana/grafana:{made_for}"


def project():
    return (ROOT / "pyproject.toml").read_text("utf-8")
