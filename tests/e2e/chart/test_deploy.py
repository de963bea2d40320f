"""`make deploy`, and then the commands that it prints, as it prints them."""

import os
import re
import subprocess

import kubectl as k
import pytest

LAPTOP = k.ROOT / "tests" / "e2e" / "chart" / "laptop.yaml"


@pytest.fixture
def environment(tmp_path, namespace):
    """kubectl and helm by their names, as people have them, and a namespace for the release."""
    for name in ("kubectl", "helm"):
        (tmp_path / name).symlink_to(k.program(name))
    path = f"{tmp_path}:{os.environ['PATH']}"
    settings = {"KUBECONFIG": str(k.kubeconfig()), "NAMESPACE": namespace.name}
    return {**os.environ, "PATH": path, **settings}


def said(environment, *words):
    done = subprocess.run(
        words, cwd=k.ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def printed_commands(notes):
    """The indented lines; one that ends with a backslash goes on in the next."""
    joined = re.sub(r"\\\n\s+", " ", notes)
    return [line.strip() for line in joined.splitlines() if line.startswith("  ")]


def templates(environment):
    path = "jsonpath={.items[*].spec.template}"
    return said(environment, "kubectl", "-n", environment["NAMESPACE"], "get", "deploy", "-o", path)


def test_printed_commands_work_as_printed(environment, ports):
    notes = said(environment, "make", "deploy", f"VALUES={LAPTOP}")
    commands = printed_commands(notes)
    assert len(commands) >= 6
    lines = ["set -e", "trap 'kill $(jobs -p)' EXIT"]
    for command in commands:
        # Somebody who types sees that a port is forwarded before the next command.
        port = re.search(r" (\d+):\d+ &$", command)
        asking = "curl -so /dev/null --retry 60 --retry-delay 1 --retry-connrefused"
        lines += [command, f"{asking} localhost:{port[1]}" if port else "echo"]
    output = said(environment, "bash", "-c", "\n".join(lines))
    assert '"find-train"' in output
    assert '"gratitude"' in output
    assert "Phase:          Succeeded" in output
    words = ("helm", "upgrade", "nlpserve", "helm/nlpserve", "-n", environment["NAMESPACE"])
    said(environment, *words, "--reset-then-reuse-values", "--set", "defaults.limits.maxTexts=7")
    before = templates(environment)
    said(environment, "make", "deploy")
    assert (
        templates(environment) == before
    )  # what was set stays, and the same image changes nothing
    assert '{"name":"NLPSERVE_MAX_TEXTS","value":"7"}' in before
    assert ("nlpserve/image-archive" in before) != bool(os.environ.get("IMAGE"))
    said(environment, "helm", "uninstall", "nlpserve", "-n", environment["NAMESPACE"], "--wait")
