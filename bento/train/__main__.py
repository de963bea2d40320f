"""`python -m bento.train`: data, training, scores, packaging and reports.

Each command imports what it needs when it runs, so that `evaluate` and `package` work in the
serving environment too.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bento.train.cli import (
    DATA,
    EXIT_CODES,
    WORK,
    DataDir,
    Part,
    Work,
    errors_in_one_line,
    fail,
)
from bento.train.package_command import package
from bento.train.report_commands import baselines, data_report, eval_report

if TYPE_CHECKING:
    from bento.train.steps import Step

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=f"From data to artifacts that are served, and their scores. {EXIT_CODES}",
    rich_markup_mode=None,
)


@app.command()
def data(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="DATA_DIR", help="A local copy: it is checked, and nothing is downloaded."
        ),
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(help="Server with the same paths as the public one.")
    ] = None,
) -> None:
    """Download the public data into ./data, or check a local copy.

    Files that are there already are checked, not fetched again.
    """
    from bento.train.data import get_data  # noqa: PLC0415
    from bento.train.sources import RAW  # noqa: PLC0415

    with errors_in_one_line():
        local = data_dir is not None and mirror is None
        folder = data_dir or DATA
        for file in get_data(folder, download=not local, base_url=mirror or RAW):
            how = "downloaded" if file.downloaded else "present"
            whole = "whole" if file.published else f"part, {file.source.rows} published"
            typer.echo(f"{file.source.name}: {how}, {file.rows} rows ({whole})")


@app.command()
def run(
    part: Annotated[Part, typer.Argument(help="Which models.")] = Part.ALL,
    *,
    data_dir: DataDir = DATA,
    work: Work = WORK,
    bge_jar: Annotated[
        Path | None,
        typer.Option(
            envvar="BGE_JAR",
            help="langchain4j's jar with bge-small-en-v1.5, if not weights/ of the data folder.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run unchanged steps too.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--step", help="Only this step; may be repeated.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Name the steps, run none.")] = False,
) -> None:
    """Train: run each step whose code, inputs, settings or outputs changed since it was done."""
    from bento.train.pipeline import choose, pipeline  # noqa: PLC0415
    from bento.train.places import Places  # noqa: PLC0415
    from bento.train.steps import run_steps  # noqa: PLC0415

    with errors_in_one_line():
        places = Places.of(data_dir.resolve(), work.resolve(), bge_jar)
        steps = choose(pipeline(part.value, places), only or ())
        if listing:
            for step in steps:
                typer.echo(f"{step.name}: {step.help}")
            return
        results = run_steps(steps, work.resolve(), force=force, on_start=announce)
        for result in results:
            done = f"done in {result.seconds:.0f} s" if result.ran else f"skipped ({result.reason})"
            typer.echo(f"{result.step}: {done}")


def announce(step: "Step", reason: str) -> None:
    """Say what begins, on standard error beside the progress bars."""
    typer.echo(f"{step.name}: {step.help} ({reason})", err=True)


@app.command()
def evaluate(
    *,
    model: Annotated[
        str,
        typer.Option(
            help="A shipped model's name or an artifact's folder; the service's name with --url."
        ),
    ],
    data_file: Annotated[
        Path, typer.Option("--data", help='JSON [{"intent", "sentence"}] or GoEmotions\' TSV.')
    ],
    url: Annotated[
        str | None, typer.Option(help="Score a running service, as http://localhost:3000.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="SERVICE_API_KEY", help="Key of that service.")
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Write the scores into the artifact's manifest.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, no table.")] = False,
) -> None:
    """Score a model on a labelled file: accuracy, P, R, F, kappa, calibration error, docs/s.

    docs_per_s is that of one thread in batches of 64, each text once, after two batches to warm
    up; with --url it is that of one connection with 64 texts a request. Of GoEmotions' 28 ids
    each is mapped onto one of 14 labels, and a prediction among a row's labels is right; the
    other measures then take the predicted label as the row's, else the row's first.
    """
    from bento.train.evaluate import ArtifactAnswers, find_artifact, rounded  # noqa: PLC0415
    from bento.train.evaluate import evaluate as score  # noqa: PLC0415
    from bento.train.labelled import read_labelled  # noqa: PLC0415
    from bento.train.package import with_scores  # noqa: PLC0415
    from bento.train.remote import ServiceAnswers  # noqa: PLC0415

    if save and url:
        fail("--save is for an artifact, not for --url", 2)
    with errors_in_one_line():
        rows = read_labelled(data_file)
        if url is None:
            result = score(rows, ArtifactAnswers(find_artifact(model)), title=model)
        else:
            with ServiceAnswers(url, model, key=api_key) as service:
                result = score(rows, service, title=model)
        scores = rounded(result.scores())
        if save:
            with_scores(find_artifact(model), scores)
        if as_json:
            typer.echo(json.dumps(scores))
            return
        from bento.train.tables import scores_table  # noqa: PLC0415

        typer.echo(scores_table(scores))


app.command()(package)


app.command()(baselines)
app.command("data-report")(data_report)
app.command("eval-report")(eval_report)


if __name__ == "__main__":
    # spaCy and transformers draw bars of their own; ours are the ones to see.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    app(prog_name="python -m bento.train")
