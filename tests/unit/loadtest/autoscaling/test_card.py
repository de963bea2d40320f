"""From what was seen of a cluster to a timeline, a scorecard and a picture."""

import xml.etree.ElementTree as ET

import pytest

from loadtest.autoscaling import card, live, plot, scoring
from loadtest.autoscaling.card import Measure, Watched
from nlpserve.autoscale_results import AutoscaleRecord, SecondCounts, Signal
from nlpserve.autoscaling import ClusterTiming
from nlpserve.load_shapes import Profile

BEGAN = 1_000.0
LOAD = Profile.model_validate(
    {"shape": {"kind": "spike", "base": 10, "peak": 100, "begins": 10, "lasts": 60}, "seconds": 90}
)
HPA = {
    "spec": {
        "scaleTargetRef": {"name": "demo"},
        "minReplicas": 1,
        "maxReplicas": 6,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "AverageValue", "averageValue": "150m"},
                },
            },
            {
                "type": "External",
                "external": {
                    "metric": {"name": "s0-prometheus"},
                    "target": {"type": "AverageValue", "averageValue": "1500m"},
                },
            },
        ],
        "behavior": {
            "scaleUp": {
                "stabilizationWindowSeconds": 0,
                "selectPolicy": "Max",
                "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
            },
            "scaleDown": {
                "stabilizationWindowSeconds": 30,
                "selectPolicy": "Max",
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}],
            },
        },
    },
    "status": {
        "currentMetrics": [
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageValue": "120m"}}},
            {"type": "External", "external": {"current": {"averageValue": "800m"}}},
        ]
    },
}
SCALED = {
    "spec": {
        "pollingInterval": 5,
        "triggers": [
            {"type": "prometheus", "metadata": {"query": "sum(avg_over_time(in_flight[30s]))"}},
            {"type": "cpu", "metadata": {"value": "150m"}},
        ],
    }
}


def seen():
    """One pod, four asked for at second 20, there at 25, one again at 80."""
    watched = Watched(old={"old"}, started={"old": BEGAN - 100, "new": BEGAN + 22.0})
    for second in range(-3, 91):
        wanted = 4 if 20 <= second < 80 else 1
        ready = 4 if 25 <= second < 80 else 1
        watched.pods.append((BEGAN + second, wanted, ready))
        watched.signals.append((BEGAN + second, Signal(second=0, cpu=0.2, in_flight=3)))
    return watched


def counted():
    """Shed from 10 to 24, one lost at 30."""
    found = []
    for second in range(90):
        meant = round(LOAD.at(second))
        shed = 60 if 10 <= second < 25 else 0
        lost = 1 if second == 30 else 0
        answered = meant - shed - lost
        found.append(
            SecondCounts(
                second=second,
                meant=meant,
                answered=answered,
                in_time=answered,
                shed=shed,
                lost=lost,
                slowest=0.1,
            )
        )
    return found


MEASURE = Measure(load=LOAD, share=0.99, capacity=40, began=BEGAN, seconds=90)


def test_the_timeline_begins_with_the_last_look_before_the_load():
    found = card.replicas(seen(), MEASURE)
    assert [(p.second, p.wanted, p.ready) for p in found] == [
        (0, 1, 1), (20, 4, 1), (25, 4, 4), (80, 1, 1)
    ]  # fmt: skip


def test_the_card():
    score = card.score(MEASURE, seen(), counted())
    assert (score.decision_seconds, score.started_seconds, score.ready_seconds) == (20, 22, 25)
    assert (score.rise_seconds, score.met_again_seconds) == (10, 25)
    # A single lost request of 100 is within the objective.
    assert score.out_of_objective_seconds == 15
    assert (score.failed, score.failed_after_ready) == (15 * 60 + 1, 1)
    assert score.replica_minutes == pytest.approx((20 + 60 * 4 + 10) / 60, abs=1e-3)
    assert score.peak == 4
    answered = score.requests - score.failed
    hours = score.replica_minutes / 60
    assert score.pod_hours_per_million == pytest.approx(hours / answered * 1e6, rel=1e-3)
    # From 20 to 70 there is one more than the three that are needed, until 80 three more than one;
    # from 10 to 25 two of three are not ready. Neither makes up for the other.
    assert score.over_provisioning == pytest.approx(80 / 270, abs=1e-3)
    assert score.shortage == pytest.approx(30 / 210, abs=1e-3)
    assert score.flaps == 1


