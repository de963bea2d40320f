"""What the pipeline does to a cluster that is there; make and python3 are stand-ins."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNS, HALF_DEAD, NONE = 0, 1, 3


@pytest.fixture
def pipeline(tmp_path):
    """Runs it beside a cluster in that state; its outcome and the targets that were made."""
    log = tmp_path / "log"

    def run(state, *, make="", **variables):
        log.write_text("", encoding="ascii")
        for name, text in (("make", f'echo "$*" >>"{log}"; {make}'), ("python3", f"exit {state}")):
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
            program.chmod(0o755)
        environment = {name: text for name, text in os.environ.items() if name != "CI"}
        environment |= {"PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
        command = [ROOT / ".ci" / "run"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done, log.read_text(encoding="ascii").splitlines()

    return run


def test_without_a_cluster_everything_is_made_and_the_cluster_removed(pipeline):
    done, targets = pipeline(NONE)
    assert done.returncode == 0
    assert done.stderr == ""
    assert targets[0] == targets[-1] == "cluster-down"
    assert targets.index("test") < targets.index("cluster") < targets.index("e2e")


@pytest.mark.parametrize("state", [RUNS, HALF_DEAD])
def test_a_cluster_that_is_there_is_left_alone(pipeline, state):
    done, targets = pipeline(state)
    assert done.returncode == 1
    assert targets == []
    assert "`make cluster-down`, or let `CI=true make ci` do so" in done.stderr


def test_where_ci_is_set_it_goes_with_a_word(pipeline):
    done, targets = pipeline(RUNS, CI="true")
    assert done.returncode == 0
    assert "Removing the local cluster of this machine" in done.stderr
    assert targets[0] == "cluster-down"


def test_a_signal_takes_the_cluster_away(pipeline):
    done, targets = pipeline(NONE, make='[ "$1" != test ] || kill -TERM $PPID')
    assert done.returncode == 130
    assert targets == ["cluster-down", "test", "cluster-down"]
