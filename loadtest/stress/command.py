"""`python -m loadtest stress`: options in, checked, then a process of Locust's own."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from loadtest.spec import explain
from loadtest.stress import preflight
from loadtest.stress.spec import Route, StressSpec


def add_to(app: typer.Typer) -> None:
    """The command `stress`."""
    app.command()(stress)


def stress(  # noqa: PLR0917  Typer's way
    user_count: Annotated[
        int, typer.Option("-u", "--user_count", "--user-count", help="Users at the same time.")
    ] = 1,
    spawn_rate: Annotated[
        float, typer.Option("-r", "--spawn_rate", "--spawn-rate", help="Users that begin a second.")
    ] = 1,
    length: Annotated[float, typer.Option("-l", "--length", help="Seconds that it takes.")] = 30,
    host: Annotated[
        str, typer.Option(help="Where the service is, without a path.")
    ] = "http://localhost:3000",
    route: Annotated[
        Route, typer.Option(help="emotion: POST / with comments; intent: GET /api/intent.")
    ] = Route.EMOTION,
    out: Annotated[Path, typer.Option(help="Folder for tables and plots.")] = Path(),
    web_port: Annotated[int, typer.Option(help="Port of Locust's page on 127.0.0.1.")] = 8089,
    timeout: Annotated[float, typer.Option(help="Seconds that a user waits for an answer.")] = 30,
) -> None:
    """Load a URL from this machine: users who ask again as soon as they are answered.

    Locust's page shows it meanwhile. Exit code 0 when all was answered, 1 when something failed,
    2 when it did not run, 130 after Ctrl-C; tables and plots are written each time.
    """
    try:
        spec = StressSpec(
            host=host.rstrip("/"),
            user_count=user_count,
            spawn_rate=spawn_rate,
            length=length,
            route=route,
            out=out,
            web_port=web_port,
            timeout=timeout,
        )
    except ValidationError as error:
        raise explain(error) from None
    preflight.check(spec)
    # Locust wants to change the standard library before anything else uses it.
    command = [sys.executable, "-m", "loadtest.stress", spec.model_dump_json()]
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606  no shell is meant
