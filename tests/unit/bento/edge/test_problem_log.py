import logging

import pytest

from bento.edge.messages import Request
from bento.edge.problem_log import ProblemLog
from nlpserve.errors import InvalidRequest, Overloaded
from nlpserve.metrics import Rejection


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def request_():
    scope = {"method": "GET", "path": "/", "query_string": b"", "headers": []}
    return Request(scope, lambda: None)


def shed(reason=Rejection.QUEUE_FULL):
    return Overloaded("no room", reason=reason)


def test_bad_requests_get_a_line_each(request_, caplog):
    log = ProblemLog(Clock())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            log.write(request_, InvalidRequest("not JSON"))
    assert len(caplog.records) == 3


def test_shed_requests_share_a_line_a_second(request_, caplog):
    clock = Clock()
    log = ProblemLog(clock)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            log.write(request_, shed())
        log.write(request_, shed(Rejection.DEADLINE))
        clock.now += 1.0
        log.write(request_, shed())
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3
    assert "more for this reason" not in lines[0] + lines[1]
    assert "(4 more for this reason since the last line)" in lines[2]
