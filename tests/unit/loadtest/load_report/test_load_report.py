import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from loadtest.cli import app
from loadtest.load_report import command, facts, tables, words
from loadtest.load_report.figures import VARIABLES, WIDE, over_time
from loadtest.load_report.junit import junit
from loadtest.load_report.markdown import markdown, scenario
from loadtest.load_report.page import page
from loadtest.load_report.timeline import MOST_POINTS, timeline
from loadtest.spec import SpecError
from nlpserve.load_results import Verdict
from nlpserve.load_scenarios import Scenario
from nlpserve.load_tests import LoadTestResult, Reason, ReasonCode, Second


def never_ran(sample):
    whole = sample()
    return LoadTestResult(
        version="0", commit="c", run="r", started="2026-01-01T00:00:00+00:00", seconds=3,
        verdict=Verdict.INVALID, scenario=whole.scenario, load_image="i",
        reasons=[Reason(code=ReasonCode.UNREACHABLE, text="nobody <answers>")],
    )  # fmt: skip


@pytest.mark.parametrize("verdict", list(Verdict))
def test_verdict_and_reasons_come_before_anything_else(sample, verdict):
    result = sample(verdict=verdict, stall=verdict is Verdict.FAIL)
    html, text = page(result), markdown(result)
    head = html[html.index("<body") : html.index("<h2>")]
    assert f'<span class="verdict">{verdict}</span>' in head
    assert text.startswith(f"# sample: {verdict}\n")
    for reason in result.reasons:
        assert reason.text in head
        assert f"- {reason.text}" in text[: text.index("## ")]


def test_the_page_needs_nothing_from_anywhere(sample):
    html = page(sample())
    assert not re.search(r"<script|<link|@import|\bsrc=|url\((?!#|data:)", html)
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    addresses = set(re.findall(r"https?://[^\s\"'<]+", html))
    target = "http://nlpserve-intent.nlpserve:80"
    assert {a for a in addresses if not a.startswith((target, "http://prometheus."))} <= names
    assert all(ref.startswith(("#", "data:")) for ref in re.findall(r'href="([^"]*)"', html))


def test_two_figures_share_no_names_and_take_the_pages_colours(sample):
    html = page(sample(open_model=True, stall=True))
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids)) > 100
    assert not [colour for colour in VARIABLES if colour in html]
    used = set(re.findall(r"url\(#([^)]+)\)", html)) | set(re.findall(r'href="#([^"]+)"', html))
    assert used <= set(ids)


def test_what_comes_from_outside_is_text(sample):
    result = never_ran(sample)
    html = page(result)
    assert "nobody &lt;answers&gt;" in html
    assert "A &lt;made-up&gt; run." in html
    assert "<svg" not in html
    assert "unreachable" in html


def test_the_same_result_gives_the_same_files(sample):
    assert page(sample()) == page(sample())


def test_plots_are_there_when_their_data_is(sample):
    whole = over_time(sample(), WIDE)
    for title in ("Requests a second", "heat map", "Pods of the target", "CPU of each pod",
                  "Wait in the queue", "Texts in a batch", "Open sockets"):  # fmt: skip
        assert title in whole
    bare = sample().model_copy(update={"prometheus": [], "replicas": []})
    assert "CPU of each pod" not in over_time(bare, WIDE)
    assert "Prometheus gave nothing" in page(bare)


def test_omitted_waiting_is_shown(sample):
    rows = {row[0]: row for row in tables.latency(sample(open_model=True, stall=True)).rows}
    (_, intended, sent, hidden) = rows["p99"]
    assert (intended, sent, hidden) == ("982 ms", "64.4 ms", "917 ms")


def cases(result):
    suite = ElementTree.fromstring(junit(result))
    return suite.attrib, {
        case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")
    }


