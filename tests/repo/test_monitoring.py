"""Rules, their tests and the runbooks: each alert has all three, and each name exists."""

import re
import shutil
from functools import cache
from pathlib import Path

import pytest
import yaml

from bento.metrics import LATENCY_BUCKETS, SIZE_BUCKETS
from k8s import alert_rules
from nlpserve import metrics as names
from nlpserve.metrics import Rejection
from tests.chart.rendering import program, run

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
RULES = MONITORING / "rules" / "nlpserve.yaml"
TESTS = sorted((MONITORING / "tests").glob("*.yaml"))

# What others export: kube-state-metrics, and KEDA.
FOREIGN = {
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas",
    "kube_deployment_status_replicas_available",
    "kube_deployment_status_replicas_updated",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_spec_min_replicas",
    "kube_horizontalpodautoscaler_spec_target_metric",
    "kube_horizontalpodautoscaler_status_condition",
    "kube_horizontalpodautoscaler_status_desired_replicas",
    "kube_horizontalpodautoscaler_status_target_metric",
    "kube_pod_container_status_restarts_total",
    "keda_scaler_detail_errors_total",
    "keda_scaler_empty_upstream_responses_total",
    "keda_scaler_http_requests_total",
}
# What the chart renders for each release.
FACTS = {
    "nlpserve:availability_objective:ratio",
    "nlpserve:latency_objective:ratio",
    "nlpserve:queue_limit:texts",
    "nlpserve:pod_capacity:texts_per_second",
    "nlpserve:most_pods:count",
    "nlpserve:deployment:info",
}
SUFFIXES = ("_total", "_bucket", "_count", "_sum", "")


@cache
def rules() -> list[dict]:
    content = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def alerts() -> list[str]:
    return list(dict.fromkeys(rule["alert"] for rule in rules() if "alert" in rule))


def series() -> set[str]:
    """Every metric that a rule or a description asks for."""
    texts = [rule["expr"] + str(rule.get("annotations", {}).get("description")) for rule in rules()]
    return set(re.findall(r"\b(?:nlpserve_|nlpserve:|kube_|keda_)[\w:]+", "\n".join(texts)))


def own() -> set[str]:
    bases = [v for k, v in vars(names).items() if k.isupper() and str(v).startswith(names.PREFIX)]
    return {base + suffix for base in bases if base != names.PREFIX for suffix in SUFFIXES}


def test_every_metric_of_a_rule_exists():
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    assert series() - own() - recorded - FOREIGN - FACTS == set()


def test_what_is_listed_and_recorded_is_read():
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    assert (FOREIGN | FACTS | recorded) - series() == set()


def test_buckets_and_reasons_of_the_rules_are_the_services():
    text = RULES.read_text(encoding="utf-8")
    bounds = {f"{float(bound)}" for bound in (*LATENCY_BUCKETS, *SIZE_BUCKETS)}
    assert set(re.findall(r'le="([\d.]+)"', text)) - bounds == set()
    reasons = {
        part for found in re.findall(r'reason=~?"([^"]+)"', text) for part in found.split("|")
    }
    assert reasons - set(Rejection) == set()
    assert len(reasons) > 4


@pytest.mark.parametrize("alert", alerts())
def test_an_alert_says_all_that_is_needed(alert):
    for rule in (rule for rule in rules() if rule.get("alert") == alert):
        assert rule["labels"]["severity"] in {"critical", "warning"}
        notes = rule["annotations"]
        assert set(notes) == {"summary", "description", "runbook_url"}
        assert "$labels" in notes["summary"]
        assert "$value" in notes["description"]
        assert notes["runbook_url"].endswith(f"/runbooks.md#{alert.lower()}")


@cache
def checks() -> list[tuple[str, str, bool]]:
    """(alert, name of the test, whether it must fire) of every check in the promtool tests."""
    return [
        (check["alertname"], test["name"], bool(check["exp_alerts"]))
        for file in TESTS
        for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
        for check in test["alert_rule_test"]
    ]


@pytest.mark.parametrize("alert", alerts())
def test_an_alert_is_made_to_fire_and_to_keep_silent(alert):
    fires = {name for checked, name, firing in checks() if checked == alert and firing}
    silent = {name for checked, name, firing in checks() if checked == alert and not firing}
    assert fires
    assert silent - fires - {n for n in silent if n.startswith("no traffic")}, "just below its edge"
    assert any(name.startswith("no traffic") for name in silent)


def test_runbooks_are_those_of_the_alerts():
    text = (MONITORING / "runbooks.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## ", text, flags=re.M)
    assert sorted(part.split("\n")[0] for part in parts) == sorted(alerts())
    for part in parts:
        for words in ("**Means:**", "**Check this:**", "**Do that:**", "```"):
            assert words in part, part.split("\n")[0]
    links = set(re.findall(r"\(#(\w+)\)", text))
    assert links <= {alert.lower() for alert in alerts()}