def test_settings_and_signal_are_read_from_the_objects():
    found = live.autoscaler(HPA, SCALED, request=0.05)
    assert (found.mode, found.min_replicas, found.max_replicas) == ("keda", 1, 6)
    assert (found.cpu_target, found.keda.in_flight, found.keda.window_seconds) == (0.15, 1.5, 30)
    assert (found.keda.polling_interval, found.keda.fallback) == (5, None)
    assert found.behavior.scale_down.stabilization_window_seconds == 30
    signal = live.signal(HPA, 7)
    assert (signal.second, signal.cpu, signal.in_flight) == (7, 0.12, 0.8)
    assert live.signal({"status": {"currentMetrics": None}}, 7).cpu is None


def test_a_percentage_counts_of_the_request():
    pace = {"stabilizationWindowSeconds": 0, "tolerance": "50m", "policies": [
        {"type": "Pods", "value": 1, "periodSeconds": 15}
    ]}  # fmt: skip
    target = {"type": "Utilization", "averageUtilization": 60}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    hpa = {"spec": HPA["spec"] | {"metrics": metrics, "behavior": {"scaleUp": pace}}}
    found = live.autoscaler(hpa, None, request=0.5)
    assert (found.mode, found.cpu_target, found.keda) == ("cpu", pytest.approx(0.3), None)
    assert found.behavior.scale_up.tolerance == 0.05
    with pytest.raises(ValueError, match="does not look at CPU"):
        live.autoscaler({"spec": HPA["spec"] | {"metrics": []}}, None, 1)


@pytest.mark.parametrize("mode", ["cpu", "keda"])
def test_the_picture_has_a_panel_for_each_signal(settings, calibration, mode):
    record = AutoscaleRecord(
        name="a<b", held_out=False, version="0", commit="c", started="2026-01-01T00:00:00",
        load=LOAD, autoscaler=settings(mode), timing=ClusterTiming(), calibration=calibration,
        seconds=90, replicas=card.replicas(seen(), MEASURE), counts=counted(),
        score=card.score(MEASURE, seen(), counted()), signals=card.signals(seen(), MEASURE),
    )  # fmt: skip
    assert AutoscaleRecord.model_validate_json(record.model_dump_json()) == record
    root = ET.fromstring(plot.svg(record))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "a<b: intent, mode " + mode in texts
    assert ("texts in flight of a pod as the autoscaler sees them" in texts) == (mode == "keda")
    lines = list(root.iter("{http://www.w3.org/2000/svg}polyline"))
    assert len(lines) == (10 if mode == "keda" else 8)
    for line in lines:
        spots = [tuple(map(float, spot.split(","))) for spot in line.get("points").split()]
        assert all(70 <= x <= 750 and y > 0 for x, y in spots)


@pytest.mark.parametrize(
    ("missed", "end"),
    [
        ([], None),
        ([20, 21, 22], 23),
        ([82], None),  # seven seconds are too few to tell
        ([20, 22, 31], 32),  # good seconds in between are no end
        ([20, 21, 40], 22),  # another trouble, later
        ([85, 89], None),  # it lasts until the end
    ],
)
def test_the_objective_is_met_again_when_it_holds_for_a_while(missed, end):
    assert scoring.met_again_seconds(missed, 1.0, 90, lambda _: 5) == end


@pytest.mark.parametrize(("falls", "end"), [(23, None), (30, None), (33, 23), (15, 23)])
def test_a_load_that_went_away_is_no_objective_met_again(falls, end):
    """It fails from 20 on, whatever the rate was before; what counts is the rate that failed."""
    missed = [20.0, 21.0, 22.0]
    found = scoring.met_again_seconds(missed, 1.0, 90, lambda second: 70 if second < falls else 8)
    assert found == end


def test_a_rise_is_the_first_second_with_more_than_the_pods_hold():
    assert scoring.rise_seconds(LOAD.at, 90, 40) == 10
    assert scoring.rise_seconds(LOAD.at, 90, 100) == 0
