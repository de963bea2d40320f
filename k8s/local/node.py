"""A node: containerd, kubelet and kube-proxy with folders, cgroup and namespace of their own."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from k8s.local import certificates
from k8s.local.build import folder_of, program
from k8s.local.certificates import AUTHORITY
from k8s.local.components import CNI, CONTAINERD
from k8s.local.images import PAUSE
from k8s.local.places import (
    CGROUP,
    DATA,
    DNS_DOMAIN,
    DNS_SERVICE,
    POD_NETWORK,
    RUN,
    node_address,
    node_name,
    pod_range,
)
from k8s.local.processes import Process

NEEDLESS_PLUGINS = (
    "io.containerd.internal.v1.opt",
    "io.containerd.nri.v1.nri",
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.erofs",
    "io.containerd.snapshotter.v1.zfs",
)
"""Each would make folders outside ours, or warn of what this machine need not have."""


@dataclass(frozen=True)
class Node:
    """The `number`-th of `count` nodes that share one machine."""

    number: int
    count: int

    @property
    def name(self) -> str:
        return node_name(self.number)

    @property
    def folder(self) -> Path:
        return DATA / self.name

    @property
    def run(self) -> Path:
        return RUN / str(self.number)

    @property
    def socket(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def cgroup(self) -> str:
        return f"{CGROUP}/{self.name}"

    @property
    def logs(self) -> Path:
        """Of its pods."""
        return self.folder / "pods"

    def names(self) -> list[str]:
        """Of its processes, in the order of their start."""
        return [f"{part}-{self.number}" for part in ("containerd", "kubelet", "kube-proxy")]

    def processes(self) -> list[Process]:
        """Their configuration is written anew; what did not change starts nothing."""
        containerd, kubelet, proxy = self.names()
        settings = {
            containerd: self._write("containerd.toml", self._containerd()),
            kubelet: self._write("kubelet.json", json.dumps(self._kubelet(), indent=1)),
            proxy: self._write("kube-proxy.json", json.dumps(self._proxy(), indent=1)),
        }
        self._write("cni/10-bridge.conflist", json.dumps(self._cni(), indent=1))
        identity = certificates.make(certificates.kubelet(self.number))
        kubeconfig = certificates.write_kubeconfig(identity, self.folder / "kubelet.kubeconfig")
        commands = {
            containerd: ("containerd", f"--config={settings[containerd]}"),
            kubelet: (
                "kubelet",
                f"--config={settings[kubelet]}",
                f"--kubeconfig={kubeconfig}",
                f"--root-dir={self.folder / 'kubelet'}",
                f"--hostname-override={self.name}",
                f"--node-ip={node_address(self.number)}",
                # cAdvisor's own socket; without it, CPU counters carry no container names.
                f"--containerd={self.socket}",
            ),
            proxy: (
                "kube-proxy",
                f"--config={settings[proxy]}",
                f"--hostname-override={self.name}",
            ),
        }
        # runc is named by its path; the shim is looked up on PATH.
        path = f"{folder_of(CONTAINERD) / 'bin'}{os.pathsep}"
        return [
            Process(name, self.name, (str(program(words[0])), *words[1:]), (settings[name],), path)
            for name, words in commands.items()
        ]

    def _write(self, name: str, content: str) -> Path:
        """Only what is new: kube-proxy ends whenever its configuration is written."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        return path

    def _containerd(self) -> str:
        cri = "io.containerd.cri.v1"
        return f"""version = 3
root = "{self.folder / "containerd"}"
state = "{self.run / "containerd"}"
disabled_plugins = {json.dumps(NEEDLESS_PLUGINS)}

[grpc]
address = "{self.socket}"

[plugins."io.containerd.shim.v1.manager"]
socket_dir = "{self.run / "s"}"

[plugins."{cri}.images".pinned_images]
sandbox = "{PAUSE}"

[plugins."{cri}.runtime"]
# Without CAP_SYS_RESOURCE nobody may lower the score, and runc gives up where it is told to.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
cdi_spec_dirs = []

[plugins."{cri}.runtime".cni]
bin_dirs = ["{folder_of(CNI) / "bin"}"]
conf_dir = "{self.folder / "cni"}"

[plugins."{cri}.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."{cri}.runtime".containerd.runtimes.runc.options]
BinaryName = "{program("runc")}"
Root = "{self.run / "runc"}"
SystemdCgroup = false"""

    def _kubelet(self) -> dict[str, object]:
        identity = certificates.kubelet(self.number)
        others = (self.count - 1) / self.count
        cpus = os.cpu_count() or 1
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(AUTHORITY)},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(identity.certificate),
            "tlsPrivateKeyFile": str(identity.key),
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "clusterDNS": [DNS_SERVICE],
            "clusterDomain": DNS_DOMAIN,
            "resolvConf": os.devnull,
            # A node's share of the machine; each would otherwise offer all of it.
            "systemReserved": {
                "cpu": f"{int(cpus * 1000 * others)}m",
                "memory": f"{int(memory * others) // 2**20}Mi",
            },
            "cgroupRoot": f"/{self.cgroup}",
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
            "enforceNodeAllocatable": [],
            "evictionHard": {},
            "localStorageCapacityIsolation": False,
            "imageGCHighThresholdPercent": 100,
            "podLogsDir": str(self.logs),
            "volumePluginDir": str(self.folder / "volume-plugins"),
        }

    def _proxy(self) -> dict[str, object]:
        # The kernel's table of connections is the machine's: nothing may be set there.
        keep = {"maxPerCore": 0, "min": 0}
        keep_times = {"tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}
        kubeconfig = certificates.write_kubeconfig(
            certificates.PROXY, self.folder / "kube-proxy.kubeconfig"
        )
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": POD_NETWORK,
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "conntrack": {**keep, **keep_times},
        }

    def _cni(self) -> dict[str, object]:
        addresses = {
            "type": "host-local",
            "ranges": [[{"subnet": pod_range(self.number)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(self.folder / "addresses"),
        }
        bridge = {"type": "bridge", "bridge": "pods", "isGateway": True, "hairpinMode": True}
        return {
            "cniVersion": "1.0.0",
            "name": self.name,
            "plugins": [
                {**bridge, "ipMasq": False, "ipam": addresses},
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        }
