"""Promises of the load tests' image that need no engine."""

from pathlib import Path

from bento.image.build import LOAD, PUBLIC_BASE
from bento.image.engines import Engine, Recipe
from bento.image.inputs import selection

ROOT = Path(__file__).parents[2]


def context():
    return {path.as_posix() for path in selection(LOAD.ignore.read_text()).files(ROOT)}


def instructions(word):
    text = LOAD.containerfile.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split()[1:] for line in text.splitlines() if line.startswith(f"{word} ")]


def test_it_holds_nothing_of_the_service():
    tops = {name.split("/")[0] for name in context()}
    assert tops == {"LICENSE", "NOTICE", "bento", "loadtest", "nlpserve", "requirements"}
    assert {n for n in context() if n.startswith("bento/")} == {"bento/image/stage.py"}
    assert {n for n in context() if n.startswith("requirements/")} == {
        "requirements/load-image.txt"
    }


def test_every_file_that_is_copied_is_in_the_context():
    copied = [words[:-1] for words in instructions("COPY") if not words[0].startswith("--")]
    sources = [name for names in copied for name in names]
    assert "loadtest" in sources
    missing = [n for n in sources if n not in context() and not (ROOT / n).is_dir()]
    assert missing == []


def test_it_has_the_same_base_and_runs_as_nobody():
    assert instructions("ARG") == [[f"BASE={PUBLIC_BASE}"]]
    assert instructions("USER") == [["10001:10001"]]


def test_engines_are_told_which_files_to_leave_out():
    recipe = Recipe(LOAD.image, ROOT, LOAD.containerfile, ignore=LOAD.ignore)
    for name in ("podman", "buildah"):
        command = Engine(name, (name,)).build_command(recipe)
        assert command[command.index("--ignorefile") + 1] == str(LOAD.ignore)
    # docker has no such option and looks for this name.
    assert "--ignorefile" not in Engine("docker", ("docker",)).build_command(recipe)
    assert LOAD.ignore.name == f"{LOAD.containerfile.name}.dockerignore"
