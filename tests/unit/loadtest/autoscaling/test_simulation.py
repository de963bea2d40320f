import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from loadtest.autoscaling.forecast import forecast
from loadtest.autoscaling.simulation import Phases, World, simulate
from nlpserve.autoscaling import (
    Autoscaler,
    Behavior,
    Calibration,
    Fallback,
    Keda,
    Policy,
    ScalingRules,
)
from nlpserve.load_shapes import Profile

SOON = ScalingRules(
    stabilization_window_seconds=30,
    policies=(Policy(type="Percent", value=100, period_seconds=15),),
)


def spike(base, peak, begins=30, lasts=300):
    return lambda second: peak if begins <= second < begins + lasts else base


def wanted(outcome):
    return [point.wanted for point in outcome.replicas]


@pytest.mark.parametrize("mode", ["cpu", "keda"])
def test_a_load_at_the_target_changes_nothing(settings, calibration, mode):
    rate = 55 if mode == "keda" else 62
    outcome = simulate(World(settings(mode), calibration), lambda _: rate, 600)
    assert [(p.second, p.wanted, p.ready) for p in outcome.replicas] == [(0, 1, 1)]
    assert outcome.score.replica_minutes == pytest.approx(10)
    assert outcome.score.failed == outcome.score.out_of_objective_seconds == 0
    assert outcome.score.decision_seconds is outcome.score.met_again_seconds is None


@pytest.mark.parametrize("mode", ["cpu", "keda"])
def test_a_spike_brings_pods_and_takes_them_away(settings, calibration, mode):
    outcome = simulate(World(settings(mode), calibration), spike(20, 300), 700)
    score = outcome.score
    assert score.peak >= 4
    assert wanted(outcome)[0] == wanted(outcome)[-1] == 1
    assert 30 < score.decision_seconds < score.ready_seconds < score.met_again_seconds < 300
    assert score.out_of_objective_seconds >= score.met_again_seconds - 30 - 1
    assert score.requests == pytest.approx(20 * 400 + 300 * 300)


def test_the_fallback_holds_while_prometheus_is_silent(settings, calibration):
    keda = Keda(in_flight=1, fallback=Fallback(replicas=5, failure_threshold=3))
    world = World(settings("keda", keda=keda), calibration, source_up=lambda s: not 60 <= s < 240)
    outcome = simulate(world, lambda _: 20, 400)
    first = next(point.second for point in outcome.replicas if point.wanted == 5)
    assert 60 + 3 * 15 <= first <= 60 + 4 * 15  # more than three failures in a row
    assert wanted(outcome) == [1, 5, 5, 1]


def test_without_a_fallback_silence_is_not_taken_for_no_load(settings, calibration):
    keda = Keda(in_flight=1, fallback=None)
    world = World(settings("keda", keda=keda), calibration, source_up=lambda s: s < 200)
    outcome = simulate(world, spike(300, 20, begins=200, lasts=800), 800)
    before = [point.wanted for point in outcome.replicas if point.second <= 200][-1]
    assert wanted(outcome)[-1] == before > 1


def test_without_metrics_server_the_cpu_mode_stands_still(settings, calibration):
    world = World(settings(), calibration, metrics_up=lambda _: False)
    assert wanted(simulate(world, spike(20, 300), 400)) == [1]


def test_keda_with_cached_metrics_sees_the_load_later(settings, calibration):
    def decision(*, cached):
        keda = Keda(in_flight=1, polling_interval=40, use_cached_metrics=cached)
        phases = Phases(poll=20)  # has just polled when the load begins
        # The CPU target is out of reach, so that the trigger alone decides.
        world = World(settings("keda", keda=keda, cpu_target=2), calibration)
        return simulate(world, spike(5, 100, begins=21), 200, phases=phases).score.decision_seconds

    assert decision(cached=True) >= 60 > decision(cached=False)


def test_more_pods_than_a_sensor_sees_are_not_wished_for_twice(settings, calibration):
    """Pods that are starting count as idle, so a second look does not double them again."""
    slow = calibration.model_copy(update={"ready_seconds": 60.0})
    outcome = simulate(World(settings(), slow), lambda _: 105, 120)
    assert outcome.score.peak == 2


profiles = st.builds(
    lambda levels, seconds: Profile.model_validate(
        {"shape": {"kind": "step", "levels": [*levels, 1]}, "seconds": seconds}
    ),
    st.lists(st.floats(0, 800), min_size=1, max_size=6),
    st.integers(60, 600),
)


@hypothesis_settings(max_examples=40)
@given(
    profiles,
    st.sampled_from(["cpu", "keda"]),
    st.integers(1, 4),
    st.floats(0, 15),
    st.integers(1, 90),
)
def test_nothing_is_lost_from_the_books(profile, mode, fewest, phase, ready):
    calibration = Calibration(
        model="m", capacity=80, saturation=110, objective_seconds=0.5, objective_share=0.99,
        cpu_limit=1, cpu_request=1, memory_request_mib=1, ready_seconds=ready,
        points=[{"rate": 110, "inFlight": 12, "cpu": 1}],
    )  # fmt: skip
    autoscaler = Autoscaler(
        mode=mode, min_replicas=fewest, max_replicas=9, cpu_target=0.6, keda=Keda(in_flight=6),
        behavior=Behavior(scale_down=SOON),
    )  # fmt: skip
    outcome = simulate(
        World(autoscaler, calibration), profile.at, profile.end, phases=Phases(sync=phase)
    )
    score = outcome.score
    assert 0 <= score.failed <= score.requests + 1e-6
    assert all(fewest <= point.wanted <= 9 for point in outcome.replicas)
    assert all(0 <= point.ready <= point.wanted for point in outcome.replicas)
    assert fewest - 1e-9 <= score.replica_minutes / (profile.end / 60) <= score.peak + 1e-9
    seconds = [point.second for point in outcome.replicas]
    assert seconds[0] == 0
    assert seconds == sorted(set(seconds))


def test_a_forecast_covers_the_phases(settings, calibration):
    found = forecast(World(settings(), calibration), spike(20, 300), 700)
    spread = found.replica_minutes
    assert spread.least <= spread.expected <= spread.most
    assert spread.least < spread.most  # chance is in it
    assert found.peak.least <= found.peak.expected <= found.peak.most
    assert found.replicas[0].second == 0
    assert found.met_again_seconds.least > 30


def test_many_pods_are_as_quick_as_few(settings, calibration):
    """Pods of one age are one object; a hundred thousand of them would otherwise take hours."""
    crowd = World(settings(max_replicas=200_000), calibration)
    assert simulate(crowd, lambda _: 5_000_000, 1_000).score.peak > 50_000


def test_the_warm_up_has_a_rate_of_its_own(settings, calibration):
    def minutes(before):
        world = World(settings(), calibration, before=before)
        return simulate(world, lambda _: 105, 200).score.replica_minutes

    assert minutes(0) < minutes(105)
