"""What cannot be served ends the start with one clear line, and no worker that tries again."""

import shutil
import subprocess
import time
from dataclasses import dataclass

import pytest

from tests.service.conftest import TOPICS
from tests.service.harness import (
    BENTOML,
    LAUNCHERS,
    OWN,
    ROOT,
    environment,
    free_port,
    serve_command,
    write_manifest,
)

AT_ONCE_SECONDS = 60.0
"""Bounds a test on a busy machine; the start itself takes about as long as BentoML's import."""


@dataclass
class Ended:
    code: int
    output: str

    @property
    def own_lines(self) -> list[str]:
        return [line for line in self.output.splitlines() if "nlpserve: " in line]


@pytest.fixture(scope="module")
def cases(tmp_path_factory, topics):
    """Settings of each start that must fail, and words of its line."""
    folder = tmp_path_factory.mktemp("starts")

    def copy(name):
        return shutil.copytree(topics, folder / name)

    changed = copy("changed")
    (changed / "pipeline" / "meta.json").write_text("{}", encoding="utf-8")
    without = copy("without")
    (without / "pipeline" / "tokenizer").unlink()
    kind = copy("kind")
    manifest = kind / "manifest.json"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace('"spacy"', '"pickle"'), encoding="utf-8"
    )
    broken = copy("broken")
    (broken / "pipeline" / "config.cfg").write_text("[nlp]\n", encoding="utf-8")
    write_manifest(broken, "topics", TOPICS)
    (folder / "empty-keys").write_text("\n", encoding="utf-8")
    (folder / "settings.toml").write_text('queue_limit = "many"\n', encoding="utf-8")
    good = f"topics={topics}"
    return {
        "no folder": ({"models": "topics=/nowhere/at/all"}, "has no manifest.json"),
        "a changed file": ({"models": f"topics={changed}"}, "does not have the sha256"),
        "a missing file": ({"models": f"topics={without}"}, "is missing"),
        "an unknown kind": ({"models": f"topics={kind}"}, "kind"),
        "no such shipped model": ({"models": "weather"}, "has no manifest.json"),
        "a wrong value": ({"models": good, "max_texts": "many"}, "NLPSERVE_MAX_TEXTS"),
        "values that do not fit": ({"models": good, "queue_limit": "10"}, "queue_limit"),
        "an unknown setting": ({"models": good, "max_text": "1"}, "NLPSERVE_MAX_TEXT:"),
        "a wrong file": (
            {"models": good, "settings_file": str(folder / "settings.toml")},
            "NLPSERVE_QUEUE_LIMIT",
        ),
        "no key file": ({"models": good, "api_keys_file": str(folder / "none")}, "No such file"),
        "an empty key file": (
            {"models": good, "api_keys_file": str(folder / "empty-keys")}, "holds no key"
        ),
        "hash without a key": (
            {"models": good, "predictions_log": "hash"}, "needs predictions_log_key"
        ),
        "a pipeline that does not load": ({"models": f"topics={broken}"}, "no spaCy pipeline"),
        "a log that cannot be opened": (
            {
                "models": good,
                "predictions_log": "text",
                "predictions_log_file": str(folder / "none" / "predictions.txt"),
            },
            "No such file",
        ),
    }  # fmt: skip


LATE = ("a pipeline that does not load", "a log that cannot be opened")
"""Found only when the models load: BentoML's supervisor sees its worker's end seconds later."""
TRIED_WITH_BENTOML = ("a changed file", "a wrong value", "no key file")
AT_A_TIME = 4


@pytest.fixture(scope="module")
def ended(cases, tmp_path_factory):
    """All of them with our launcher, some with BentoML's too; a few at a time."""
    folder = tmp_path_factory.mktemp("ended")
    results: dict[tuple[str, str], Ended] = {}
    waiting = [(BENTOML, name) for name in (*LATE, *TRIED_WITH_BENTOML)]
    waiting += [(OWN, name) for name in cases]
    running: dict[tuple[str, str], tuple[subprocess.Popen[bytes], float]] = {}
    while waiting or running:
        while waiting and len(running) < AT_A_TIME:
            launcher, name = key = waiting.pop(0)
            with (folder / f"{launcher} {name}").open("wb") as output:
                process = subprocess.Popen(
                    serve_command(free_port(), launcher),
                    cwd=ROOT,
                    env=environment(folder / "bentoml", cases[name][0]),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            running[key] = process, time.monotonic() + AT_ONCE_SECONDS
        for key, (process, deadline) in [*running.items()]:
            if process.poll() is None and time.monotonic() > deadline:
                process.terminate()
                process.wait(30)
                results[key] = Ended(0, "It went on and on.")
                del running[key]
            elif process.poll() is not None:
                text = (folder / " ".join(key)).read_text(encoding="utf-8", errors="replace")
                results[key] = Ended(process.returncode, text)
                del running[key]
        time.sleep(0.05)
    return results


def test_every_start_fails_with_one_clear_line(cases, ended):
    assert {launcher for launcher, _ in ended} == set(LAUNCHERS)
    for (launcher, name), result in ended.items():
        told = f"{launcher}, {name}, code {result.code}: {result.output}"
        assert result.code in (1, 3), told  # 3 is uvicorn's for an application that did not start
        assert len(set(map(_without_time, result.own_lines))) == 1, told
        assert cases[name][1] in result.own_lines[0], told
        assert "Traceback" not in result.output, told


def test_what_can_be_known_before_is_all_that_is_printed(ended):
    for (_, name), result in ended.items():
        if name not in LATE:
            assert result.output.strip() == result.own_lines[0].strip(), name
            assert result.code == 1


def _without_time(line: str) -> str:
    return line[line.index("nlpserve: ") :]
