"""A real cluster, and a namespace of its own for each test."""

import os
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import kubectl as k
from chart_release import load

sys.path.insert(0, str(k.ROOT))

from k8s.local.proxy import with_direct
from nlpserve.locks import locked

WAIT_SECONDS = 1800
"""More than it takes to build an image from nothing, and to import it."""


@pytest.fixture(scope="session", autouse=True)
def cluster():
    """The cluster that KUBECONFIG names, else the local one. A missing cluster is a failure."""
    os.environ.update(with_direct())
    if not k.kubeconfig().exists():
        pytest.exit("no cluster: run `make cluster`, or let KUBECONFIG name one", returncode=3)
    try:
        k.until("an answer", lambda: k.kubectl("get", "--raw", "/readyz", timeout=15), 30)
    except k.Failed as error:
        pytest.exit(f"the cluster of {k.kubeconfig()} does not answer: {error}", returncode=3)


@pytest.fixture(scope="session")
def shared(tmp_path_factory, testrun_uid):
    """A folder that all processes of a run have."""
    folder = tmp_path_factory.getbasetemp().parent / testrun_uid
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def only_one(shared):
    """Waits until no other process of the run holds a thing of this name."""
    return lambda name: locked(shared / f"{name}.lock", WAIT_SECONDS, lambda: None)


@pytest.fixture(scope="session")
def load_once(tmp_path_factory, shared, only_one):
    """Brings a target's image to the cluster, one time for all processes of a run."""

    def load_once(target, *words):
        mark = shared / f"{target}.loaded"
        with only_one(target):
            if not mark.exists():
                load(target, tmp_path_factory.mktemp("image") / "archive.tar", *words)
                mark.touch()

    return load_once


@pytest.fixture(scope="session")
def server_image(load_once):
    """The service's image, in the cluster."""
    load_once("image")


@pytest.fixture(scope="session")
def load_image(load_once):
    """That of load tests."""
    load_once("load-image")


@pytest.fixture
def namespace(request):
    """A new namespace in which only restricted pods are admitted; gone after the test."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40]
    with k.new_namespace(words) as space:
        yield space
