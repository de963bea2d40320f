"""Renders the chart with the real programs."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "nlpserve"
SCENARIOS = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE = "release"
NAMESPACE = "models"
KUBERNETES = "1.30.0"

Object = dict[str, Any]


@cache
def program(name: str) -> str:
    """The path of a pinned program, built on first use."""
    command = ["python3", "-m", "k8s.local", "tool", name]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def run(words: Sequence[str | Path], *, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        input=text, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def template(
    *arguments: str | Path, values: Mapping[str, object] | None = None, helm: str = "helm"
) -> subprocess.CompletedProcess[str]:
    """`helm template`; `values` come last and win."""
    return run(
        [
            program(helm), "template", RELEASE, CHART, "--namespace", NAMESPACE,
            "--kube-version", KUBERNETES, *arguments, "--values", "-",
        ],
        text=json.dumps(values or {}),
    )  # fmt: skip


def objects(
    *arguments: str | Path, values: Mapping[str, object] | None = None, helm: str = "helm"
) -> list[Object]:
    """What the chart renders to."""
    done = template(*arguments, values=values, helm=helm)
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if item]


def find(items: Sequence[Object], kind: str, name: str) -> Object:
    (found,) = [i for i in items if i["kind"] == kind and i["metadata"]["name"] == name]
    return found
