"""`python -m loadtest.generator.calibration`: searches the knee of the pods, from beside them.

The spec comes in LOADTEST_SPEC. A line for each load goes to standard output; the last word goes to
the container's termination message.
"""

import asyncio
import os
import sys
import time
from typing import Final
from urllib.parse import urlsplit

import orjson
import uvloop

from loadtest.calibration.knees import Invalid
from loadtest.calibration.search import search
from loadtest.calibration.spec import CalibrationLoad, Searched
from loadtest.calibration.trials import Trial, Wish
from loadtest.generator import answers
from loadtest.generator.__main__ import deliver
from loadtest.generator.connection import Lost
from loadtest.generator.pinned import CPU, MEMORY, Pinned, Pod, TrialFailed
from loadtest.generator.trial import Load
from loadtest.protocol import PROGRESS, SPEC_VARIABLE
from nlpserve import routes

AGAIN_SECONDS: Final = 0.5
IDLE_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 0.5
"""Between two loads, in which the pod comes to rest."""


def main() -> int:
    """0 when the search came to an end, whatever it says."""
    spec = CalibrationLoad.model_validate_json(os.environ[SPEC_VARIABLE])
    try:
        said = uvloop.run(calibrate(spec))
    except (TrialFailed, Lost, TimeoutError, OSError) as error:
        deliver(f"{type(error).__name__}: {error}".encode())
        return 1
    deliver(said.model_dump_json().encode())
    return 0


async def calibrate(spec: CalibrationLoad) -> Searched:
    """Raises TrialFailed, Lost, TimeoutError, and OSError of this machine's own."""
    places = [urlsplit(url) for url in spec.urls]
    pods = [Pod(place.hostname or "", place.port or 80) for place in places]
    target = Pinned(pods, spec.model, spec.timeout_seconds)
    version, language = await model_facts(target, spec.wait_seconds)
    texts = list(spec.texts) or answers.texts(language, spec.made_up)
    await target.learn(answers.mixed(texts))
    said = Searched(model_version=version, language=language, texts=len(texts))
    said.idle_cpu = await _idle(target)
    plan = spec.search
    await Load(target, Wish(rate=plan.start_rate, seconds=spec.warm_seconds), plan.objective).run()
    steps = search(plan)
    try:
        wish = next(steps)
        for number in range(1, sys.maxsize):
            trial = await Load(target, wish, plan.objective).run()
            _tell(number, trial, met=trial.holds(plan.objective))
            await asyncio.sleep(PAUSE_SECONDS)
            wish = steps.send(trial)
    except StopIteration as end:
        said.found = end.value
    except Invalid as error:
        said.invalid = str(error)
    said.memory_bytes = await target.metric(MEMORY)
    return said


async def model_facts(target: Pinned, wait_seconds: float) -> tuple[str, str]:
    """The model's version and language, once it answers. Raises TrialFailed."""
    deadline = time.monotonic() + wait_seconds
    request = answers.get(target.host, routes.V1_MODEL.format(model=target.model))
    while True:
        try:
            response = await target.ask(request)
            if response.status == 200:
                facts = orjson.loads(response.body)
                return str(facts["version"]), str(facts["language"])
            problem = f"status {response.status}: {response.body[:200]!r}"
        except (Lost, TimeoutError) as error:
            problem = str(error) or "no answer in time"
        except (ValueError, KeyError, TypeError):
            raise TrialFailed("the pod tells nothing of its model") from None
        if time.monotonic() > deadline:
            raise TrialFailed(f"the pod does not answer: {problem}")
        await asyncio.sleep(AGAIN_SECONDS)


async def _idle(target: Pinned) -> float:
    before, began = await target.metric(CPU), time.perf_counter()
    await asyncio.sleep(IDLE_SECONDS)
    return (await target.metric(CPU) - before) / (time.perf_counter() - began)


def _tell(number: int, trial: Trial, *, met: bool) -> None:
    """One line that the runner outside reads."""
    words = {"trial": number, "rate": round(trial.rate, 1), "met": met}
    words["share"] = round(trial.in_time / trial.meant, 4)
    print(PROGRESS + orjson.dumps(words).decode(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
