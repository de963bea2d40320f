"""What the machine knows of its package index, lent to a build as secrets that no layer keeps."""

import ast
import configparser
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

CERTIFICATES: Final = "/run/secrets/certificates.pem"
"""Where bento/Containerfile mounts the secret `certificates`."""
NAMES: Final[tuple[str, ...]] = (
    "index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout",
)  # fmt: skip
CERTIFICATE_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


def pip_settings() -> dict[str, str]:
    """What pip is told here, by files or the environment, by name without section."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return parse(listed)


def parse(listed: str) -> dict[str, str]:
    """What `pip config list` prints: the environment wins over [install], that over [global]."""
    ranks = {"global": 0, "install": 1, ":env:": 2}
    found = []
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in ranks:
            found.append((ranks[section], name, str(ast.literal_eval(value))))
    return {name: value for _, name, value in sorted(found)}


def certificates(settings: Mapping[str, str], environment: Mapping[str, str]) -> Path | None:
    """The bundle that this machine's pip trusts, when it is told of one."""
    named = [settings.get("cert"), *(environment.get(name) for name in CERTIFICATE_VARIABLES)]
    return next((Path(name) for name in named if name and Path(name).is_file()), None)


def lend(folder: Path) -> dict[str, Path]:
    """Secrets of the build, by the id that bento/Containerfile knows; written to the folder."""
    settings = pip_settings()
    lent = {name: settings[name] for name in NAMES if name in settings}
    bundle = certificates(settings, os.environ)
    secrets = {}
    if bundle is not None:
        secrets["certificates"] = bundle
        lent["cert"] = CERTIFICATES
    file = configparser.RawConfigParser()
    file["global"] = lent
    secrets["pip"] = folder / "pip.conf"
    with secrets["pip"].open("w", encoding="utf-8") as text:
        file.write(text)
    return secrets
