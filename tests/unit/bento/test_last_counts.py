"""What a process says as it ends: nobody can scrape it by then."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from bento.runtime import Runtime
from bento.settings import Settings
from loadtest.coordinator.counters import from_log


async def test_the_last_counts_are_logged_once_and_read_by_load_tests(caplog):
    caplog.set_level(logging.INFO, "bento.runtime")
    runtime = Runtime(Settings())
    runtime.lifecycle.started = True
    for code in (200, 200, 503):
        runtime.metrics.observe_request("intent", "/v1/models/{model}/classify", code, 0.1)
    await runtime.stop()
    await runtime.stop()
    (found,) = filter(None, (from_log(line, "intent", "v1") for line in caplog.messages))
    assert found.ours == {"200": 2, "503": 1}


def test_lines_lost_by_the_loop_and_by_the_logs_thread_are_all_counted():
    class Slow:
        """Gives way between reading and writing."""

        lost = 0

        @property
        def prediction_log_dropped(self):
            found = self.lost
            time.sleep(0.001)
            return found

        @prediction_log_dropped.setter
        def prediction_log_dropped(self, number):
            self.lost = number

    runtime = Runtime(Settings())
    runtime.metrics = Slow()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            pool.submit(runtime._count_dropped_line)
    assert runtime.metrics.lost == 20
