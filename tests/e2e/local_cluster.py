"""The commands of k8s/local, as a person gives them."""

import subprocess

import kubectl as k

from k8s.local.cluster import LONGEST_CHANGE


def local(*words, timeout=LONGEST_CHANGE, check=True):
    command = ["python3", "-m", "k8s.local", *words]
    done = subprocess.run(
        command, cwd=k.ROOT, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done
