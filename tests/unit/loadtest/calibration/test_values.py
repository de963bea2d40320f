"""What a calibration becomes: values that the chart takes, and facts for plan and simulate."""

import pytest
import yaml

from loadtest.autoscaling import chart
from loadtest.calibration import derived
from loadtest.calibration.derived import PodFacts, Release, derive
from loadtest.calibration.knee_search import SearchPlan
from loadtest.calibration.search import search
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
    return found.model_copy(update={"points": points, "full_cpu": found.full_cpu * cpu})


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
        "batching": {"queueLimit": values.queue_limit, "maxBatchSize": RELEASE.max_batch_size},
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
    # At the saturation there is more CPU than at the last point below the capacity.
    last = facts.points[-1]
    assert (last.rate, last.cpu) == (found.saturation, pytest.approx(0.25, rel=0.01))
    assert last.cpu > facts.points[-2].cpu
    assert last.in_flight == facts.points[-2].in_flight


def test_who_has_the_facts_alone_gets_the_same_settings(found, objective):
    for cpu in (0.25, 0.5):
        found = scaled(found, cpu)
        values = derive(found, objective, RELEASE)
        facts = derived.calibration("intent", found, objective, RELEASE, POD)
        own = derived.own_settings(facts)
        assert own["autoscaling"]["cpuPercent"] == values.cpu_percent
        assert own["autoscaling"]["keda"]["inFlight"] == pytest.approx(values.in_flight, rel=0.01)
        assert own["resources"] == {
            "requests": {"cpu": chart.quantity(values.cpu_request)}, "limits": {"cpu": 0.25}
        }  # fmt: skip


@pytest.mark.parametrize(
    ("gauge", "said"), [(5, "2 times apart"), (8, "2 times apart"), (0.5, "too few for a signal")]
)
def test_texts_in_flight_that_are_not_well_known_are_said(found, objective, gauge, said):
    points = [trial.model_copy(update={"gauge": gauge}) for trial in found.points]
    found = scaled(found.model_copy(update={"points": points}), 0.25)
    values = derive(found, objective, RELEASE)
    assert [said in line for line in values.warnings] == [True]
    assert values.in_flight == max(gauge, 1)


@pytest.mark.parametrize(("cpu", "request_"), [("205m", "205m"), ("5m", "5m"), ("1", "700m")])
def test_a_request_is_never_above_the_limit(found, objective, cpu, request_):
    release = RELEASE.model_copy(update={"cpu": cpu})
    busy = [trial.model_copy(update={"cpu": 0.7}) for trial in found.points]
    found = found.model_copy(update={"points": busy})
    assert derive(found, objective, release).cpu_request == request_


def test_a_limit_that_keeps_the_next_one_down_is_said(found, objective):
    low = RELEASE.model_copy(update={"queue_limit": 300, "deadline_seconds": 4})
    said = derive(scaled(found, 0.25), objective, low).warnings
    assert [line.split()[0] for line in said] == ["queueLimit", "deadlineSeconds"]
    quick = objective.model_copy(update={"seconds": 0.4})  # ten of them are four seconds
    enough = low.model_copy(update={"queue_limit": 500})
    assert derive(scaled(found, 0.25), quick, enough).warnings == []


def test_without_the_pods_word_littles_law_counts(found):
    trial = found.points[1].model_copy(update={"gauge": None})
    assert derived.in_flight(trial) == pytest.approx(
        trial.sent / trial.meant * trial.rate * trial.mean_seconds
    )
