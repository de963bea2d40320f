"""python3 -m k8s.local: a real Kubernetes on this machine; see docs/local-cluster.md."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from k8s.local import (
    addons,
    build,
    cluster,
    containers,
    images,
    kind,
    network,
    ordinary,
    preflight,
    status,
)
from k8s.local.components import ALL, owner_of
from k8s.local.errors import ClusterError
from k8s.local.places import MOST_NODES


def main() -> int:
    """0 when it worked, 1 when it did not.

    `status`: 1 when something does not run, 3 when there is no cluster.
    """
    parser = argparse.ArgumentParser(prog="python3 -m k8s.local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, action: Callable[[argparse.Namespace], int | None], text: str):  # type: ignore[no-untyped-def] # noqa: ANN202
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(action=action)
        return added

    up = command("up", _up, "build what is missing and start; what runs already stays")
    up.add_argument("--nodes", type=_node_count, default=1, metavar="N", help="how many nodes (1)")
    up.add_argument("--provider", type=_provider, default="", help="kind: let kind make it")
    down = command("down", _down, "remove it and everything it made but the cache")
    down.add_argument("--provider", type=_provider, default="")
    command("status", lambda _: status.show(), "what runs, versions, memory, last errors")
    command("build", _build, "build every program and image into the cache, and start nothing")
    tool = command("tool", _tool, "print the path of a built program, such as helm or promtool")
    tool.add_argument("program")
    load = command("load", lambda given: containers.load(given.archive), "an image into every node")
    load.add_argument("archive", type=Path)
    extra = command("addons", _addons, "install add-ons on the cluster that KUBECONFIG names")
    for each in (up, extra):
        each.add_argument("--addons", type=_addon_names, default=list(addons.NAMES))
    for name, plugged in (("unplug", False), ("plug", True)):
        cable = command(name, _cable, f"{name} a node's network cable")
        cable.add_argument("node", type=int)
        cable.set_defaults(plugged=plugged)
    given = parser.parse_args()
    try:
        return given.action(given) or 0
    except (ClusterError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _node_count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_NODES:
        raise argparse.ArgumentTypeError(f"from 1 to {MOST_NODES} nodes, not {text}")
    return int(text)


def _addon_names(text: str) -> list[str]:
    names = [] if text == "none" else text.split()
    if unknown := [name for name in names if name not in addons.NAMES]:
        known = " ".join(addons.NAMES)
        raise argparse.ArgumentTypeError(f"{unknown[0]} is not among: {known}; or none")
    return names


def _provider(text: str) -> str:
    if text not in ("", "kind"):
        raise argparse.ArgumentTypeError(f"kind, or nothing for our own; not {text}")
    return text


def _up(given: argparse.Namespace) -> None:
    if given.provider:
        kind.up(given.nodes, given.addons)
    else:
        cluster.up(given.nodes, given.addons)


def _down(given: argparse.Namespace) -> None:
    if given.provider:
        kind.down()
    else:
        cluster.down()


def _build(_: argparse.Namespace) -> None:
    preflight.check(ALL)
    preflight.install_packages()
    build.build(ALL)
    images.build(images.needed(addons.NAMES))


def _tool(given: argparse.Namespace) -> None:
    component = owner_of(given.program)
    if component is None:
        names = sorted(name for item in ALL for name in item.programs)
        raise ClusterError(f"{given.program} is not among: {', '.join(names)}")
    build.build([component])
    print(build.program(given.program))


def _addons(given: argparse.Namespace) -> None:
    ordinary.install(given.addons)


def _cable(given: argparse.Namespace) -> None:
    network.set_cable(given.node, plugged=given.plugged)


if __name__ == "__main__":
    sys.exit(main())
