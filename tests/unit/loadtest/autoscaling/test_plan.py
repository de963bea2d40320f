import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.autoscaling.plan import Node, OutOfReach, plan, pods_on, target_rate
from nlpserve.autoscaling import Autoscaler, Calibration

NODE = Node(cpu=4, memory_gib=16)


def test_no_pod_is_above_its_target_or_its_capacity(settings, calibration):
    found = plan(1_000, calibration, settings(), NODE)
    assert found.pod_rate <= calibration.capacity * 0.7
    assert calibration.at(found.pod_rate).cpu <= 0.15
    assert (found.pods, found.nodes, found.load_workers) == (18, 1, 1)
    assert found.cpu_used == pytest.approx(18 * calibration.at(found.pod_rate).cpu)
    # A tenth from its target is close enough for the autoscaler.
    assert 0.9 * found.pods <= found.autoscaler.peak.expected <= 1.1 * found.pods + 1
    assert found.autoscaler.met_again_seconds.least > 0
    assert not found.extrapolated


def test_far_beyond_what_was_measured_it_has_to_be_asked_for(settings, calibration):
    with pytest.raises(OutOfReach, match="20 times the 4"):
        plan(1_000_000, calibration, settings("none"), NODE)
    found = plan(1_000_000, calibration, settings("none"), NODE, extrapolate=True)
    assert found.extrapolated
    assert any(line.startswith("EXTRAPOLATED") for line in found.assumptions)
    assert (found.pods, found.autoscaler) == (17_858, None)


def test_a_model_without_a_measured_worker_says_so(settings, calibration):
    facts = calibration.model_copy(update={"worker_rate": None})
    assert plan(10, facts, settings("none"), NODE).load_workers is None


@given(st.floats(0.1, 4_000), st.floats(0, 0.8))
def test_the_pods_hold_the_rate_and_one_less_does_not(rate, headroom):
    facts = Calibration(
        model="m", capacity=80, saturation=110, objective_seconds=0.5, objective_share=0.99,
        cpu_limit=1, cpu_request=0.5, memory_request_mib=256, ready_seconds=4, measured_pods=50,
        points=[{"rate": 110, "inFlight": 11, "cpu": 1}],
    )  # fmt: skip
    fixed = Autoscaler(mode="none", min_replicas=1, max_replicas=1, cpu_target=1)
    found = plan(rate, facts, fixed, NODE, headroom=headroom)
    each = facts.capacity * (1 - headroom)
    assert found.pods * each >= rate * (1 - 1e-6)
    assert found.pods == 1 or (found.pods - 1) * each < rate * (1 + 1e-6)
    assert found.nodes * found.pods_each_node >= found.pods
    assert found.pods_each_node * found.cpu_used / found.pods <= NODE.cpu


@pytest.mark.parametrize(
    ("mode", "rate"), [("cpu", 40 + 40 * 5 / 9), ("keda", 40 + 40 * 0.7 / 1.7)]
)
def test_the_rate_at_the_target_is_read_off_the_measured_points(settings, calibration, mode, rate):
    assert target_rate(calibration, settings(mode)) == pytest.approx(rate)


def test_a_target_below_an_idle_pod_is_refused(settings, calibration):
    with pytest.raises(OutOfReach, match="above the autoscaler's target"):
        target_rate(calibration, settings(cpu_target=0.005))


def test_a_pod_that_fits_no_node_is_refused():
    assert pods_on(Node(cpu=1, memory_gib=1), 0.3, 0.1) == 3
    with pytest.raises(OutOfReach, match="no pod fits a node"):
        pods_on(Node(cpu=1, memory_gib=1), 0.95, 0.1)
