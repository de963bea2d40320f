"""`python -m loadtest report`: a result's files made again."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from loadtest.load_report.junit import junit
from loadtest.load_report.markdown import markdown
from loadtest.spec import SpecError
from nlpserve.load_tests import LoadTestResult


def add_to(app: typer.Typer) -> None:
    """The command `report`."""
    app.command()(report)


def report(
    result: Annotated[Path, typer.Argument(help="The result.json of `run`.")],
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.md and junit.xml.")],
) -> None:
    """Make the HTML, Markdown and JUnit files of a result again. Exit code 0 whatever it says."""
    for path in write(read(result), out):
        typer.echo(path)


def read(path: Path) -> LoadTestResult:
    """A result's file, or the folder that `run` wrote it to. Raises SpecError."""
    file = path / "result.json" if path.is_dir() else path
    try:
        return LoadTestResult.model_validate_json(file.read_bytes())
    except OSError as error:
        raise SpecError(f"{file}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SpecError(f"{file} is no load test's result: {where}: {first['msg']}") from None


def write(result: LoadTestResult, out: Path) -> list[Path]:
    """The three files, and where they are."""
    # The load image runs some of our commands, and has nothing to draw with.
    from loadtest.load_report.page import page  # noqa: PLC0415

    out.mkdir(parents=True, exist_ok=True)
    made = {"report.html": page, "report.md": markdown, "junit.xml": junit}
    for name, render in made.items():
        (out / name).write_text(render(result), encoding="utf-8")
    return [out / name for name in made]
