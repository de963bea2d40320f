"""The unit tests that lie in the chart, run by helm-unittest."""

import re
import tarfile

from tests.chart.rendering import CHART, program, run

SUITES = sorted((CHART / "tests").glob("*_test.yaml"))
# Drawn in by every template, and tested with them.
SHARED = re.compile(r"_.*\.tpl")


def test_every_template_does_what_its_suite_says():
    done = run([program("helm-unittest"), CHART])
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(SUITES)} passed, {len(SUITES)} total" in done.stdout


def test_every_template_has_a_suite():
    tested = {
        name
        for suite in SUITES
        for name in re.findall(r"templates/([\w./-]+)", suite.read_text("utf-8"))
    }
    folder = CHART / "templates"
    templates = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not SHARED.fullmatch(path.name)
    }
    assert tested == templates


def test_every_check_is_made_to_fail():
    """The suite expects each sentence, or enough of it to tell it from the others."""
    source = (CHART / "templates" / "_checks.tpl").read_text("utf-8")
    sentences = re.findall(r"^(?!\{\{)(.+: .+)$", source, re.M)
    sentences += re.findall(r'fail "(.*?)"', source)
    suite = (CHART / "tests" / "checks_test.yaml").read_text("utf-8").replace("\\", "")
    expected = "\n".join(line for line in suite.splitlines() if "errorPattern" in line)
    assert len(sentences) > 20
    assert [text for text in sentences if not any(part in expected for part in parts(text))] == []


def parts(sentence: str, length: int = 18) -> set[str]:
    """Every piece of this length of what is always there in the sentence."""
    fixed = re.split(r"\{\{.*?\}\}", sentence)
    return {text[i : i + length] for text in fixed for i in range(len(text) - length + 1)}


def test_the_package_holds_the_chart_and_not_its_tests(tmp_path):
    done = run([program("helm"), "package", CHART, "--destination", tmp_path])
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as opened:
        names = {name.removeprefix("nlpserve/") for name in opened.getnames()}
    assert {"Chart.yaml", "values.yaml", "values.schema.json", "README.md"} <= names
    assert "templates/tests/model-pod.yaml" in names
    assert [name for name in names if name.startswith(("tests/", "ci/"))] == []


def test_the_packaged_chart_renders(tmp_path):
    run([program("helm"), "package", CHART, "--destination", tmp_path])
    (archive,) = tmp_path.glob("*.tgz")
    done = run([program("helm"), "template", "release", archive])
    assert done.returncode == 0, done.stderr
    assert "kind: Deployment" in done.stdout
    assert "bento.check" in done.stdout
