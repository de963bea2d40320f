"""Runs other programs; every call is bounded in time."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from k8s.local.errors import ClusterError

Argument = str | Path


def run(
    command: Sequence[Argument],
    *,
    timeout: float = 60,
    feed: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """Its standard output. Raises ClusterError with what it said, or that it took too long."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            input=feed,
            timeout=timeout,
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"{words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"{' '.join(words[:6])} … took over {timeout:.0f} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise ClusterError(f"{' '.join(words[:6])} … failed ({done.returncode}): {said}")
    return done.stdout


def inside(namespace: str) -> list[str]:
    """The words that run a command in a network namespace.

    Not `ip netns exec`: that mounts /sys anew and hides the cgroups from the kubelet.
    """
    return ["nsenter", f"--net=/run/netns/{namespace}", "--"]
