"""What every training command shares: options, and errors as one line with an exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bento.artifacts import ArtifactError
from bento.train.errors import TrainError

EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong use, 3 a source or service did not answer."

DataDir = Annotated[
    Path, typer.Option(envvar="DATA_DIR", help="Folder of the data, as `data` leaves it.")
]
Work = Annotated[Path, typer.Option(help="Folder of the steps' results and their lock file.")]
Out = Annotated[Path, typer.Option(help="Folder for the page and its plots.")]
DATA = Path("data")
WORK = Path("build/train")


class Part(StrEnum):
    """Which models to train."""

    INTENT = "intent"
    EMOTION = "emotion"
    ALL = "all"


def fail(message: str, code: int) -> NoReturn:
    """End with one line on standard error."""
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    raise typer.Exit(code)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """What a user can mend is said in one line; anything else keeps its traceback."""
    try:
        yield
    except TrainError as error:
        fail(str(error), error.exit_code)
    except ArtifactError as error:
        fail(str(error), 1)
    except ModuleNotFoundError as error:
        if error.name and not error.name.startswith(("bento", "nlpserve")):
            fail(f"this command needs the training environment: no {error.name}", 1)
        raise
    except OSError as error:
        if error.filename is None:
            raise
        fail(f"{error.filename}: {error.strerror}", 1)
    except KeyboardInterrupt:
        fail("stopped; what was done stays done", 130)
