"""From a wish to a decision: bounds, stabilisation windows, and so many pods a period.

After kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, "Configurable scaling
behavior".
"""

import math
from collections import deque
from dataclasses import dataclass, field

from nlpserve.autoscaling import Autoscaler, ScalingRules


@dataclass
class Decisions:
    """One autoscaler's memory."""

    settings: Autoscaler
    _wishes: deque[tuple[float, int]] = field(default_factory=deque)
    _added: list[tuple[float, int]] = field(default_factory=list)
    _removed: list[tuple[float, int]] = field(default_factory=list)

    def decide(self, now: float, current: int, wish: int | None) -> int:
        """How many pods there shall be. `now` never goes back; None: no metric, no change."""
        if not self._wishes:
            self._wishes.append((now, current))
        decision = self._bounded(now, current, wish)
        rules = self.settings.behavior
        if decision > current:
            _note(self._added, (now, decision - current), rules.scale_up)
        elif decision < current:
            _note(self._removed, (now, current - decision), rules.scale_down)
        return decision

    def _bounded(self, now: float, current: int, wish: int | None) -> int:
        fewest, most = self.settings.min_replicas, self.settings.max_replicas
        if current > most:
            return most
        if current < fewest:
            return fewest
        if wish is None:
            return current
        steady = self._stabilised(now, current, wish)
        if steady > current:
            rules = self.settings.behavior.scale_up
            limit = max(current, self._limit(now, current, rules, up=True))
            return min(steady, most, limit)
        if steady < current:
            rules = self.settings.behavior.scale_down
            limit = min(current, self._limit(now, current, rules, up=False))
            return max(steady, fewest, limit)
        return steady

    def _stabilised(self, now: float, current: int, wish: int) -> int:
        """As close to the present number as the wishes of the two windows allow."""
        behavior = self.settings.behavior
        up_since = now - behavior.scale_up.stabilization_window_seconds
        down_since = now - behavior.scale_down.stabilization_window_seconds
        lowest = min([wish, *(old for second, old in self._wishes if second > up_since)])
        highest = max([wish, *(old for second, old in self._wishes if second > down_since)])
        self._wishes.append((now, wish))
        while self._wishes[0][0] < min(up_since, down_since):
            self._wishes.popleft()
        return min(max(current, lowest), highest)

    def _limit(self, now: float, current: int, rules: ScalingRules, *, up: bool) -> int:
        """The number that the policies allow by now."""
        if rules.select_policy == "Disabled":
            return current
        limits = []
        for policy in rules.policies:
            since = now - policy.period_seconds
            begin = current - _sum(self._added, since) + _sum(self._removed, since)
            if policy.type == "Pods":
                limits.append(begin + policy.value if up else begin - policy.value)
            elif up:
                limits.append(math.ceil(begin * (1 + policy.value / 100)))
            else:
                limits.append(int(begin * (1 - policy.value / 100)))
        return max(limits) if up == (rules.select_policy == "Max") else min(limits)


def _note(changes: list[tuple[float, int]], change: tuple[float, int], rules: ScalingRules) -> None:
    """As the controller does: over the last one that no policy of this direction looks back to.

    A policy of the other direction with a longer period no longer sees that one.
    """
    since = change[0] - max(policy.period_seconds for policy in rules.policies)
    outdated = [place for place, (second, _) in enumerate(changes) if second < since]
    if outdated:
        changes[outdated[-1]] = change
    else:
        changes.append(change)


def _sum(changes: list[tuple[float, int]], since: float) -> int:
    return sum(number for second, number in changes if second > since)
