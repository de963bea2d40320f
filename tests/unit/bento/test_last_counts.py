"""What a process says as it ends: nobody can scrape it by then."""

import logging

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