def test_junit_says_pass_fail_and_invalid(sample):
    counts, found = cases(sample())
    assert set(map(tuple, found.values())) == {()}
    assert (counts["tests"], counts["failures"], counts["errors"]) == ("3", "0", "0")
    counts, found = cases(sample(verdict=Verdict.FAIL, stall=True))
    assert found["p99"] == ["failure"]
    assert (counts["failures"], counts["errors"]) == ("1", "0")
    counts, found = cases(sample(verdict=Verdict.INVALID))
    assert found["the run can tell"] == ["error"]
    assert found["p99"] == ["skipped"]
    assert (counts["failures"], counts["errors"], counts["skipped"]) == ("0", "1", "2")


def test_a_fail_without_a_missed_objective_is_a_failure_all_the_same(sample):
    odd = sample().model_copy(update={"verdict": Verdict.FAIL})
    counts, found = cases(odd)
    assert (counts["failures"], found["verdict"]) == ("1", ["failure"])


def test_the_scenario_runs_again(sample):
    result = sample(open_model=True)
    assert Scenario.model_validate(yaml.safe_load(scenario(result))) == result.scenario


def test_facts_name_what_ran(sample):
    found = "\n".join(facts.facts(sample()).values())
    for part in ("ab" * 32, "cd" * 32, "sha256:" + "ef" * 32, "CPUs 2", "0123456789abcdef"):
        assert part in found
    assert "2 node(s)" in facts.facts(sample())


def test_markdown_tables_hold_together(sample):
    result = sample()
    result.pods[0].name = "a|b\nc"
    blocks = re.findall(r"(?:^\|.*\n)+", markdown(result), re.M)
    assert len(blocks) > 5
    for block in blocks:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_a_long_run_is_put_together_without_loss(sample):
    short = sample()
    seconds = [short.timeline[60].model_copy(update={"second": n}) for n in range(3601)]
    times = timeline(short.model_copy(update={"timeline": seconds}))
    assert len(times.moments) <= MOST_POINTS
    assert all(later > sooner for sooner, later in pairwise(times.moments))
    assert sum(each.number for each in times.latency) == 3601 * seconds[0].latency.number
    assert set(times.answered) == {seconds[0].answered}
    _, cells = times.heat()
    shown = cells.sum(axis=0)[0] * times.step
    assert shown == pytest.approx(times.latency[0].number)


def test_a_second_without_answers_has_no_percentile(sample):
    row = Second(second=0, intended=1)
    times = timeline(sample().model_copy(update={"timeline": [row]}))
    assert times.heat() is None
    assert times.percentiles()[99][0] != times.percentiles()[99][0]
    assert over_time(sample().model_copy(update={"timeline": [row]}), WIDE).startswith("<svg")


def test_the_command_writes_three_files_from_a_folder_or_a_file(sample, tmp_path):
    (tmp_path / "result.json").write_text(sample().model_dump_json())
    for source in (tmp_path, tmp_path / "result.json"):
        out = tmp_path / source.name
        out = tmp_path / "out" / out.name
        done = CliRunner().invoke(app, ["report", str(source), "--out", str(out)])
        assert done.exit_code == 0, done.output
        assert {path.name for path in out.iterdir()} == {"report.html", "report.md", "junit.xml"}


def test_what_is_no_result_is_said(tmp_path):
    with pytest.raises(SpecError, match="No such file"):
        command.read(tmp_path / "none.json")
    (tmp_path / "result.json").write_text('{"kind": "rollout"}')
    with pytest.raises(SpecError, match="no load test's result: "):
        command.read(tmp_path)


@given(st.floats(min_value=0, max_value=1))
def test_a_share_never_looks_like_none_or_all_when_it_is_not(ratio):
    shown = words.share(ratio)
    assert (shown == "0 %") == (ratio == 0)
    assert (shown == "100 %") == (100 * ratio == 100)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "-"), (0.00012, "0.12 ms"), (0.0204, "20.4 ms"), (0.9996, "1 s"), (12.34, "12.3 s"),
     (3600, "3600 s")],
)  # fmt: skip
def test_durations_have_the_unit_that_fits(seconds, shown):
    assert words.duration(seconds) == shown
