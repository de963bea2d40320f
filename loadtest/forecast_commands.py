"""`plan` and `simulate`: files in, numbers out. Neither asks a cluster."""

import math
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError

from loadtest import forecast_report
from loadtest.autoscaling import chart, shapes
from loadtest.autoscaling.against import compare, too_few
from loadtest.autoscaling.forecast import forecast
from loadtest.autoscaling.plan import HEADROOM, Node, plan
from loadtest.autoscaling.simulation import World
from loadtest.calibration import derived
from loadtest.spec import SpecError
from nlpserve.autoscale_results import AutoscaleRecord
from nlpserve.autoscaling import Autoscaler, Calibration, ClusterTiming
from nlpserve.load_shapes import Profile

CHART_VALUES: Final = Path(__file__).parents[1] / "helm" / "nlpserve" / "values.yaml"
BEYOND: Final = 1
"""Exit code: a recorded run is not within the aim."""

Read = TypeVar("Read", bound=BaseModel)
ValuesOption = Annotated[
    list[Path] | None,
    typer.Option(help="Chart values over the calibration's, as for helm; may come more than once."),
]
ModeOption = Annotated[str | None, typer.Option(help="none, cpu or keda in place of the values'.")]
TimingOption = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=SECONDS of the cluster: syncSeconds, metricsSeconds, scrapeSeconds, …",
    ),
]
ExtrapolateOption = Annotated[
    bool, typer.Option(help="Go beyond 20 times the largest measured number of pods.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def simulate_command(  # noqa: PLR0917  Typer's way
    shape: Annotated[
        str | None,
        typer.Option(
            help="Requests/s: 50, or spike:base=20,peak=200,begins=60,lasts=300, or FILE."
        ),
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="What `calibrate` measured: its JSON.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long it goes on.")] = 900,
    before: Annotated[float, typer.Option(help="Requests/s until it begins.", min=0)] = 0,
    values: ValuesOption = None,
    mode: ModeOption = None,
    timing: TimingOption = None,
    against: Annotated[
        Path | None, typer.Option(help="Folder of recorded runs to compare with instead.")
    ] = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """What an autoscaler would do under a traffic shape, or how well that is known.

    With --against: exit code 1 when a run's replica-minutes are missed by more than 15 % or its
    peak is not exact, 2 when the folder has no runs. Fewer than six runs, or than three held-out
    ones, are said on standard error.
    """
    if against is not None:
        _compare(against, json=json)
        return
    if shape is None or calibration is None:
        raise SpecError("simulate needs --shape and --calibration, or --against")
    facts = read(Calibration, calibration)
    settings = autoscaler(facts, values, mode)
    world = World(settings, facts, read_timing(timing), before=before)
    load = read_shape(shape, seconds)
    found = forecast(world, load.at, load.end)
    typer.echo(found.model_dump_json(indent=2) if json else forecast_report.simulated(found, load))


def plan_command(  # noqa: PLR0917  Typer's way
    rate: Annotated[float, typer.Option(help="Requests/s.", min=0.001)],
    capacity: Annotated[Path, typer.Option(help="What `calibrate` measured: its JSON.")],
    values: ValuesOption = None,
    mode: ModeOption = None,
    timing: TimingOption = None,
    node_cpu: Annotated[float, typer.Option(help="Cores of a node.")] = 4,
    node_memory: Annotated[float, typer.Option(help="Memory of a node in GiB.")] = 16,
    headroom: Annotated[
        float, typer.Option(help="Share of each pod's capacity to leave free.", min=0, max=0.9)
    ] = HEADROOM,
    extrapolate: ExtrapolateOption = False,  # noqa: FBT002
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Pods, CPU, memory, nodes and load workers for a rate, and how the autoscaler gets there."""
    facts = read(Calibration, capacity)
    try:
        found = plan(
            rate,
            facts,
            autoscaler(facts, values, mode),
            Node(cpu=node_cpu, memory_gib=node_memory),
            timing=read_timing(timing),
            headroom=headroom,
            extrapolate=extrapolate,
        )
    except ValueError as error:  # out of reach, or a node without CPU
        raise SpecError(str(error)) from None
    typer.echo(found.model_dump_json(indent=2) if json else forecast_report.planned(found))


def add_to(app: typer.Typer) -> None:
    """Both commands."""
    app.command("simulate")(simulate_command)
    app.command("plan")(plan_command)


def read(kind: type[Read], path: Path) -> Read:
    """A JSON file of ours. Raises SpecError."""
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SpecError(f"{path}: {where}: {first['msg']}") from None


def autoscaler(facts: Calibration, files: list[Path] | None, mode: str | None) -> Autoscaler:
    """By the chart's values, the calibration's own over them, and the given files over these.

    Raises SpecError, also where the pods would be of another size than the calibrated one.
    """
    given: dict[str, Any] = {}
    for path in files or []:
        given = chart.merged(given, read_yaml(path))
    try:
        values = chart.merged(read_yaml(CHART_VALUES), given)
        model = chart.settings(values, facts.model)
        own = derived.own_settings(facts)
        for said in (given.get("defaults"), (given.get("models") or {}).get(facts.model)):
            own = chart.missing(own, said or {})
        model = chart.merged(model, own)
        limit, found = chart.cpu(model), chart.autoscaler(model, mode)
    except (ValueError, KeyError, TypeError) as error:
        raise SpecError(f"the autoscaler's values: {error}") from None
    if not math.isclose(limit, facts.cpu_limit, rel_tol=1e-3):
        raise SpecError(
            f"by the values a pod may use {limit:g} CPU, and one with {facts.cpu_limit:g} was"
            " calibrated"
        )
    return found


def read_timing(words: list[str] | None) -> ClusterTiming:
    """The cluster's own settings. Raises SpecError."""
    try:
        return ClusterTiming.model_validate(dict(word.split("=", 1) for word in words or []))
    except ValueError as error:
        known = ", ".join(field.alias or "" for field in ClusterTiming.model_fields.values())
        raise SpecError(f"timing: NAME=SECONDS with a name of {known} ({error})") from None


def read_shape(text: str, seconds: float) -> Profile:
    """In one line, or a YAML file with shape, seconds and ramp_seconds. Raises SpecError."""
    try:
        if Path(text).is_file():
            return Profile.model_validate(read_yaml(Path(text)))
        return shapes.parse(text, seconds)
    except ValueError as error:
        raise SpecError(f"shape: {error}") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """A file with a map in it. Raises SpecError."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SpecError(f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise SpecError(f"{path}: no map of values")
    return found


def _compare(folder: Path, *, json: bool) -> None:
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise SpecError(f"{folder} has no recorded runs")
    found = [compare(read(AutoscaleRecord, path)) for path in paths]
    if json:
        typer.echo("[" + ",\n ".join(entry.model_dump_json() for entry in found) + "]")
    else:
        typer.echo(forecast_report.compared(found))
    missing = too_few(found)
    if missing:
        typer.echo(missing, err=True)
    if not all(entry.within for entry in found):
        raise typer.Exit(BEYOND)
