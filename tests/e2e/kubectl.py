"""kubectl as the end-to-end tests use it: bounded in time, and what fails says why."""

import json
import os
import subprocess
import time
import uuid
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCAL_KUBECONFIG = ROOT / ".cluster" / "kubeconfig"
LOCAL_CONTEXT = "nlpserve"


class Failed(AssertionError):
    """A command did not succeed, or something did not come in time."""


def kubeconfig():
    """KUBECONFIG, or the local cluster's."""
    return Path(os.environ.get("KUBECONFIG") or LOCAL_KUBECONFIG)


@cache
def program(name):
    """The pinned program's path; built once where it has never been needed."""
    command = ["python3", "-m", "k8s.local", "tool", name]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@cache
def is_local():
    """Whether the cluster is the one of k8s/local, which tests may kill and remove.

    kind's kubeconfig comes to lie in the same place.
    """
    if not LOCAL_KUBECONFIG.exists() or not kubeconfig().exists():
        return False
    return context() == LOCAL_CONTEXT and view(kubeconfig()) == view(LOCAL_KUBECONFIG)


@cache
def context():
    """The name of the current context; empty where there is none."""
    return view(kubeconfig())[0] if kubeconfig().exists() else ""


def view(path):
    """A kubeconfig's current context and the address of its cluster."""
    command = [program("kubectl"), "--kubeconfig", str(path), "config", "view", "--minify", "-o"]
    words = ["jsonpath={.current-context} {.clusters[0].cluster.server}"]
    said = subprocess.run(
        [*command, *words], capture_output=True, text=True, timeout=30, check=True
    ).stdout
    name, _, address = said.partition(" ")
    return name, address


def kubectl(*words, feed=None, timeout=60):
    """Its standard output."""
    command = [program("kubectl"), "--kubeconfig", str(kubeconfig()), *map(str, words)]
    said = f"kubectl {' '.join(map(str, words))}"
    try:
        done = subprocess.run(
            command, input=feed, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{said}: no end after {timeout} s") from None
    if done.returncode:
        raise Failed(f"{said}: {done.stderr.strip()}")
    return done.stdout


def until(what, check, seconds=60):
    """What `check` returns once it is true; one that fails is asked again."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = check()
        except AssertionError as error:
            last = error
        else:
            if last:
                return last
        time.sleep(0.5)
    raise Failed(f"{what} did not come within {seconds} s; last: {last}")


class Namespace:
    """One test's namespace."""

    def __init__(self, name):
        self.name = name

    def kubectl(self, *words, **options):
        return kubectl("-n", self.name, *words, **options)

    def apply(self, *objects):
        content = {"apiVersion": "v1", "kind": "List", "items": objects}
        self.kubectl("apply", "-f", "-", feed=json.dumps(content))

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def wait(self, what, condition, seconds=90):
        words = (f"--for=condition={condition}", f"--timeout={seconds}s")
        try:
            return self.kubectl("wait", what, *words, timeout=seconds + 10)
        except Failed as error:
            events = self.kubectl("get", "events", "--sort-by=.lastTimestamp")
            raise Failed(f"{error}\nevents:\n{events[-3000:]}") from None

    def run(self, pod, *command, timeout=30):
        """A command in a running pod."""
        return self.kubectl("exec", pod, "--", *command, timeout=timeout)

    def ready_pods(self, selector):
        pods = self.get("pods", "-l", selector)["items"]
        return [
            pod
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"]
            and any(
                item["type"] == "Ready" and item["status"] == "True"
                for item in pod["status"].get("conditions", ())
            )
        ]


@contextmanager
def new_namespace(words):
    """One in which only restricted pods are admitted; gone afterwards."""
    name = f"{words}-{uuid.uuid4().hex[:6]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted", "nlpserve-test": "true"}
    space = Namespace(name)
    metadata = {"name": name, "labels": labels}
    space.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    try:
        # Pods are refused until then.
        until("its account", lambda: space.get("serviceaccount", "default"))
        yield space
    finally:
        kubectl("delete", "namespace", name, "--wait=false")
