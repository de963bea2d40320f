"""What the machine must have, told before anything is changed, each in one line with its remedy."""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

from k8s.local import cgroups
from k8s.local.build import GO, go_version, is_built
from k8s.local.components import Component
from k8s.local.errors import ClusterError, Missing
from k8s.local.places import DATA, HOST_LINK, NODE_NETWORK, POD_NETWORK, SERVICE_NETWORK, cache
from k8s.local.shell import run

PACKAGES = {
    "buildah": "buildah",
    "busybox": "busybox",
    "cc": "gcc libc6-dev",
    "ip": "iproute2",
    "iptables": "iptables",
    "mount": "mount",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "pkg-config": "pkg-config",
}
"""Command → the Debian packages that bring it."""
SECCOMP_HEADER = Path("/usr/include/seccomp.h")

FREE_TO_BUILD = 12 * 1024**3
"""Module sources, Go's own cache and the results, measured at 9 GB together."""
FREE_TO_RUN = 2 * 1024**3


def check(components: Sequence[Component]) -> None:
    """Raises Missing with a line for each thing that `up` would fail on."""
    building = [item for item in components if not is_built(item)]
    problems = [*privileges(), *kernel(), *networks(), *space(building=bool(building))]
    if building:
        problems += compiler()
    if (names := missing_packages()) and not can_install():
        problems.append(f"programs are missing; their Debian packages: {' '.join(names)}")
    if problems:
        raise Missing("\n".join(problems))


def privileges() -> list[str]:
    if sys.platform != "linux":
        return ["Linux is needed: elsewhere use `make cluster PROVIDER=kind`"]
    if os.geteuid() != 0:
        return ["root is needed (namespaces, cgroups, mounts): run it with sudo"]
    return []


def kernel() -> list[str]:
    problems = []
    filesystems = Path("/proc/filesystems").read_text(encoding="ascii")
    if not re.search(r"\boverlay$", filesystems, re.MULTILINE) and not loaded("overlay"):
        problems.append("the kernel has no overlay file system: modprobe overlay")
    if not Path("/proc/sys/net/bridge").is_dir() and not loaded("br_netfilter"):
        problems.append("the kernel does not filter on bridges: modprobe br_netfilter")
    unified = any(map(cgroups.is_unified, cgroups.hierarchies()))
    if not unified and not has_version_1_controllers():
        problems.append("no cgroups at /sys/fs/cgroup: mount them (v1 or v2)")
    return problems


def loaded(module: str) -> bool:
    """Whether the module is there, after asking for it."""
    try:
        run(["modprobe", module])
    except ClusterError:
        return False
    return True


def has_version_1_controllers() -> bool:
    """Whether the hierarchies that the kubelet asks for are there."""
    needed = {"cpu", "cpuacct", "cpuset", "memory", "pids", "devices"}
    return needed <= {name for path in cgroups.hierarchies() for name in path.name.split(",")}


def networks() -> list[str]:
    """Routes of the host's own that the cluster's addresses would hide."""
    problems = []
    wanted = [ip_network(text) for text in (NODE_NETWORK, POD_NETWORK, SERVICE_NETWORK)]
    for line in run(["ip", "-4", "route", "show"]).splitlines():
        words = line.split()
        if words[0] == "default" or HOST_LINK in words:
            continue
        problems += [
            f"the host already has a route to {words[0]}: {network} must be free"
            for network in wanted
            if network.overlaps(ip_network(words[0]))
        ]
    return problems


def space(*, building: bool) -> list[str]:
    problems = []
    for folder, needed in ((DATA, FREE_TO_RUN), (cache(), FREE_TO_BUILD if building else 0)):
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if (free := shutil.disk_usage(there).free) < needed:
            problems.append(
                f"{there} has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed: make room"
            )
    return problems


def compiler() -> list[str]:
    try:
        version = go_version()
    except Missing as error:
        return [str(error)]
    series = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if series < (1, 21):
        return [f"{version} is too old: install Go {GO}, or any from 1.21 on, which fetches it"]
    return []


def missing_packages() -> list[str]:
    """Debian packages whose command or header is not there."""
    names = [package for command, package in PACKAGES.items() if shutil.which(command) is None]
    return [*names, *([] if SECCOMP_HEADER.exists() else ["libseccomp-dev"])]


def can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages() -> None:
    """What is missing, from the machine's own Debian mirror."""
    if not (names := " ".join(missing_packages()).split()):
        return
    print(f"installing Debian packages: {' '.join(names)}", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "-q", "update"], timeout=300, environment=environment)
    words = ["apt-get", "-q", "install", "-y", "--no-install-recommends", *names]
    run(words, timeout=900, environment=environment)
