"""What the workers are told, found out before the load."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

from loadtest.cluster import Cluster
from loadtest.coordinator import assemble
from loadtest.coordinator.learn import Learner, Misbehaves, Unreachable
from loadtest.generator.answers import texts as made_up
from loadtest.messages import Known, Plan, Run
from loadtest.objects import Target
from nlpserve.load_tests import Reason, ReasonCode, TargetState


class NotRun(Exception):
    """There is nothing to judge; the code and the words say why."""

    def __init__(self, code: ReasonCode, text: str) -> None:
        """One reason."""
        super().__init__(text)
        self.reason = Reason(code=code, text=text)


async def prepare(cluster: Cluster, run: Run, target: Target) -> tuple[Plan, TargetState]:
    """Texts and their right answers; none when the target gives none: the load will count that.

    Raises NotRun, ClusterError.
    """
    url = await _url(cluster, run, target)
    parts = urlsplit(url)
    port = parts.port or 80
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            parts.hostname, port, type=socket.SOCK_STREAM
        )
    except OSError as error:
        raise NotRun(ReasonCode.UNREACHABLE, f"{url}: {error}") from None
    address = str(found[0][4][0])
    learner = Learner(run.scenario, parts.netloc, address, port)
    version, language, answers = "", "en", list[Known]()
    try:
        version, language = await learner.facts()
        texts = _texts(run, language)
        answers = await learner.answers(texts)
    except Unreachable as error:
        raise NotRun(ReasonCode.UNREACHABLE, f"nobody answers at {error}") from None
    except Misbehaves:
        texts, answers = _texts(run, language), []
    autoscaler = await asyncio.to_thread(cluster.autoscaler, target)
    plan = Plan(
        scenario=run.scenario, host=parts.netloc, address=address, port=port, texts=texts,
        answers=answers, index=0, number=run.scenario.workers.number, run=run.name,
    )  # fmt: skip
    return plan, assemble.state(run, target, autoscaler, url=url, version=version)


async def _url(cluster: Cluster, run: Run, target: Target) -> str:
    if run.scenario.target.url is not None:
        return run.scenario.target.url
    port = await asyncio.to_thread(cluster.service_port, target.namespace, target.name)
    return f"http://{target.name}.{target.namespace}.svc:{port}"


def _texts(run: Run, language: str) -> list[str]:
    wanted = run.scenario.texts
    if run.texts_file is not None:
        lines = Path(run.texts_file).read_text(encoding="utf-8").splitlines()
        found = [line for line in lines if line.strip()][: wanted.count]
        if not found:
            raise NotRun(ReasonCode.NOT_RUN, "the file of texts has no text")
        return found
    return made_up(language if wanted.language == "auto" else wanted.language, wanted.count)
