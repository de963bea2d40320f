"""Small settings, and a pod that was never measured."""

import pytest

from nlpserve.autoscaling import Autoscaler, Behavior, Calibration, Keda, ScalingRules


def rules(window=0, *policies, select="Max"):
    """Policies as (type, value, period); none: any change."""
    given = [
        {"type": kind, "value": value, "periodSeconds": period} for kind, value, period in policies
    ] or [{"type": "Percent", "value": 1_000_000, "periodSeconds": 15}]
    return ScalingRules(stabilization_window_seconds=window, select_policy=select, policies=given)


@pytest.fixture(name="rules")
def rules_fixture():
    return rules


@pytest.fixture
def settings():
    def make(mode="cpu", up=None, down=None, **given):
        behavior = Behavior(scale_up=up or rules(), scale_down=down or rules())
        words = {"min_replicas": 1, "max_replicas": 10, "cpu_target": 0.15} | given
        return Autoscaler(mode=mode, behavior=behavior, **({"keda": Keda(in_flight=1)} | words))

    return make


@pytest.fixture
def calibration():
    return Calibration(
        model="intent", capacity=80, saturation=110, objective_seconds=0.5, objective_share=0.99,
        cpu_limit=0.25, cpu_request=0.05, memory_request_mib=256, idle_cpu=0.01, ready_seconds=4,
        points=[
            {"rate": 40, "inFlight": 0.3, "cpu": 0.1},
            {"rate": 80, "inFlight": 2, "cpu": 0.19},
            {"rate": 110, "inFlight": 12, "cpu": 0.25},
        ],
        measured_pods=4,
        worker_rate=2000,
    )  # fmt: skip
