"""What a calibration becomes: values that the chart takes, and facts for plan and simulate."""

import pytest
import yaml

from loadtest.autoscaling import chart
from loadtest.calibration import derived
from loadtest.calibration.derived import PodFacts, Release, derive
from loadtest.calibration.search import SearchPlan, search
from loadtest.calibration.values_file import Origin, write
from loadtest.forecast_commands import CHART_VALUES

RELEASE = Release(
    cpu="250m", limits={"cpu": "250m", "memory": "512Mi"}, memory="256Mi", queue_limit=2048,
    deadline_seconds=5, max_batch_size=64, max_texts=256,
)  # fmt: skip
POD = PodFacts(schedule_seconds=1, ready_seconds=4, idle_cpu=0.01, memory_mib=203)


@pytest.fixture
def found(formula, follow, objective):
    return follow(search(SearchPlan(objective=objective)), formula(100))


def scaled(found, cpu):
    """As if the pod had used so much CPU for each."""
    points = [
        trial.model_copy(update={"cpu": trial.cpu * cpu, "gauge": trial.gauge})
        for trial in found.points
    ]
    return found.model_copy(update={"points": points})


def test_the_targets_are_what_a_pod_has_at_seven_tenths(found, objective):
    values = derive(scaled(found, 0.25), objective, RELEASE)
    assert values.capacity == pytest.approx(found.capacity, rel=0.005)
    share = 0.7 * found.capacity / 100
    assert values.cpu_percent == pytest.approx(100 * share, abs=1)
    assert values.in_flight == pytest.approx(share / (1 - share), rel=0.01)
    assert values.warnings == []


def test_the_queue_holds_what_can_be_answered_before_the_deadline(found, objective):
    values = derive(found, objective, RELEASE)
    assert values.deadline_seconds == 5
    assert values.queue_limit == pytest.approx(found.saturation * 5, rel=0.01)
    strict = objective.model_copy(update={"seconds": 0.05})
    values = derive(found, strict, RELEASE)
    assert values.deadline_seconds == 0.5
    assert values.queue_limit == 256  # a request of the largest size has to find room
    assert values.in_flight <= 0.7 * values.queue_limit


@pytest.mark.parametrize(
    ("cpu", "said"), [(0.5, "cpuPercent is set to 70"), (0.02, "use the mode keda")]
)
def test_a_cpu_that_is_no_good_signal_is_said(found, objective, cpu, said):
    values = derive(scaled(found, cpu), objective, RELEASE)
    assert values.cpu_percent <= 70
    assert [said in line for line in values.warnings] == [True]


def test_the_file_is_chart_values_with_reasons(found, objective):
    values = derive(scaled(found, 0.25), objective, RELEASE)
    origin = Origin(
        model="intent", model_version="1", started="2026-01-01", commit="abc", form="quick",
        texts="made-up French, 200", seconds=6, memory_mib=203,
    )  # fmt: skip
    text = write(found, values, objective, RELEASE, origin)
    model = yaml.safe_load(text)["models"]["intent"]
    assert model == {
        "capacity": values.capacity,
        "autoscaling": {
            "cpuPercent": values.cpu_percent, "keda": {"inFlight": values.in_flight}
        },
        "batching": {"queueLimit": values.queue_limit},
        "limits": {"deadlineSeconds": 5},
        "resources": {
            "requests": {"cpu": values.cpu_request}, "limits": {"cpu": "250m", "memory": "512Mi"}
        },
    }  # fmt: skip
    assert "99.0% of the requests answered in 0.5 s" in text
    assert "made-up French, 200" in text
    assert "Little's law" in text
    # Over the chart's own values it is an autoscaler that can be computed.
    base = yaml.safe_load(CHART_VALUES.read_text(encoding="utf-8"))
    over = chart.settings(chart.merged(base, yaml.safe_load(text)), "intent")
    assert chart.autoscaler(over, "keda").keda.in_flight == values.in_flight
    assert over["resources"]["requests"]["memory"] == "256Mi"


def test_the_facts_carry_the_points(found, objective):
    facts = derived.calibration("intent", scaled(found, 0.25), objective, RELEASE, POD)
    assert facts.capacity == found.capacity
    assert facts.at(found.points[2].rate).in_flight == pytest.approx(found.points[2].gauge)
    assert facts.at(0).cpu == 0.01
    assert facts.worker_rate == pytest.approx(found.check.rate / 0.2 * 0.9, rel=0.01)
    assert (facts.cpu_limit, facts.memory_request_mib, facts.ready_seconds) == (0.25, 256, 4)


def test_without_the_pods_word_littles_law_counts(found):
    trial = found.points[1].model_copy(update={"gauge": None})
    assert derived.in_flight(trial) == pytest.approx(
        trial.sent / trial.seconds * trial.mean_seconds
    )
