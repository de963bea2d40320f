"""`scorecard`: a scenario in, the record of an autoscaler's behaviour and its picture out."""

import datetime
import os
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console

from loadtest import outputs, scorecard, texts_file
from loadtest.autoscaling import plot
from loadtest.calibrate_command import INTERRUPTED
from loadtest.cluster.whole import WholeCluster
from loadtest.commit import commit
from loadtest.forecast_commands import TimingOption, read, read_timing, read_yaml
from loadtest.rate_unit import Unit
from loadtest.report import table
from loadtest.scorecard import ScorecardInvalid, ScorecardSpec, Scored
from loadtest.shaped import texts_to_learn
from loadtest.spec import LOAD_IMAGE, RolloutSpec, SpecError, explain
from loadtest.target import find_target
from nlpserve import __version__
from nlpserve.autoscale_results import AutoscaleRecord
from nlpserve.autoscaling import Calibration
from nlpserve.load_scenarios import OpenLoad, Scenario
from nlpserve.load_shapes import Profile

CARD: Final = (
    ("the rise, s after the load's begin", "rise_seconds"),
    ("rise to decision, s", "decision_seconds"),
    ("to a new pod's container, s", "started_seconds"),
    ("to a new pod ready, s", "ready_seconds"),
    ("to the objective met again, s", "met_again_seconds"),
    ("out of the objective, s", "out_of_objective_seconds"),
    ("requests", "requests"),
    ("without an answer", "failed"),
    ("of these after a new pod was ready", "failed_after_ready"),
    ("most pods", "peak"),
    ("replica-minutes", "replica_minutes"),
    ("pod-hours for a million texts", "pod_hours_per_million"),
    ("over-provisioning", "over_provisioning"),
    ("shortage", "shortage"),
    ("flaps", "flaps"),
)
FROM_RISE: Final = frozenset(
    {"decision_seconds", "started_seconds", "ready_seconds", "met_again_seconds"}
)
"""In the record they count from the load's begin."""

HeldOutOption = Annotated[
    bool, typer.Option(help="Note that the simulator was not fixed by this run.")
]
UnitOption = Annotated[
    Unit,
    typer.Option(
        help="What the scenario's rates are so many of: requests a second, pods' capacities, or"
        " what brings a pod to the calibration's CPU target."
    ),
]
FixedOption = Annotated[bool, typer.Option(help="No autoscaler owns the pods: the mode none.")]


def scorecard_command(  # noqa: PLR0917  Typer's way
    scenario: Annotated[Path, typer.Argument(help="A scenario file of the open model.")],
    out: Annotated[Path, typer.Option(help="Folder for NAME-MODE.json, .md and .svg.")],
    calibration: Annotated[Path, typer.Option(help="What `calibrate` measured: its JSON.")],
    after: Annotated[
        float, typer.Option(help="Longest time to wait after the load for the pods to go again.")
    ] = 0,
    texts: Annotated[
        Path | None, typer.Option(help="Those of the calibration, where it had your own.")
    ] = None,
    unit: UnitOption = Unit.REQUESTS,
    fixed: FixedOption = False,  # noqa: FBT002
    timing: TimingOption = None,
    held_out: HeldOutOption = False,  # noqa: FBT002
    namespace: Annotated[
        str | None, typer.Option(help="The model's namespace; else the scenario's or context's.")
    ] = None,
    load_namespace: Annotated[
        str, typer.Option(help="Namespace of the load's Job; k8s/loadtest has it.")
    ] = "loadtest",
    image: Annotated[str, typer.Option(help="The load's image.")] = LOAD_IMAGE,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
) -> None:
    """Follow a traffic shape with a real autoscaler, and say what it did.

    Exit code 0: written, whatever it says. 2: INVALID, and nothing is written.
    """
    outputs.check(out / "record.json")
    facts = read(Calibration, calibration)
    clocks = read_timing(timing)
    given = _scenario(scenario)
    own = texts_file.read(texts, texts_to_learn(facts.capacity))
    cluster = WholeCluster(context)
    where = namespace or given.target.namespace or cluster.namespace
    try:
        wanted = RolloutSpec(
            model=given.target.model,
            namespace=where,
            release=given.target.release,
            load_namespace=load_namespace,
            requests=2,
        )
        spec = ScorecardSpec(
            model=given.target.model,
            namespace=where,
            load_namespace=load_namespace,
            load=_profile(given).times(unit.of(facts)),
            objective_seconds=facts.objective_seconds,
            objective_share=facts.objective_share,
            capacity=facts.capacity,
            after_seconds=after,
            fixed=fixed,
            image=image,
            texts=own,
        )
    except ValidationError as error:
        raise explain(error) from None
    load_average = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    console = Console(stderr=True)
    try:
        with console.status("starting") as status:
            found = scorecard.run(cluster, spec, find_target(cluster, wanted), status.update)
    except KeyboardInterrupt:
        console.print("interrupted; the Job is deleted, and nothing is written")
        raise typer.Exit(INTERRUPTED) from None
    except ScorecardInvalid as error:
        raise SpecError(str(error)) from None
    started = datetime.datetime.fromtimestamp(found.began, datetime.UTC)
    record = AutoscaleRecord(
        name=f"{given.name}-{found.autoscaler.mode}",
        held_out=held_out,
        version=__version__,
        commit=commit(),
        started=started.isoformat(timespec="seconds"),
        load=spec.load,
        autoscaler=found.autoscaler,
        timing=clocks,
        calibration=facts,
        seconds=found.seconds,
        replicas=found.replicas,
        score=found.score,
        cluster=cluster.facts(),
        load_average=load_average,
        counts=found.counts,
        signals=found.signals,
    )
    _write(record, out, found)


def add_to(app: typer.Typer) -> None:
    """The command."""
    app.command("scorecard")(scorecard_command)


def card(record: AutoscaleRecord) -> str:
    """As Markdown."""
    rows: list[tuple[object, ...]] = [(words, shown(record, name)) for words, name in CARD]
    return table((record.name, ""), rows)


def shown(record: AutoscaleRecord, name: str) -> str:
    """A number of the card."""
    score = record.score
    value: float | None = getattr(score, name)
    if value is None:
        if name == "met_again_seconds":
            return "not met again" if score.out_of_objective_seconds else "never missed"
        return "-"
    if name in FROM_RISE:
        value = round(value - (score.rise_seconds or 0.0), 1)
    return f"{value:g}"


def _write(record: AutoscaleRecord, out: Path, found: Scored) -> None:
    out.mkdir(parents=True, exist_ok=True)
    place = out / record.name
    place.with_suffix(".json").write_text(record.model_dump_json() + "\n", encoding="utf-8")
    place.with_suffix(".md").write_text(card(record) + "\n", encoding="utf-8")
    place.with_suffix(".svg").write_text(plot.svg(record), encoding="utf-8")
    typer.echo(card(record))
    typer.echo(f"{place}.json, {len(found.counts)} seconds")


def _scenario(path: Path) -> Scenario:
    """Raises SpecError."""
    try:
        return Scenario.model_validate(read_yaml(path))
    except ValidationError as error:
        raise explain(error) from None


def _profile(scenario: Scenario) -> Profile:
    """Raises SpecError."""
    load = scenario.load
    if not isinstance(load, OpenLoad):
        raise SpecError("a scorecard needs the open model: users who wait would hide what is lost")
    return Profile(shape=load.shape, ramp_seconds=load.ramp_seconds, seconds=load.seconds)
