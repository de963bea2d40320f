"""The commands that measure and draw: baselines, data-report and eval-report."""

from pathlib import Path
from typing import Annotated

import typer

from bento.train.cli import DATA, DataDir, Out, errors_in_one_line


def baselines(
    out: Annotated[Path, typer.Option(help="Folder for baselines.json.")] = Path("out/baselines"),
    data_dir: DataDir = DATA,
) -> None:
    """Train what the intent model is compared with; score all three on its test file."""
    with errors_in_one_line():
        from bento.train.intent import baselines as compared  # noqa: PLC0415
        from bento.train.places import SEED  # noqa: PLC0415

        folder = data_dir / "french-intents"
        compared.run(folder / "train.json", folder / "test.json", out, SEED)
        typer.echo((out / "baselines.json").read_text(encoding="utf-8"))


def data_report(out: Out = Path("out/data-report"), data_dir: DataDir = DATA) -> None:
    """Label balance, lengths, vocabulary and overlap of the data, as a page with plots."""
    with errors_in_one_line():
        from bento.train.report_data import write_report  # noqa: PLC0415

        typer.echo(write_report(data_dir, out))


def eval_report(
    out: Out = Path("out/eval-report"),
    data_dir: DataDir = DATA,
    intent: Annotated[str, typer.Option(help="Intent model: shipped name or folder.")] = "intent",
    emotion: Annotated[
        str, typer.Option(help="Emotion model: shipped name or folder.")
    ] = "emotion",
) -> None:
    """Our models on their test files, beside the origin's pretrained answers, with plots."""
    with errors_in_one_line():
        from bento.train.report_eval import write_report  # noqa: PLC0415

        typer.echo(write_report(data_dir, out, intent=intent, emotion=emotion))
