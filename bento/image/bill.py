"""Runs inside the build: the bill of materials, CycloneDX JSON, of what is in the image.

`python bill.py ENVIRONMENT CODE MODELS FILE`. cyclonedx-py lists the Python packages of the staged
environment; added are the base's Debian packages, its Python where it is none of them, and the
models, whose licences are not the code's.
"""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

SCHEMA = "1.6"
ROOT = "nlpserve"
STATUS = Path("/var/lib/dpkg/status")
Component = dict[str, Any]


def python_packages(interpreter: Path) -> dict[str, Any]:
    """What cyclonedx-py says of an environment."""
    command = [
        sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible",
        "--spec-version", SCHEMA, "--output-format", "JSON", str(interpreter),
    ]  # fmt: skip
    listed = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    bill: dict[str, Any] = json.loads(listed.stdout)
    return bill


def debian_packages(status: str) -> Iterator[Component]:
    """The packages that dpkg calls installed."""
    for paragraph in status.split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", paragraph, re.M))
        if fields.get("Status") != "install ok installed":
            continue
        name, version, machine = fields["Package"], fields["Version"], fields["Architecture"]
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={machine}"
        yield {
            "type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl,
        }  # fmt: skip


def interpreter() -> Component:
    """The Python of a base that did not install it as a Debian package."""
    version = platform.python_version()
    purl = f"pkg:generic/python@{version}"
    return {
        "type": "platform", "name": "python", "version": version, "purl": purl, "bom-ref": purl,
        "licenses": [{"license": {"id": "PSF-2.0"}}],
    }  # fmt: skip


def models(folder: Path) -> Iterator[Component]:
    """The artifacts, each with its files and their sha256, as its manifest says."""
    for path in sorted(folder.glob("*/manifest.json")):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        yield {
            "type": "machine-learning-model",
            "name": manifest["name"],
            "version": manifest["version"],
            "bom-ref": f"model:{manifest['name']}",
            "licenses": [{"license": {"name": manifest["licence"]}}],
            "components": [
                {
                    "type": "file",
                    "name": name,
                    "bom-ref": f"model:{manifest['name']}/{name}",
                    "hashes": [{"alg": "SHA-256", "content": digest}],
                }
                for name, digest in sorted(manifest["files"].items())
            ],
        }


def bill_of_materials(environment: Path, code: Path, artifacts: Path) -> dict[str, Any]:
    """All of it, with the image's own version at the root."""
    source = (code / "nlpserve/__init__.py").read_text(encoding="utf-8")
    version = re.findall(r'^__version__ = "(.+)"$', source, re.M)
    bill = python_packages(environment / "bin/python")
    base = list(debian_packages(STATUS.read_text(encoding="utf-8")))
    if not any(re.fullmatch(r"python3\.\d+-minimal", component["name"]) for component in base):
        base.append(interpreter())
    bill["metadata"]["component"] = {
        "type": "application",
        "name": ROOT,
        "version": version[0],
        "bom-ref": ROOT,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    added = [*base, *models(artifacts)]
    needed = {ref for entry in bill["dependencies"] for ref in entry.get("dependsOn", ())}
    own = [entry["ref"] for entry in bill["dependencies"] if entry["ref"] not in needed]
    direct = sorted(
        {*own, *(component["bom-ref"] for component in added)} - {ROOT, "root-component"}
    )
    bill["components"] += added
    bill["dependencies"] = [
        *(entry for entry in bill["dependencies"] if entry["ref"] != "root-component"),
        {"ref": ROOT, "dependsOn": direct},
    ]
    return bill


def main(environment: str, code: str, artifacts: str, file: str) -> None:
    """Write it, and fail when it is not what CycloneDX's schema allows."""
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415  only the build has it
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    bill = bill_of_materials(Path(environment), Path(code), Path(artifacts))
    text = json.dumps(bill, indent=1)
    error = JsonStrictValidator(SchemaVersion.from_version(SCHEMA)).validate_str(text)
    if error is not None:
        raise SystemExit(f"the bill of materials is not valid CycloneDX: {error}")
    Path(file).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
