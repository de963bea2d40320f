"""etcd, API server, controller manager and scheduler, in the first node's namespace."""

from pathlib import Path

from k8s.local import certificates
from k8s.local.build import program
from k8s.local.certificates import AUTHORITY, AUTHORITY_KEY, FRONT_PROXY_AUTHORITY
from k8s.local.places import (
    API_PORT,
    DATA,
    KUBECONFIGS,
    POD_NETWORK,
    SERVICE_NETWORK,
    node_address,
    node_name,
)
from k8s.local.processes import Process

ETCD_PORT = 2379


def make_certificates() -> None:
    """The authorities, and a certificate for each part of the control plane."""
    certificates.make_authorities()
    for identity in certificates.CONTROL_PLANE:
        certificates.make(identity)


def processes() -> list[Process]:
    """In the order of their start."""
    return [etcd(), api_server(), controller_manager(), scheduler()]


def etcd() -> Process:
    """On the loopback of the node's namespace, where only the control plane is."""
    client, peer = (f"http://127.0.0.1:{port}" for port in (ETCD_PORT, ETCD_PORT + 1))
    flags = {
        "name": node_name(1),
        "data-dir": DATA / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"{node_name(1)}={peer}",
        # A test cluster that loses its last second with the power is no loss; disks here are slow.
        "unsafe-no-fsync": "true",
    }
    return _process("etcd", flags)


def api_server() -> Process:
    server, kubelet, front = (
        certificates.API_SERVER,
        certificates.KUBELET_CLIENT,
        certificates.FRONT_PROXY,
    )
    flags = {
        "advertise-address": node_address(1),
        "secure-port": API_PORT,
        "etcd-servers": f"http://127.0.0.1:{ETCD_PORT}",
        "service-cluster-ip-range": SERVICE_NETWORK,
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "client-ca-file": AUTHORITY,
        "tls-cert-file": server.certificate,
        "tls-private-key-file": server.key,
        "kubelet-certificate-authority": AUTHORITY,
        "kubelet-client-certificate": kubelet.certificate,
        "kubelet-client-key": kubelet.key,
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": certificates.SERVICE_ACCOUNT_KEY,
        "service-account-signing-key-file": certificates.SERVICE_ACCOUNT_KEY,
        # What the aggregation layer needs, for metrics-server and KEDA.
        "requestheader-client-ca-file": FRONT_PROXY_AUTHORITY,
        "requestheader-allowed-names": front.user,
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": front.certificate,
        "proxy-client-key-file": front.key,
        "enable-aggregator-routing": "true",
    }
    return _process("kube-apiserver", flags)


def controller_manager() -> Process:
    kubeconfig = _kubeconfig(certificates.CONTROLLER_MANAGER)
    flags = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": node_address(1),
        "leader-elect": "false",
        "cluster-cidr": POD_NETWORK,
        "allocate-node-cidrs": "false",
        "cluster-signing-cert-file": AUTHORITY,
        "cluster-signing-key-file": AUTHORITY_KEY,
        "root-ca-file": AUTHORITY,
        "service-account-private-key-file": certificates.SERVICE_ACCOUNT_KEY,
        "use-service-account-credentials": "true",
    }
    return _process("kube-controller-manager", flags)


def scheduler() -> Process:
    kubeconfig = _kubeconfig(certificates.SCHEDULER)
    flags = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": node_address(1),
        "leader-elect": "false",
    }
    return _process("kube-scheduler", flags)


def _kubeconfig(identity: certificates.Identity) -> Path:
    return certificates.write_kubeconfig(identity, KUBECONFIGS / f"{identity.name}.json")


def _process(name: str, flags: dict[str, object]) -> Process:
    words = [f"--{flag}={value}" for flag, value in flags.items()]
    return Process(name, node_name(1), (str(program(name)), *words))
