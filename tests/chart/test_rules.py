"""The chart ships the alerts that promtool tests, and they work with what a release records."""

import re
import tarfile

import pytest
import yaml

from bento.metrics import LATENCY_BUCKETS
from tests.chart.rendering import CHART, NAMESPACE, RELEASE, ROOT, objects, program, run
from tests.chart.test_values import LEAVES

RULES = ROOT / "monitoring" / "rules" / "nlpserve.yaml"
MONITORED = CHART / "ci" / "monitored-values.yaml"
ON = {"prometheusRule": {"enabled": True}}


def groups(*arguments, values=None, helm="helm"):
    items = objects(*arguments, values=values, helm=helm)
    (rule,) = [item for item in items if item["kind"] == "PrometheusRule"]
    return rule["spec"]["groups"]


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_the_chart_ships_what_promtool_tests(helm):
    _, *shipped = groups(values=ON, helm=helm)
    assert shipped == yaml.safe_load(RULES.read_text("utf-8"))["groups"]


def test_the_chart_has_no_copy():
    link = CHART / "files" / "rules"
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == RULES.parent


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_the_package_holds_the_rules(tmp_path, helm):
    done = run([program(helm), "package", CHART, "--destination", tmp_path])
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as opened:
        packed = opened.extractfile("nlpserve/files/rules/nlpserve.yaml")
        assert packed.read() == RULES.read_bytes()


def test_an_objective_can_be_set_at_every_bucket():
    seconds = LEAVES["defaults.objectives.latency.seconds"]
    assert tuple(seconds.extra["enum"]) == LATENCY_BUCKETS


def test_alerts_join_what_a_release_records(tmp_path):
    """An objective at the bucket of one second, a capacity and names of Deployments meet series."""
    rules, tests = tmp_path / "rules.yaml", tmp_path / "tests.yaml"
    rules.write_text(yaml.safe_dump({"groups": groups("--values", MONITORED)}), "utf-8")
    answers = f'namespace="{NAMESPACE}",model="emotion",route="/"'
    intent = f'namespace="{NAMESPACE}",model="intent"'
    deployment = f'namespace="{NAMESPACE}",deployment="{RELEASE}-nlpserve-emotion"'
    series = {
        f'nlpserve_request_duration_seconds_bucket{{{answers},le="0.5"}}': "0x60",
        f'nlpserve_request_duration_seconds_bucket{{{answers},le="1.0"}}': "0+84x60",
        f"nlpserve_request_duration_seconds_count{{{answers}}}": "0+100x60",
        f"nlpserve_batch_size_sum{{{intent}}}": f"0+{60 * 3300}x60",
        f'nlpserve_in_flight{{{intent},pod="a"}}': "1x60",
        f"kube_deployment_status_replicas_available{{{deployment}}}": "0x60",
    }
    firing = [
        {"expr": f'ALERTS{{alertname="{name}",alertstate="firing"}}', "samples": samples}
        for name, samples in {
            "NlpserveLatencyBudgetBurn": 4,
            "NlpserveNoPodAvailable": 1,
            "NlpserveLowHeadroom": 1,
            "NlpserveNeedsMorePodsThanAllowed": 1,
        }.items()
    ]
    content = {
        "rule_files": [str(rules)],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": k, "values": v} for k, v in series.items()],
                "promql_expr_test": [
                    {
                        "expr": f"count({alert['expr']})",
                        "eval_time": "40m",
                        "exp_samples": [{"labels": "{}", "value": alert["samples"]}],
                    }
                    for alert in firing
                ],
            }
        ],
    }
    tests.write_text(yaml.safe_dump(content), "utf-8")
    done = run([program("promtool"), "test", "rules", tests])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_docs_make_a_rule_file_for_a_plain_prometheus(tmp_path):
    page = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    (command,) = re.findall(r"^(helm template .*?) > nlpserve\.yaml$", page, re.M | re.S)
    command = command.replace("helm template", f"{program('helm')} template", 1)
    done = run(["sh", "-c", f"cd {ROOT} && {command}"])
    file = tmp_path / "nlpserve.yaml"
    file.write_text(done.stdout, "utf-8")
    assert len(yaml.safe_load(done.stdout)["groups"]) == len(groups(values=ON))
    checked = run([program("promtool"), "check", "rules", "--lint=all", "--lint-fatal", file])
    assert checked.returncode == 0, checked.stdout + checked.stderr