def test_metrics_of_the_runbooks_exist():
    text = (MONITORING / "runbooks.md").read_text(encoding="utf-8")
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    named = set(re.findall(r"\bnlpserve[_:][a-z_:]+", text))
    assert named - own() - recorded - FACTS == set()


def test_generated_rules_are_what_their_sources_say():
    assert RULES.read_text(encoding="utf-8") == alert_rules.rules_text()


def test_a_number_that_nothing_uses_stops_the_rules(tmp_path):
    folder = shutil.copytree(MONITORING / "sources", tmp_path / "sources").parent
    numbers = (MONITORING / "thresholds.yaml").read_text(encoding="utf-8")
    (folder / "thresholds.yaml").write_text(numbers + "spare: 1\n", encoding="utf-8")
    with pytest.raises(alert_rules.RulesError, match="no rule uses spare"):
        alert_rules.groups(folder)


def test_every_number_stands_in_the_thresholds_alone():
    """Sources may say 0, 1, 4.., 5.. and the bucket of one text; other numbers have names."""
    for file in (MONITORING / "sources").glob("*.yaml"):
        lines = [
            line.split("#")[0]
            for line in file.read_text(encoding="utf-8").splitlines()
            if "100 %" not in line
        ]
        found = set(re.findall(r"(?<![\w.$])\d[\d.]*[smhd]?(?!\w)", "\n".join(lines)))
        assert found <= {"0", "1", "1.0", "2..", "4..", "5.."}, file.name


@pytest.mark.parametrize("file", TESTS, ids=[path.stem for path in TESTS])
def test_promtool_agrees(file):
    done = run([program("promtool"), "test", "rules", file])
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_can_read_the_rules():
    done = run([program("promtool"), "check", "rules", "--lint=all", "--lint-fatal", RULES])
    assert done.returncode == 0, done.stdout + done.stderr


def other(value):
    """A little more; the tests must notice it."""
    if isinstance(value, str):
        found = re.fullmatch(r"(\d+)([smhd])", value)
        return f"{int(found[1]) + 1}{found[2]}"
    return value + 1 if isinstance(value, int) else round(value * 1.03, 4)


def numbers() -> dict:
    return yaml.safe_load((MONITORING / "thresholds.yaml").read_text(encoding="utf-8"))


def changed() -> dict[str, dict]:
    """Name of a number → the thresholds with another value of it.

    Not of the interval: promtool evaluates each group at its own.
    """
    found = numbers()
    plain = {
        k: v for k, v in found.items() if k not in {"runbooks", "burn_rates", "objectives_interval"}
    }
    every = {k: {**found, k: other(v)} for k, v in plain.items()}
    every["queue_wait_seconds"]["queue_wait_seconds"] = 0.5  # the next bucket
    for position, rate in enumerate(found["burn_rates"]):
        rates = [*found["burn_rates"]]
        rates[position] = {**rate, "factor": round(rate["factor"] * 1.03, 4)}
        every[f"factor of {rate['long']}"] = {**found, "burn_rates": rates}
    return every


def rules_tests_with(name: str) -> str:
    """The tests of the rules that use the number."""
    using = [
        file.stem.partition("-")[2]
        for file in sorted((MONITORING / "sources").glob("*.yaml"))
        if f"$({name})" in file.read_text(encoding="utf-8")
    ]
    return next(stem for stem in using if stem != "objectives")


@pytest.mark.parametrize("name", changed())
def test_another_number_is_noticed(tmp_path, name):
    """So that the tests above can fail. The burn rates' windows take long, and are left out."""
    for folder in ("sources", "tests"):
        shutil.copytree(MONITORING / folder, tmp_path / folder)
    (tmp_path / "thresholds.yaml").write_text(yaml.safe_dump(changed()[name]), encoding="utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "nlpserve.yaml").write_text(alert_rules.rules_text(tmp_path), "utf-8")
    alone = "^a low objective" if name == "most_bad_share" else "^errors"
    if name.startswith("factor") or name == "most_bad_share":
        words = [f"--run={alone}", tmp_path / "tests" / "objectives.yaml"]
    else:
        words = [tmp_path / "tests" / f"{rules_tests_with(name)}.yaml"]
    done = run([program("promtool"), "test", "rules", *words])
    assert done.returncode == 1, done.stdout
    assert re.search(r"alertname: \w+, time:", done.stdout + done.stderr)


def test_a_number_without_a_name_stops_the_rules(tmp_path):
    folder = shutil.copytree(MONITORING / "sources", tmp_path / "sources").parent
    numbers = (MONITORING / "thresholds.yaml").read_text(encoding="utf-8")
    (folder / "thresholds.yaml").write_text(numbers.replace("restarts: 3\n", ""), encoding="utf-8")
    with pytest.raises(alert_rules.RulesError, match=r"\$\(restarts\) is not in"):
        alert_rules.groups(folder)
