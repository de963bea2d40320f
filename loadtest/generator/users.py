"""Users of the closed model, as Locust runs them: send, wait, think, send again.

The sockets are ours, since FastHttpUser costs a millisecond of CPU a request. Importing this module
lets gevent patch the process.
"""

import random
from contextlib import suppress

import gevent
from locust import User, task
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from loadtest.generator.connection import Lost
from loadtest.generator.gevent_connection import GeventConnection
from loadtest.generator.questions import Questions
from loadtest.generator.tally import Tally
from loadtest.messages import Plan
from nlpserve.load_scenarios import ClosedLoad


class Crowd:
    """What all users of this worker share."""

    def __init__(self, plan: Plan, load: ClosedLoad, tally: Tally) -> None:
        """Nobody is there yet."""
        self.plan, self.load, self.tally = plan, load, tally
        self.life = plan.scenario.connections
        self.questions = Questions(plan)
        self.chance = random.Random(plan.index)  # noqa: S311  think times, not secrets
        self.problem: OSError | None = None
        self.connections = {
            "connections": 0, "closed_idle": 0, "closed_by_answer": 0, "closed_by_plan": 0
        }  # fmt: skip

    def wanted(self) -> int:
        """Users of this worker now: all workers together have what the shape says, rounded."""
        plan = self.plan
        users = round(self.load.at(self.tally.now()))
        return max(0, (users + plan.number - 1 - plan.index) // plan.number)

    def think(self) -> float:
        """Seconds."""
        pause = self.load.think_seconds
        return self.chance.uniform(pause.least, pause.most)


class ClassifierUser(User):
    """One user with one connection, who opens it on arrival and keeps it while thinking."""

    abstract = True
    crowd: Crowd

    def on_start(self) -> None:
        """Come, connect, and send first at any time of the own pace."""
        self._connection: GeventConnection | None = None
        self._born = self._uses = 0.0
        every = self.crowd.load.every_seconds
        wait = self.crowd.chance.uniform(0, every or self.crowd.load.think_seconds.mean)
        self._due = self.crowd.tally.now() + wait
        if wait > 0:
            with suppress(Lost):  # the request will meet it, and be counted
                self._connect()
            self._state = LOCUST_STATE_WAITING  # who has nothing under way is stopped at once
            gevent.sleep(max(0.0, self._due - self.crowd.tally.now()))
            self._state = LOCUST_STATE_RUNNING

    def on_stop(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def wait_time(self) -> float:
        """Until the next request is meant to begin."""
        crowd = self.crowd
        now = crowd.tally.now()
        every = crowd.load.every_seconds
        self._due = now + crowd.think() if every is None else self._due + every
        return max(0.0, self._due - now)

    def _connect(self) -> GeventConnection:
        crowd = self.crowd
        plan = crowd.plan
        try:
            self._connection = GeventConnection(
                plan.address, plan.port, plan.scenario.timeout_seconds
            )
        except OSError as error:  # no port, no descriptor: nothing that the target did
            crowd.problem = error
            raise StopUser from None
        crowd.connections["connections"] += 1
        self._born, self._uses = crowd.tally.now(), 0
        return self._connection

    @task
    def classify(self) -> None:
        """One request, counted."""
        crowd = self.crowd
        text, request = crowd.questions.next()
        if self._connection is not None and not self._connection.usable:
            crowd.connections["closed_idle"] += 1
            self.on_stop()
        due = self._due
        if due >= crowd.load.end:
            raise StopUser
        sent = crowd.tally.start(due)
        try:
            connection = self._connection or self._connect()
        except (gevent.GreenletExit, StopUser):
            crowd.tally.withdraw(due, sent)  # stopped before anything was sent
            raise
        except Lost as error:
            crowd.tally.end(due, sent, error.outcome, None, error.detail)
            return
        try:
            response = connection.exchange(request)
        except Lost as error:
            crowd.tally.end(due, sent, error.outcome, None, error.detail)
            self.on_stop()
            if connection.stopped:
                raise StopUser from None
            return
        self._uses += 1
        outcome, detail = crowd.questions.judge(text, response)
        crowd.tally.end(due, sent, outcome, response.status, detail)
        life = crowd.life
        worn = (life.requests is not None and self._uses >= life.requests) or (
            life.seconds is not None and crowd.tally.now() - self._born >= life.seconds
        )
        if worn or response.close:
            crowd.connections["closed_by_plan" if worn else "closed_by_answer"] += 1
            self.on_stop()
        if connection.stopped:
            raise StopUser
