"""The add-ons on a cluster that is not ours: kind, minikube, k3s, a cloud's."""

from collections.abc import Sequence

from k8s.local import addons
from k8s.local.notes import note
from k8s.local.places import ADDONS
from k8s.local.shell import Argument, run


def install(names: Sequence[str], flags: Sequence[Argument] = ()) -> None:
    """With the kubectl on PATH and its current context; `flags` may say another."""
    apply(names, flags)
    wait(names, flags)


def apply(names: Sequence[str], flags: Sequence[Argument]) -> None:
    addons.fetch_upstream(names)
    for name in names:
        note(f"installing {name}")
        run(["kubectl", *flags, "apply", "--server-side", "-k", ADDONS / name], timeout=120)


def wait(names: Sequence[str], flags: Sequence[Argument]) -> None:
    """Until their Deployments are available; their images may have to come from far."""
    for name in names:
        words = ["--for=condition=Available", "deployment", "--all", "--timeout=300s"]
        run(["kubectl", *flags, "wait", "-n", addons.NAMESPACES[name], *words], timeout=310)
