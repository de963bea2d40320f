"""`python -m bento.serve`: the service in one process, as `make serve` and the image run it.

`bentoml serve` works as well. It adds a supervisor: a second process that imports everything once
more. Here BentoML's own worker runs as this very process, so that it starts sooner, signals reach
it and its end is the process's end.
"""

import os
import signal
import socket
import sys
from typing import Annotated, Final

import typer

from bento.preflight import check_start
from bento.settings import PREFIX

BACKLOG: Final = 2048
EXAMPLES: Final = """
nlpserve starts on {url} (Ctrl-C ends it). In a few seconds try:

  curl '{url}/api/intent?sentence=un%20train%20pour%20Lyon%20demain%20matin'
  curl {url}/ -H 'Content-Type: application/json' -d '{{"comment": "Thanks a lot, this made my day!"}}'
  curl {url}/v1/models

or open {url}/ and type. The API is at {url}/docs, predictions are logged to {log}.
"""  # noqa: E501  commands are for pasting


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener


def main(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    models: Annotated[str, typer.Option(help="Models to serve, by comma.")] = "",
    examples: Annotated[bool, typer.Option(help="Say how to call it; log texts.")] = False,  # noqa: FBT002
) -> None:
    """Serve the models in the foreground."""
    # Until uvicorn does: the first process of a container ignores what it does not handle.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    if examples:
        os.environ.setdefault(PREFIX + "PREDICTIONS_LOG", "text")
    if models:
        os.environ[PREFIX + "MODELS"] = models
    settings = check_start()
    try:
        listener = listen(host, port)
    except OSError as error:
        raise SystemExit(f"nlpserve: cannot listen on {host}:{port}: {error.strerror}") from None
    if examples:
        log = settings.predictions_log_file if settings.predictions_log != "off" else "nowhere"
        typer.echo(EXAMPLES.format(url=f"http://localhost:{port}", log=log))
        sys.stdout.flush()

    from _bentoml_impl.worker.service import main as worker  # noqa: PLC0415  slow to import

    worker.main(
        [
            "bento.service:nlpserve",
            "--fd", str(listener.detach()),
            "--backlog", str(BACKLOG),
            "--timeout-keep-alive", str(settings.keep_alive_seconds),
            "--timeout-graceful-shutdown", str(settings.shutdown_seconds),
        ]
    )  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
