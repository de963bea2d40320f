"""Releases of the chart, and the images that they run."""

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import kubectl as k
import pytest

CHART = k.ROOT / "helm" / "nlpserve"
NAMED_BY = {"image": "IMAGE", "load-image": "LOAD_IMAGE"}
"""Target of make → the variable that names such an image in a registry."""
# Small, so that a node of two cores has room for whatever else is tested at the same time.
SMALL = {
    "defaults": {
        "replicas": 1,
        "autoscaling": {"mode": "none"},
        "podDisruptionBudget": {"enabled": False},
        "resources": {"requests": {"cpu": "20m"}},
    }
}


def make(*words):
    done = subprocess.run(
        ["make", *words], cwd=k.ROOT, capture_output=True, text=True, timeout=1200, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def takes_archives():
    """Whether images can be brought to the cluster: it need not pull them."""
    return k.is_local() or k.context().startswith("kind-")


def load(target, archive, *words):
    """Build an image and bring it to the cluster, unless the target's variable names another."""
    variable = NAMED_BY.get(target)
    if variable and os.environ.get(variable):
        return
    if not takes_archives():
        has_to_pull = f"the cluster of context {k.context()} has to pull the image of make {target}"
        if variable:
            pytest.fail(f"{has_to_pull}: push it and say {variable}=repository:tag")
        pytest.skip(has_to_pull)
    make(target, f"ARCHIVE={archive}", *words)
    done = subprocess.run(
        [k.ROOT / "k8s" / "load", archive],
        env={**os.environ, "KUBECONFIG": str(k.kubeconfig())},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def named_image(variable):
    """The values for the image that a variable of the environment names; none where it does not."""
    repository, _, tag = os.environ.get(variable, "").rpartition(":")
    return {"image": {"repository": repository, "tag": tag}} if repository else {}


@contextmanager
def volume(namespace, folder):
    """The name of a claim of a volume that is a copy of the folder, for any user to read."""
    with tempfile.TemporaryDirectory(prefix="nlpserve-volume-") as root:
        shutil.copytree(folder, root, dirs_exist_ok=True)
        Path(root).chmod(0o755)  # pytest's own folders are for nobody else
        with claimed(namespace, Path(root)) as claim:
            yield claim


@contextmanager
def claimed(namespace, folder):
    """The name of a claim of a volume that is a folder of this machine."""
    size = {"storage": "1Gi"}
    common = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    spec = {**common, "capacity": size, "hostPath": {"path": str(folder)}}
    claim = {**common, "resources": {"requests": size}, "volumeName": namespace.name}
    name = {"name": namespace.name}
    namespace.apply(
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": name, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "models"},
            "spec": claim,
        },
    )
    try:
        yield "models"
    finally:
        k.kubectl("delete", "persistentvolume", namespace.name, "--wait=false")


class Release:
    """A release of the chart in a namespace."""

    def __init__(self, namespace: k.Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.name = "demo"
        self._folder = folder

    def helm(self, *words, check=True, timeout=300):
        done = subprocess.run(
            [k.program("helm"), *map(str, words), "--namespace", self.namespace.name],
            env={**os.environ, "KUBECONFIG": str(k.kubeconfig())},
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def file(self, name, values):
        """A file with these values."""
        file = self._folder / f"{name}.json"
        file.write_text(json.dumps(values), encoding="utf-8")
        return file

    def upgrade(self, *words, check=True, chart=CHART, **values):
        """Install or upgrade with these values over the small ones."""
        small = self.file("small", {**SMALL, **named_image("IMAGE")})
        files = ["--values", small, "--values", self.file("values", values)]
        wait = ("--wait", "--timeout", "3m")
        return self.helm(
            "upgrade", "--install", self.name, chart, *files, *wait, *words, check=check
        )

    def test(self):
        """What `helm test` printed."""
        done = self.helm("test", self.name)
        return done.stdout + done.stderr

    def get(self, kind, name):
        return self.namespace.get(kind, f"{self.name}-nlpserve-{name}")

    def pods(self, model, track="stable"):
        selector = f"nlpserve/model={model},nlpserve/track={track}"
        return {pod["metadata"]["name"] for pod in self.namespace.ready_pods(selector)}
