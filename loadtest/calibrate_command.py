"""`calibrate`: options in, a values file and its facts out."""

import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from loadtest import outputs, texts_file
from loadtest.calibrate import Calibrated, CalibrationFailed, calibrate
from loadtest.calibrate_spec import CalibrateSpec, Form
from loadtest.calibration import derived, values_file
from loadtest.calibration.manifests import NotCalibratable
from loadtest.calibration.spec import MOST_BATCH, MOST_PODS
from loadtest.calibration.trials import Objective
from loadtest.cluster.whole import WholeCluster
from loadtest.commit import commit
from loadtest.spec import LOAD_IMAGE, RolloutSpec, SpecError, explain
from loadtest.target import find_target

INTERRUPTED = 130


def calibrate_command(  # noqa: PLR0917  Typer's way
    model: Annotated[str, typer.Option(help="Name of a model of the chart.")],
    out: Annotated[
        Path, typer.Option(help="Values file to write; the facts go beside it as .json.")
    ],
    form: Annotated[Form, typer.Option(help="quick: under 4 minutes.")] = Form.FULL,
    objective_seconds: Annotated[float, typer.Option(help="Longest time of an answer,")] = 0.5,
    objective_share: Annotated[
        float, typer.Option(help="for so large a share of the requests.")
    ] = 0.99,
    texts: Annotated[
        Path | None, typer.Option(help="Your own texts, one a line; else made-up ones.")
    ] = None,
    start_rate: Annotated[float, typer.Option(help="Requests/s of a pod to begin with.")] = 20,
    pods: Annotated[
        int, typer.Option(min=1, max=MOST_PODS, help="Load so many together; rates are of one.")
    ] = 1,
    cpu: Annotated[
        str | None, typer.Option(help="CPU limit of the pods, such as 500m; else the release's.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, max=MOST_BATCH, help="The same for batching.maxBatchSize.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(help="The model's namespace; else the context's.")
    ] = None,
    release: Annotated[
        str | None, typer.Option(help="Helm release, when several have the model.")
    ] = None,
    load_namespace: Annotated[
        str, typer.Option(help="Namespace of the load's Job; k8s/loadtest has it.")
    ] = "loadtest",
    image: Annotated[str, typer.Option(help="The load's image.")] = LOAD_IMAGE,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
) -> None:
    """Find what one pod holds, beside production, and write it as values for `helm upgrade -f`.

    Exit code 0: written. 2: INVALID, and nothing is written.
    """
    beside = out.with_suffix(".json")
    if beside == out:
        raise SpecError("out: the facts go beside the values as .json, so name another ending")
    outputs.check(out)
    outputs.check(beside)
    cluster = WholeCluster(context)
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    own = texts_file.read(texts)
    try:
        spec = CalibrateSpec(
            model=model,
            namespace=namespace or cluster.namespace,
            release=release,
            load_namespace=load_namespace,
            image=image,
            form=form,
            objective_seconds=objective_seconds,
            objective_share=objective_share,
            start_rate=start_rate,
            pods=pods,
            cpu=cpu,
            batch_size=batch_size,
            texts=own,
        )
        wanted = RolloutSpec(
            model=model,
            namespace=spec.namespace,
            release=release,
            load_namespace=load_namespace,
            requests=2,
        )
    except ValidationError as error:
        raise explain(error) from None
    target = find_target(cluster, wanted)
    console = Console(stderr=True)
    try:
        with console.status("starting") as status:
            found = calibrate(cluster, spec, target, status.update)
    except KeyboardInterrupt:
        console.print("interrupted; both Jobs are deleted, and nothing is written")
        raise typer.Exit(INTERRUPTED) from None
    except (CalibrationFailed, NotCalibratable) as error:
        raise SpecError(str(error)) from None
    chosen = f"{texts.name if texts else 'made-up'}, {found.searched.texts}"
    _write(out, spec, found, started, chosen)


def add_to(app: typer.Typer) -> None:
    """The command."""
    app.command("calibrate")(calibrate_command)


def _write(out: Path, spec: CalibrateSpec, found: Calibrated, started: str, texts: str) -> None:
    result = found.searched.found
    if result is None:  # `calibrate` has refused it
        raise SpecError(found.searched.invalid)
    objective = Objective(seconds=spec.objective_seconds, share=spec.objective_share)
    facts = derived.calibration(spec.model, result, objective, found.release, found.pod).model_copy(
        update={"commit": commit(), "started": started}
    )
    settings = derived.derive(result, objective, found.release)
    values = values_file.write(
        result,
        settings,
        objective,
        found.release,
        values_file.Origin(
            model=spec.model,
            model_version=found.searched.model_version,
            started=started,
            commit=commit(),
            form=spec.form,
            texts=texts,
            seconds=spec.load_seconds,
            pods=spec.pods,
            memory_mib=found.pod.memory_mib,
        ),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(values, encoding="utf-8")
    beside = out.with_suffix(".json")
    beside.write_text(facts.model_dump_json(indent=2, by_alias=True) + "\n", encoding="utf-8")
    typer.echo(values_file.summary(result))
    for line in settings.warnings:
        typer.echo(line)
    typer.echo(f"helm upgrade -f {out} …; plan and simulate read {beside}")
