"""What is built, from which pinned module, into which programs."""

import re
from dataclasses import dataclass

from k8s.local.places import MODULES


@dataclass(frozen=True)
class Component:
    """A folder under modules/ with a go.mod of its own: their dependencies conflict."""

    name: str
    module: str
    programs: dict[str, str]
    """Program → package, relative to the module."""
    manifests: tuple[str, ...] = ()
    """Folders and files of the module that are kept beside its programs."""
    stamps: tuple[str, ...] = ()
    """Variables set to the version without which a program calls itself v0.0.0."""
    cgo: bool = False
    tags: str = ""

    @property
    def version(self) -> str:
        """As pinned in its go.mod, such as v1.36.3."""
        text = (MODULES / self.name / "go.mod").read_text(encoding="utf-8")
        found = re.search(rf"^(?:require)?\s+{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if found is None:
            raise ValueError(f"modules/{self.name}/go.mod does not require {self.module}")
        return found[1]

    def packages(self) -> dict[str, str]:
        """Program → the full path of its package."""
        return {name: f"{self.module}{path}" for name, path in self.programs.items()}

    def linker_flags(self) -> str:
        """Smaller programs that know their version."""
        major, minor, _ = self.version.removeprefix("v").split(".", 2)
        values = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor}
        flags = [f"-X {stamp}={values[stamp.rpartition('.')[2]]}" for stamp in self.stamps]
        return " ".join(["-s -w", *flags])


KUBERNETES = Component(
    "kubernetes",
    "k8s.io/kubernetes",
    {
        name: f"/cmd/{name}"
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
            "kubectl",
        )
    },
    manifests=("cluster/addons/dns/coredns/coredns.yaml.base", "build/pause/linux"),
    stamps=tuple(
        f"k8s.io/component-base/version.{name}" for name in ("gitVersion", "gitMajor", "gitMinor")
    ),
)
ETCD = Component("etcd", "go.etcd.io/etcd/server/v3", {"etcd": ""})
CONTAINERD = Component(
    "containerd",
    "github.com/containerd/containerd/v2",
    {name: f"/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
)
RUNC = Component(
    "runc",
    "github.com/opencontainers/runc",
    {"runc": ""},
    cgo=True,
    tags="seccomp urfave_cli_no_docs",
)
CNI = Component(
    "cni-plugins",
    "github.com/containernetworking/plugins",
    {
        "bridge": "/plugins/main/bridge",
        "loopback": "/plugins/main/loopback",
        "host-local": "/plugins/ipam/host-local",
        "portmap": "/plugins/meta/portmap",
    },
)
COREDNS = Component("coredns", "github.com/coredns/coredns", {"coredns": ""})
METRICS_SERVER = Component(
    "metrics-server",
    "sigs.k8s.io/metrics-server",
    {"metrics-server": "/cmd/metrics-server"},
    manifests=("manifests",),
)
KEDA = Component(
    "keda",
    "github.com/kedacore/keda/v2",
    {"keda": "/cmd/operator", "keda-adapter": "/cmd/adapter"},
    manifests=("config",),
)
PROMETHEUS = Component(
    "prometheus",
    "github.com/prometheus/prometheus",
    {name: f"/cmd/{name}" for name in ("prometheus", "promtool")},
)
HELM = Component("helm", "helm.sh/helm/v4", {"helm": "/cmd/helm"})
HELM_3 = Component(
    "helm3",
    "helm.sh/helm/v3",
    {"helm3": "/cmd/helm"},
)
HELM_UNITTEST = Component(
    "helm-unittest",
    "github.com/helm-unittest/helm-unittest",
    {"helm-unittest": "/cmd/helm-unittest"},
)
KUBECONFORM = Component(
    "kubeconform", "github.com/yannh/kubeconform", {"kubeconform": "/cmd/kubeconform"}
)

NODE = (KUBERNETES, ETCD, CONTAINERD, RUNC, CNI, COREDNS)
"""What a node needs; the rest are add-ons and tools."""
ALL = (*NODE, METRICS_SERVER, KEDA, PROMETHEUS, HELM, HELM_3, HELM_UNITTEST, KUBECONFORM)


def owner_of(program: str) -> Component | None:
    """The component that a program is built from."""
    return next((item for item in ALL if program in item.programs), None)
