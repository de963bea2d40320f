"""The README's example calls give the answers that it shows."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
ADDRESS = "http://localhost:3000"
CLOSE = 0.02
"""Processors without 8-bit dot products round a little differently."""


def examples():
    """(command, answer) of each console block's entries."""
    for block in re.findall(r"```console\n(.*?)```", README.read_text(encoding="utf-8"), re.S):
        for entry in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, answer = entry.partition("\n")
            yield command, answer.strip()


def same(found, shown) -> bool:
    if isinstance(shown, dict):
        return found.keys() == shown.keys() and all(same(found[key], shown[key]) for key in shown)
    if isinstance(shown, list):
        return len(found) == len(shown) and all(map(same, found, shown))
    if isinstance(shown, float):
        return abs(found - shown) <= CLOSE
    return found == shown


def test_there_are_examples():
    assert len(list(examples())) >= 3


@pytest.mark.parametrize(("command", "answer"), list(examples()))
def test_the_example_answers_as_shown(server, command, answer):
    arguments = shlex.split(command.replace(ADDRESS, server.url))
    assert arguments[0] == "curl"
    run = subprocess.run(
        [*arguments, "--silent", "--max-time", "20"], capture_output=True, check=True, text=True
    )
    assert same(json.loads(run.stdout), json.loads(answer)), run.stdout
