"""Promises of the image that need no engine."""

import re
import tomllib
from pathlib import Path

import nlpserve
from bento.image.build import PUBLIC_BASE, TIME
from bento.image.inputs import CONTAINERFILE, IGNORE, selection
from bento.image.stage import TIME as STAGE_TIME

ROOT = Path(__file__).parents[2]


def instructions() -> list[list[str]]:
    """The Containerfile's, each as its word and the rest, lines joined, comments left out."""
    text = re.sub(r"^#.*\n", "", CONTAINERFILE.read_text(encoding="utf-8"), flags=re.M)
    lines = text.replace("\\\n", " ").splitlines()
    return [line.split(maxsplit=1) for line in lines if line.strip()]


def final_stage() -> list[list[str]]:
    words = instructions()
    return words[max(n for n, (word, _) in enumerate(words) if word == "FROM") :]


def test_every_file_that_is_copied_exists_and_is_in_the_context():
    context = {path.as_posix() for path in selection(IGNORE.read_text()).files(ROOT)}
    copied = [rest.split()[:-1] for word, rest in instructions() if word == "COPY"]
    sources = [name for names in copied if not names[0].startswith("--") for name in names]
    assert "bento" in sources
    missing = [n for n in sources if n not in context and not (ROOT / n).is_dir()]
    assert missing == []


def test_the_context_holds_only_what_is_needed():
    context = {path.as_posix() for path in selection(IGNORE.read_text()).files(ROOT)}
    tops = {name.split("/")[0] for name in context}
    assert tops == {"LICENSE", "NOTICE", "bento", "nlpserve", "requirements"}
    assert {n for n in context if n.startswith("bento/train/") or n.endswith(".pyc")} == set()
    assert {n for n in context if n.startswith("requirements/")} == {
        "requirements/sbom.txt", "requirements/serve.txt",
    }  # fmt: skip


def test_every_model_has_a_layer_of_its_own():
    layers = [rest.split()[1] for word, rest in final_stage() if word == "COPY"]
    models = {f"/stage/model-{path.name}" for path in (ROOT / "bento/models").iterdir()}
    assert {name for name in layers if name.startswith("/stage/model-")} == models
    assert layers[:2] == ["/stage/environment", "/stage/code"]


def test_the_final_stage_runs_nothing_and_only_copies_what_was_staged():
    words = [word for word, _ in final_stage()]
    assert "RUN" not in words
    assert "ADD" not in words
    copied = [rest for word, rest in final_stage() if word == "COPY"]
    assert len(copied) > 3
    assert [rest for rest in copied if not re.fullmatch(r"--from=\w+ /stage/[\w-]+ /", rest)] == []


def test_it_runs_as_nobody_with_signals_to_python():
    last = dict(final_stage())
    assert last["USER"] == "10001:10001"
    assert last["WORKDIR"] == "/app"
    assert last["ENTRYPOINT"].startswith('["python", "-m", "bento.serve"')  # no shell between
    assert "CMD" not in last


def test_pip_takes_the_lock_and_leaves_no_cache():
    (install,) = [rest for word, rest in instructions() if word == "RUN" and "pip" in rest]
    for option in ("--require-hashes", "--only-binary :all:", "type=cache,target=/var/cache/pip"):
        assert option in install
    assert "/build/serve.txt" in install


def test_the_public_base_is_said_once():
    (base,) = [rest for word, rest in instructions() if word == "ARG"]
    assert base == f"BASE={PUBLIC_BASE}"
    assert all(
        rest.startswith(("${BASE}", "environment"))
        for word, rest in instructions()
        if word == "FROM"
    )


def test_the_version_has_one_source():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "nlpserve.__version__"}
    holders = [
        path
        for folder in ("bento", "nlpserve")
        for path in (ROOT / folder).rglob("*.py")
        if f'"{nlpserve.__version__}"' in path.read_text(encoding="utf-8")
    ]
    assert holders == [ROOT / "nlpserve/__init__.py"]
    assert nlpserve.__version__ not in CONTAINERFILE.read_text(encoding="utf-8")


def test_both_ways_to_settle_files_agree_on_the_time():
    assert TIME == STAGE_TIME
