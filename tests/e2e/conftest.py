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


@pytest.fixture(scope="session", autouse=True)
def cluster():
    """The cluster that KUBECONFIG names, else the local one. A missing cluster is a failure."""
    os.environ.update(with_direct())
    if not k.kubeconfig().exists():
        pytest.exit("no cluster: run `make cluster`, or let KUBECONFIG name one", returncode=3)
    try:
        k.kubectl("get", "--raw", "/readyz", timeout=15)
    except (k.Failed, TimeoutError) as error:
        pytest.exit(f"the cluster of {k.kubeconfig()} does not answer: {error}", returncode=3)


@pytest.fixture(scope="session")
def server_image(tmp_path_factory):
    """The service's image, in the cluster."""
    load("image", tmp_path_factory.mktemp("image") / "server.tar")


@pytest.fixture(scope="session")
def load_image(tmp_path_factory):
    """That of load tests."""
    load("load-image", tmp_path_factory.mktemp("image") / "load.tar")


@pytest.fixture
def namespace(request):
    """A new namespace in which only restricted pods are admitted; gone after the test."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40]
    with k.new_namespace(words) as space:
        yield space
