"""JSON Schemas for kubeconform: Kubernetes' own, and those of the kinds that others bring.

Kubernetes' come with the Python package kubernetes-validate, the others out of the definitions in
their Go modules. Both are prepared once, into the cache, and keyed by what they are made from.
"""

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml

from k8s.local.places import cache

ROOT = Path(__file__).parents[2]
FOREIGN = Path(__file__).parent / "foreign_kinds.json"
LOCK = ROOT / "requirements" / "schemas.txt"
VERSIONS = tuple(f"1.{minor}.0" for minor in range(30, 37))
KINDS = (
    "configmap-v1", "deployment-apps-v1", "horizontalpodautoscaler-autoscaling-v2",
    "ingress-networking-v1", "networkpolicy-networking-v1", "pod-v1",
    "poddisruptionbudget-policy-v1", "role-rbac-v1", "rolebinding-rbac-v1", "secret-v1",
    "service-v1", "serviceaccount-v1",
)  # fmt: skip
NAME = "{{.ResourceKind}}{{.KindSuffix}}.json"
_REFERENCE = re.compile(r'"[^"#]*#/\$defs/([^"]+)"')


def locations(version: str) -> list[str]:
    """What kubeconform's -schema-location takes, for this version of Kubernetes."""
    folder = _prepared("kubernetes", LOCK.read_bytes() + repr(KINDS).encode(), _kubernetes)
    foreign = _prepared("foreign", FOREIGN.read_bytes(), _foreign)
    return [f"{folder}/v{version}/{NAME}", f"{foreign}/{NAME}"]


def _prepared(name: str, source: bytes, write: Callable[[Path], None]) -> Path:
    source += Path(__file__).read_bytes()
    folder = cache() / "schemas" / f"{name}-{hashlib.sha256(source).hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run in several processes
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                (Path(work) / "made").mkdir()
                write(Path(work) / "made")
                (Path(work) / "made").rename(folder)
    return folder


def _kubernetes(target: Path) -> None:
    environment = subprocess.run(
        [ROOT / "requirements" / "environment", "schemas"],
        check=True, stdout=subprocess.PIPE, text=True, env=_with_shared_environments(),
    ).stdout.strip()  # fmt: skip
    (source,) = Path(environment).glob("lib/python3*/site-packages/kubernetes_validate")
    for version in VERSIONS:
        folder = source / "kubernetes-json-schema" / f"v{version}-local-strict"
        definitions = json.loads((folder / "_definitions.json").read_text("utf-8"))["$defs"]
        (target / f"v{version}").mkdir()
        for kind in KINDS:
            text = (folder / f"{kind}.json").read_text("utf-8")
            (target / f"v{version}" / f"{kind}.json").write_text(
                _bundled(text, definitions), "utf-8"
            )


def _with_shared_environments() -> dict[str, str]:
    """Where the running environment is kept, the other one goes, too."""
    return {"VENVS": str(Path(sys.prefix).parent), **os.environ}


def _bundled(text: str, definitions: dict[str, object]) -> str:
    """The schema with all that it refers to: kubeconform does not follow their addresses."""
    found: dict[str, object] = {}
    wanted = _REFERENCE.findall(text)
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = definitions[name]
            wanted += _REFERENCE.findall(json.dumps(found[name]))
    schema = json.loads(text)
    del schema["$id"]
    schema["$defs"] = found
    return _REFERENCE.sub(r'"#/$defs/\1"', json.dumps(schema))


def _foreign(target: Path) -> None:
    for pin in json.loads(FOREIGN.read_bytes()):
        done = subprocess.run(
            ["go", "mod", "download", "-json", f"{pin['module']}@{pin['version']}"],
            check=True, stdout=subprocess.PIPE, text=True, cwd=target,
        )  # fmt: skip
        facts = json.loads(done.stdout)
        assert facts["Sum"] == pin["sum"], f"{pin['module']} is not what was pinned"
        definition = yaml.safe_load((Path(facts["Dir"]) / pin["file"]).read_text("utf-8"))["spec"]
        for version in definition["versions"]:
            kind = definition["names"]["kind"].lower()
            suffix = f"{definition['group'].split('.')[0]}-{version['name']}"
            schema = _strict(version["schema"]["openAPIV3Schema"])
            (target / f"{kind}-{suffix}.json").write_text(json.dumps(schema), "utf-8")


def _strict(schema: dict) -> dict:
    """The API server drops fields that are not declared; here they are errors."""
    for name, part in list(schema.items()):
        if isinstance(part, dict):
            schema[name] = _strict(part)
    if (
        "properties" in schema
        and schema.get("type") == "object"
        and not schema.get("x-kubernetes-preserve-unknown-fields")
    ):
        schema.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        schema.pop("type", None)
    return schema
