"""Which programs k8s/deploy and k8s/load use on which cluster; all of them are stand-ins."""

import shutil
import subprocess

import pytest

from k8s.local.places import PROJECT, api_server

SYSTEM = "/usr/bin:/bin"
STAND_IN = """#!/bin/sh
echo "{name} ${{HTTPS_PROXY:-direct}} $*" >>"{log}"
case "$*" in
"config current-context") echo "{context}" ;;
"config view "*) echo "{server}" ;;
"version --short") echo "{version}" ;;
"-m k8s.local tool "*) echo "{pinned}/$4" ;;
esac
"""


@pytest.fixture
def bench(tmp_path):
    """Runs a command with stand-ins on PATH; their calls, in order, and what was said."""
    own, pinned, log = tmp_path / "own", tmp_path / "pinned", tmp_path / "log"
    archive = tmp_path / "image.tar"
    archive.write_bytes(b"an image")

    def run(command, context, *, installed=("kubectl", "helm", "kind"), server=None, **variables):
        server = server or (api_server() if context == "nlpserve" else "https://api.example")
        log.write_text("", encoding="ascii")
        for folder, names in ((own, ("python3", *installed)), (pinned, ("kubectl", "helm"))):
            folder.mkdir()
            for name in names:
                label = f"pinned-{name}" if folder == pinned else name
                version = "v4.3.1" if folder == pinned else "v3.18.0"
                text = STAND_IN.format(
                    name=label, log=log, context=context, version=version, pinned=pinned,
                    server=server,
                )  # fmt: skip
                (folder / name).write_text(text, encoding="ascii")
                (folder / name).chmod(0o755)
        environment = {"PATH": f"{own}:{SYSTEM}", "HOME": str(tmp_path), **variables}
        environment.setdefault("KUBECONFIG", str(tmp_path / "kubeconfig"))
        words = [PROJECT / "k8s" / command, archive]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        return log.read_text(encoding="ascii").splitlines(), done

    run.archive = archive
    return run


def upgrade(calls):
    (found,) = [line for line in calls if " upgrade --install " in line]
    return found


def test_the_local_cluster_gets_the_pinned_helm_past_the_proxy(bench):
    calls, done = bench("deploy", "nlpserve", HTTPS_PROXY="http://proxy.example")
    assert done.returncode == 0
    assert f"python3 http://proxy.example -m k8s.local load {bench.archive}" in calls
    assert "python3 http://proxy.example -m k8s.local tool helm" in calls
    assert upgrade(calls).startswith("pinned-helm direct ")
    assert "context nlpserve, with Helm v4.3.1" in done.stderr


def test_an_archive_is_deployed_whatever_image_was_set_before(bench):
    calls, _ = bench("deploy", "nlpserve")
    image = "image.repository=localhost/nlpserve,image.tag=,image.digest="
    assert f"--set-string {image} " in upgrade(calls) + " "


def test_a_cluster_is_not_the_local_one_by_its_name(bench):
    calls, done = bench("load", "nlpserve", server="https://api.example")
    assert done.returncode == 1
    assert "context nlpserve has to pull" in done.stderr
    assert not [line for line in calls if "k8s.local load" in line]


def test_another_cluster_gets_the_helm_that_is_there(bench):
    variables = {
        "IMAGE": "registry.example:5000/nlpserve:1.2",
        "HTTPS_PROXY": "http://proxy.example",
    }
    calls, done = bench("deploy", "cloud", **variables)
    assert done.returncode == 0
    assert not [line for line in calls if line.startswith(("python3", "pinned"))]
    helm = upgrade(calls)
    assert helm.startswith("helm http://proxy.example ")
    image = "image.repository=registry.example:5000/nlpserve,image.tag=1.2,image.digest="
    assert f"--set-string {image} " in helm + " "
    assert "image-archive" not in helm
    assert "context cloud, with Helm v3.18.0" in done.stderr


@pytest.mark.skipif(
    shutil.which("helm", path=SYSTEM) is not None,
    reason="Helm is installed where it cannot be hidden",
)
def test_where_no_helm_is_there_the_pinned_one_is_built(bench):
    calls, _ = bench("deploy", "cloud", installed=("kubectl",), IMAGE="registry.example/nlpserve:1")
    assert "python3 direct -m k8s.local tool helm" in calls
    assert upgrade(calls).startswith("pinned-helm ")


def test_kind_is_given_the_archive(bench):
    calls, done = bench("deploy", "kind-mine")
    assert done.returncode == 0
    assert f"kind direct load image-archive {bench.archive} --name mine" in calls
    assert "defaults.podAnnotations.nlpserve/image-archive=" in upgrade(calls)


@pytest.mark.parametrize("command", ["deploy", "load"])
def test_a_cluster_that_has_to_pull_says_so(bench, command):
    calls, done = bench(command, "cloud")
    assert done.returncode == 1
    assert "push it to your registry and say IMAGE=repository:tag" in done.stderr
    assert not [line for line in calls if "upgrade" in line or "load" in line]


def test_the_local_clusters_address_is_said_twice_alike():
    text = (PROJECT / "k8s" / "cluster-at-hand.sh").read_text(encoding="utf-8")
    assert f"\nlocal_server={api_server()} " in text
