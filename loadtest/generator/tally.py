"""Counts every request of one worker, by the part of the load and by the second."""

import time
from typing import Final

from nlpserve.latency import COARSE, Histogram
from nlpserve.load_results import Loss, Outcome
from nlpserve.load_shapes import Profile
from nlpserve.load_tests import Measured, Second

MAX_EXAMPLES: Final = 20
DETAIL_CHARACTERS: Final = 200


class Tally:
    """`start` as a request is sent, `end` when it is known what became of it."""

    def __init__(self, profile: Profile, share: float) -> None:
        """`share` of the load is this worker's."""
        self._profile = profile
        self._share = share
        self.rise = Measured(seconds=profile.ramp_seconds)
        self.hold = Measured(seconds=profile.seconds)
        self.losses: list[Loss] = []
        self.sent = self.ended = 0
        self.last_end = 0.0
        self.last: Second | None = None
        self._seconds: dict[int, Second] = {}
        self._begin = time.perf_counter()

    def begin(self) -> None:
        """The load begins now."""
        self._begin = time.perf_counter()

    def now(self) -> float:
        """Seconds since the begin."""
        return time.perf_counter() - self._begin

    @property
    def holding(self) -> bool:
        """Whether the rise is over, and the end is not there yet."""
        return self._profile.ramp_seconds <= self.now() < self._profile.end

    def _part(self, intended: float) -> Measured:
        return self.rise if intended < self._profile.ramp_seconds else self.hold

    def _second(self, at: float) -> Second:
        number = max(0, int(at))
        found = self._seconds.get(number)
        if found is None:
            intended = self._share * self._profile.at(number)
            latency = Histogram(bits=COARSE)
            found = Second(second=number, intended=intended, latency=latency)
            self._seconds[number] = found
        return found

    def start(self, intended: float) -> float:
        """A request is being sent that was meant for `intended`; the second of the send."""
        now = self.now()
        self.sent += 1
        self._part(intended).counts.sent += 1
        self._second(now).sent += 1
        return now

    def withdraw(self, intended: float, sent: float) -> None:
        """It was not sent after all."""
        self.sent -= 1
        self._part(intended).counts.sent -= 1
        second = self._seconds.get(int(sent))
        if second is not None:
            second.sent -= 1

    def end(
        self, intended: float, sent: float, outcome: Outcome, status: int | None, detail: str = ""
    ) -> None:
        """It ended so; `status` when there was a whole answer."""
        now = self.now()
        self.ended += 1
        self.last_end = now
        part, second = self._part(intended), self._second(now)
        part.counts.count(outcome)
        if status is not None:
            part.statuses[status] = part.statuses.get(status, 0) + 1
        if outcome is Outcome.ANSWERED:
            part.intended.record(now - intended)
            part.sent.record(now - sent)
            second.answered += 1
            second.latency.record(now - intended)
            return
        second.failures += 1
        if len(self.losses) < MAX_EXAMPLES:
            text = detail[:DETAIL_CHARACTERS]
            self.losses.append(Loss(second=round(now, 3), kept=True, outcome=outcome, detail=text))

    def close_second(self, number: int, *, users: int, sockets: int) -> Second:
        """The second is over; nothing is added to it any more."""
        found = self._second(number)
        del self._seconds[number]
        found.users = users
        found.in_flight = self.sent - self.ended
        found.sockets = [sockets]
        self.last = found
        return found
