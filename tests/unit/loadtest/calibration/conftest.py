"""A pod that is a formula: a queue with one server, and now and then a bad moment."""

import math
import random

import pytest

from loadtest.calibration.trials import Objective, Trial

OBJECTIVE = Objective(seconds=0.5, share=0.99)


class Formula:
    """Answers at most `most` requests/s; the latency is that of a queue with random arrivals."""

    def __init__(self, most, noise=0.0, seed=1):
        self.most = most
        self.asked = []
        self.spoil = {}
        self._noise = noise
        self._chance = random.Random(seed)

    @property
    def knee(self):
        """Where the share of answers in time falls below the objective's."""
        return self.most + math.log(1 - OBJECTIVE.share) / OBJECTIVE.seconds

    def __call__(self, wish):
        self.asked.append(wish)
        most = self.most * (1 + self._noise * self._chance.gauss(0, 1))
        meant = max(1, round(wish.rate * wish.seconds))
        spare = most - wish.rate
        share = 1 - math.exp(-spare * OBJECTIVE.seconds) if spare > 0 else 0.2
        busy = min(0.999, wish.rate / most)
        answered = min(wish.rate, most)
        open_ = busy / (1 - busy)
        given = {
            "rate": wish.rate, "seconds": wish.seconds, "meant": meant, "sent": meant,
            "answered": round(answered * wish.seconds), "in_time": round(share * meant),
            "mean_seconds": open_ / wish.rate, "share_seconds": 0.1, "answered_rate": answered,
            "open": open_, "gauge": open_ if wish.sample_seconds else None, "cpu": busy,
            "generator_cpu": 0.2, "lag": 0.001,
        }  # fmt: skip
        return Trial(**(given | self.spoil))


class Queue:
    """Answers one request at a time, each in 1/`most` s; its queue is empty when a load begins."""

    def __init__(self, most):
        self.most = most

    def __call__(self, wish):
        meant = max(1, round(wish.rate * wish.seconds))
        dues = [number / wish.rate for number in range(meant)]
        ends, free = [], 0.0
        for due in dues:
            free = max(free, due) + 1 / self.most
            ends.append(free)
        latencies = [end - due for due, end in zip(dues, ends, strict=True)]

        def open_at(second):
            return sum(due <= second < end for due, end in zip(dues, ends, strict=True))

        sixths = [open_at(wish.seconds * place / 6) for place in (3, 5)]  # middles of two thirds
        half = sum(wish.seconds / 2 < end <= wish.seconds for end in ends)
        return Trial(
            rate=wish.rate, seconds=wish.seconds, meant=meant, sent=meant, answered=meant,
            in_time=sum(latency <= OBJECTIVE.seconds for latency in latencies),
            mean_seconds=sum(latencies) / meant, share_seconds=0.1,
            answered_rate=half / (wish.seconds / 2), open=open_at(wish.seconds / 2),
            growth=(sixths[1] - sixths[0]) / (wish.seconds / 3),
            gauge=wish.rate / self.most if wish.sample_seconds else None,
            cpu=min(1.0, wish.rate / self.most), generator_cpu=0.2, lag=0.001,
        )  # fmt: skip


def follow(search, pod):
    """What the search found at this pod."""
    wish = next(search)
    while True:
        try:
            wish = search.send(pod(wish))
        except StopIteration as end:
            return end.value


@pytest.fixture(name="formula")
def formula_fixture():
    return Formula


@pytest.fixture(name="queue")
def queue_fixture():
    return Queue


@pytest.fixture(name="objective")
def objective_fixture():
    return OBJECTIVE


@pytest.fixture(name="follow")
def follow_fixture():
    return follow
