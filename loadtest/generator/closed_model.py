"""The closed model: Locust starts and stops users as the shape says, until the load is over.

Importing this module lets gevent patch the process.
"""

import socket
import time
from contextlib import suppress
from typing import Any, Final

import gevent
import gevent.socket
from gevent.server import StreamServer
from locust.env import Environment

from loadtest.generator.gevent_connection import CHUNK_BYTES
from loadtest.generator.tally import Tally
from loadtest.generator.users import ClassifierUser, Crowd
from loadtest.generator.watch import LAG_PERIOD, Watch
from loadtest.generator.worker import (
    SCRAPE_SECONDS,
    ChannelLost,
    done,
    exposed,
    line,
    metrics_port,
)
from loadtest.messages import Begin, Plan, Ready, Tick
from nlpserve.load_scenarios import ClosedLoad

FOLLOW_SECONDS: Final = 0.25
"""How often the number of users follows the shape."""


def closed_worker(channel: socket.socket, plan: Plan, pod: str) -> None:
    """The closed model. Raises ChannelLost, and OSError of this machine's own."""
    load = plan.scenario.load
    if not isinstance(load, ClosedLoad):
        raise TypeError("not of the closed model")
    line_out = gevent.socket.socket(fileno=channel.detach())
    line_out.settimeout(None)
    port = metrics_port()
    tally = Tally(load, 1 / plan.number)
    watch = Watch(plan.scenario.workers.cpu, listeners=int(port is not None))
    if port is not None:
        _expose(port, plan, tally, watch)
    crowd = Crowd(plan, load, tally)
    # Locust finds users by their class; the crowd is the class's.
    users: Any = type("Classifier", (ClassifierUser,), {"crowd": crowd, "abstract": False})
    environment = Environment(user_classes=[users], stop_timeout=plan.scenario.timeout_seconds + 1)
    runner = environment.create_local_runner()
    line_out.sendall(line(Ready()))
    with line_out.makefile("rb") as lines:
        text = lines.readline()
    if not text:
        raise ChannelLost("the coordinator went before the load began")
    Begin.model_validate_json(text)
    watch.begin()
    tally.begin()
    gone = gevent.spawn(line_out.recv, 1)
    tick = gevent.spawn(_tick, line_out, crowd, watch, runner)
    lag = gevent.spawn(_lag, watch, tally)
    try:
        while tally.now() < load.end:
            if crowd.problem is not None:
                raise crowd.problem
            if gone.dead or tick.dead:
                raise ChannelLost("the coordinator went while the load ran")
            _follow(runner, crowd.wanted())
            gevent.sleep(min(FOLLOW_SECONDS, max(0.0, load.end - tally.now())))
        if runner.user_count:
            runner.stop_users({"Classifier": runner.user_count})
        gevent.sleep(1 - tally.now() % 1 + FOLLOW_SECONDS)  # the last second is told, too
    finally:
        gevent.killall([gone, tick, lag])
    line_out.sendall(line(done(plan, pod, tally, watch, crowd.connections)))
    line_out.close()


def _expose(port: int, plan: Plan, tally: Tally, watch: Watch) -> None:
    def asked(connection: Any, _address: object) -> None:  # noqa: ANN401  gevent's socket
        connection.settimeout(SCRAPE_SECONDS)
        with suppress(OSError), connection:  # it is asked again soon
            connection.recv(CHUNK_BYTES)
            connection.sendall(exposed(plan, tally, watch))

    # gevent takes "" for IPv6, whose sockets Watch does not count.
    StreamServer(("0.0.0.0", port), asked).start()  # noqa: S104


def _follow(runner: Any, wanted: int) -> None:  # noqa: ANN401  Locust's
    more = wanted - runner.user_count
    if more > 0:
        runner.spawn_users({"Classifier": more})
    elif more < 0:
        runner.stop_users({"Classifier": -more})


def _tick(line_out: Any, crowd: Crowd, watch: Watch, runner: Any) -> None:  # noqa: ANN401
    load = crowd.load
    number = 0
    while True:
        gevent.sleep(max(0.0, number + 1 - crowd.tally.now()))
        hold = load.holds(number)
        sockets = watch.sample(hold=hold)
        second = crowd.tally.close_second(number, users=runner.user_count, sockets=sockets)
        line_out.sendall(line(Tick(second=second)))
        number += 1


def _lag(watch: Watch, tally: Tally) -> None:
    while True:
        before = time.perf_counter()
        gevent.sleep(LAG_PERIOD)
        watch.lag(time.perf_counter() - before - LAG_PERIOD, hold=tally.holding)
