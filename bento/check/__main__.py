"""`python -m bento.check model URL …` and `python -m bento.check kinds KIND …`."""

from pathlib import Path
from typing import Annotated

import typer

from bento.check.client import CheckFailed, Client
from bento.check.kinds import cluster_client, missing_kinds
from bento.check.serving import Expected, run_checks
from nlpserve import routes

app = typer.Typer(add_completion=False, help="Ask a running server whether it is as documented.")


@app.command()
def model(  # noqa: PLR0917  Typer's way
    url: Annotated[str, typer.Argument(help="Address, such as http://localhost:3000.")],
    name: Annotated[str, typer.Option("--model", help="Name of the served model.")],
    text: Annotated[str, typer.Option(help="A text of its language.")],
    label: Annotated[str, typer.Option(help="The label it must get; any, when empty.")] = "",
    keys_file: Annotated[
        Path | None, typer.Option(help="A file with an API key on each line.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for readiness.")] = 60.0,
) -> None:
    """Check a model: its routes, its limits, its metrics."""
    failed = 0
    try:
        key = _first_key(keys_file)
        with Client(url, key=key) as client:
            client.wait_until_ready(routes.READYZ, wait)
            for check, finding, good in run_checks(client, Expected(name, text, label, bool(key))):
                typer.echo(f"{'ok    ' if good else 'FAILED'} {check}: {finding}")
                failed += not good
    except CheckFailed as error:
        _fail(str(error))
    if failed:
        _fail(f"{failed} checks of {name} failed")


@app.command()
def kinds(
    names: Annotated[list[str], typer.Argument(help="GROUP/VERSION/KIND.")],
) -> None:
    """Name the kinds that the cluster of this pod does not know."""
    try:
        with cluster_client() as client:
            missing = missing_kinds(client, names)
    except CheckFailed as error:
        _fail(str(error))
    for name in missing:
        typer.echo(f"FAILED {name}: the cluster has no such kind; install what brings its CRD")
    if missing:
        raise typer.Exit(1)
    typer.echo(f"ok     {', '.join(names)}")


def _first_key(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        lines = file.read_text(encoding="utf-8").split()
    except OSError as error:
        raise CheckFailed(f"{file} cannot be read: {error.strerror}") from None
    if not lines:
        raise CheckFailed(f"{file} holds no key")
    return lines[0]


def _fail(message: str) -> None:
    typer.echo(f"FAILED {message}", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app(prog_name="python -m bento.check")
