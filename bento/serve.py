"""`make serve`: say how to call the service, then become `bentoml serve`."""

import os
import sys
from typing import Annotated

import typer

from bento.settings import PREFIX, SettingsError, load_settings

EXAMPLES = """
nlpserve starts on {url} (Ctrl-C ends it). In a few seconds try:

  curl '{url}/api/intent?sentence=un%20train%20pour%20Lyon%20demain%20matin'
  curl {url}/ -H 'Content-Type: application/json' -d '{{"comment": "Thanks a lot, this made my day!"}}'
  curl {url}/v1/models

or open {url}/ and type. The API is at {url}/docs, predictions are logged to {log}.
"""  # noqa: E501  commands are for pasting


def main(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    models: Annotated[str, typer.Option(help="Models to serve, by comma.")] = "",
) -> None:
    """Serve the models in the foreground."""
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    os.environ.setdefault(PREFIX + "PREDICTIONS_LOG", "text")
    if models:
        os.environ[PREFIX + "MODELS"] = models
    try:
        settings = load_settings()
    except SettingsError as error:
        typer.echo(f"nlpserve: {error}", err=True)
        raise typer.Exit(2) from None
    log = settings.predictions_log_file if settings.predictions_log != "off" else "nowhere"
    typer.echo(EXAMPLES.format(url=f"http://localhost:{port}", log=log))
    sys.stdout.flush()
    command = [
        sys.executable, "-m", "bentoml", "serve", "bento.service:nlpserve",
        "--host", host,
        "--port", str(port),
        "--timeout-keep-alive", str(settings.keep_alive_seconds),
        "--timeout-graceful-shutdown", str(settings.shutdown_seconds),
    ]  # fmt: skip
    os.execv(sys.executable, command)  # noqa: S606  the same process, so that signals arrive


if __name__ == "__main__":
    typer.run(main)
