"""The process that makes the load: `python -m loadtest.stress SPEC`, a StressSpec as JSON."""

import signal
import sys
from typing import Final

import gevent
from gevent.event import Event
from locust import stats
from locust.env import Environment
from locust.log import setup_logging
from locust.web import WebUI

from loadtest.stress import plots
from loadtest.stress.spec import HISTORY_FILE, WEB_HOST, StressSpec
from loadtest.stress.users import users

ANSWERED, FAILED, NOT_RUN, INTERRUPTED = 0, 1, 2, 130
WEB_SECONDS: Final = 10.0
"""Longest time until Locust's page listens."""
LAST_ROW_SECONDS: Final = 2 * stats.CSV_STATS_INTERVAL_SEC
"""After the last answer, until the tables have it."""


class StressError(Exception):
    """The run cannot go on; the message says why."""


def run(spec: StressSpec) -> int:
    """Load, tables, plots, statistics; what the process ends with."""
    interrupted = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, interrupted.set)
    environment = Environment(user_classes=[users(spec)], host=spec.host, stop_timeout=spec.timeout)
    runner = environment.create_local_runner()
    tables = stats.StatsCSVFileWriter(
        environment, stats.PERCENTILES_TO_REPORT, f"{spec.out}/", full_history=True
    )
    page = environment.create_web_ui(WEB_HOST, spec.web_port, stats_csv_writer=tables)
    try:
        _wait_for(page, spec.web_port)
        print(f"Locust's page: http://{WEB_HOST}:{spec.web_port}", flush=True)
        writing = [gevent.spawn(tables.stats_writer), gevent.spawn(stats.stats_history, runner)]
        if sys.stdout.isatty():
            writing.append(gevent.spawn(stats.stats_printer(runner.stats)))
        runner.start(spec.user_count, spec.spawn_rate)
        if interrupted.wait(spec.length):
            environment.stop_timeout = 0  # nobody wants to wait for open requests
        runner.stop()
        gevent.sleep(LAST_ROW_SECONDS)
        gevent.killall(writing, timeout=LAST_ROW_SECONDS)
    finally:
        runner.quit()
        page.stop()  # type: ignore[no-untyped-call]
        tables.close_files()
    plots.draw(spec.out / HISTORY_FILE, spec.out)
    if interrupted.is_set():
        _tell(environment, spec)
        return INTERRUPTED
    return _tell(environment, spec) or (FAILED if runner.exceptions else ANSWERED)


def _wait_for(page: WebUI, port: int) -> None:
    with gevent.Timeout(WEB_SECONDS, False):  # noqa: FBT003  gevent's way
        while not (page.server and page.server.started):
            if page.greenlet is None or page.greenlet.ready():
                break
            gevent.sleep(0.05)
        else:
            return
    raise StressError(f"Locust's page does not listen on {WEB_HOST}:{port}")


def _tell(environment: Environment, spec: StressSpec) -> int:
    total = environment.stats.total
    parts = [stats.get_stats_summary(environment.stats, current=False)]
    parts.append(stats.get_percentile_stats_summary(environment.stats))
    if environment.stats.errors:
        parts.append(stats.get_error_report_summary(environment.stats))
    for part in parts:
        print("\n".join(part), end="\n\n")
    print(
        f"{total.num_requests} requests, {total.num_failures} failures,"
        f" {total.total_rps:.1f} requests/s, median {total.median_response_time} ms;"
        f" tables and plots are in {spec.out.resolve()}"
    )
    if not total.num_requests:
        print("no request came to an end", file=sys.stderr)
        return NOT_RUN
    return FAILED if total.num_failures else ANSWERED


def main() -> int:
    """From the command line."""
    spec = StressSpec.model_validate_json(sys.argv[1])
    setup_logging("WARNING")  # type: ignore[no-untyped-call]
    try:
        return run(spec)
    except StressError as error:
        print(error, file=sys.stderr)
        return NOT_RUN


if __name__ == "__main__":
    sys.exit(main())
