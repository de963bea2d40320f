"""Every scenario in ci/ renders, is linted, is the same under Helm 3, and is valid Kubernetes."""

import pytest

from tests.chart.rendering import CHART, KUBERNETES, SCENARIOS, objects, program, run, template
from tests.chart.schemas import VERSIONS, locations

IDS = [path.stem.removesuffix("-values") for path in SCENARIOS]


def conform(version: str, text: str):
    places = [word for place in locations(version) for word in ("-schema-location", place)]
    return run([program("kubeconform"), "-strict", "-summary", *places, "-"], text=text)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=IDS)
def test_lint_has_nothing_to_say(scenario):
    command = [program("helm"), "lint", "--strict", "--kube-version", KUBERNETES, CHART]
    done = run([*command, "--values", scenario])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("scenario", SCENARIOS, ids=IDS)
def test_helm_3_renders_the_same(scenario):
    def ordered(helm):
        items = objects("--values", scenario, helm=helm)
        return sorted(items, key=lambda item: (item["kind"], item["metadata"]["name"]))

    assert ordered("helm3") == ordered("helm")


SINCE = {"own-image-volume": "1.31.0"}
"""Scenarios that older versions of Kubernetes do not know."""


def fits(scenario: str, version: str) -> bool:
    return SINCE.get(scenario, VERSIONS[0]) <= version


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(version):
    fitting = [p for p, name in zip(SCENARIOS, IDS, strict=True) if fits(name, version)]
    parts = [template("--values", scenario).stdout for scenario in fitting]
    done = conform(version, "\n---\n".join(parts))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Skipped: 0" in done.stdout
    assert "Valid: 0," not in done.stdout


@pytest.mark.parametrize(
    ("scenario", "before", "after"),
    [
        ("default", "minReadySeconds:", "minReadySecond:"),
        ("default", "sizeLimit:", "sizeLimits:"),
        ("keda", "pollingInterval:", "pollInterval:"),
        ("gateway", "backendRefs:", "backends:"),
        ("keda", "interval: 10s", "interval: soon"),
        ("monitored", "record:", "records:"),
        ("rollout-test", "resourceNames:", "resourceName:"),
        ("rollout-test", "roleRef:", "role:"),
    ],
)
def test_a_wrong_field_is_found(scenario, before, after):
    """So that the check above can fail, for kinds of our own and of others."""
    text = template("--values", CHART / "ci" / f"{scenario}-values.yaml").stdout
    assert before in text
    done = conform(VERSIONS[-1], text.replace(before, after))
    assert done.returncode == 1, done.stdout


def test_older_versions_do_not_know_image_volumes():
    done = conform(
        "1.30.0", template("--values", CHART / "ci" / "own-image-volume-values.yaml").stdout
    )
    assert "additional properties 'image' not allowed" in done.stdout


def test_rendering_asks_no_cluster():
    """Only NOTES.txt may look at what the cluster has: GitOps must render the same."""
    asking = [
        path.name
        for path in CHART.rglob("templates/**/*")
        if path.is_file()
        and path.name != "NOTES.txt"
        and any(word in path.read_text("utf-8") for word in (".Capabilities", "lookup "))
    ]
    assert asking == []
