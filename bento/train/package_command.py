"""`python -m bento.train package`: the options, and which of the packagers they mean."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from bento.train.cli import errors_in_one_line, fail


def package(
    *,
    name: Annotated[str, typer.Option(help="Name to serve it under: a-z, 0-9 and -.")],
    version: Annotated[str, typer.Option(help="As 1.0.0.")],
    language: Annotated[str, typer.Option(help="Language code, as fr.")],
    licence: Annotated[str, typer.Option(help="Licence of the model, as an SPDX expression.")],
    out: Annotated[Path, typer.Option(help="Folder to make; missing or empty.")],
    spacy: Annotated[
        Path | None, typer.Option(help="A saved spaCy pipeline with one textcat.")
    ] = None,
    hf: Annotated[
        Path | None,
        typer.Option(help="A saved transformers sequence classifier with its fast tokenizer."),
    ] = None,
    onnx: Annotated[
        Path | None,
        typer.Option(help="model.onnx (gives logits), tokenizer.json and config.json."),
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="With --onnx: the outputs' names in order, by comma.")
    ] = None,
    quantize: Annotated[
        Literal["none", "int8"], typer.Option(help="With --hf: weights as 8-bit integers.")
    ] = "none",
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="With --hf or --onnx: longer texts are cut here.")
    ] = None,
    profile_texts: Annotated[
        Path | None,
        typer.Option(help="Typical texts, best held out of training: labelled or .txt; for drift."),
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(help="What `evaluate --json` printed, for the manifest.")
    ] = None,
) -> None:
    """Make an artifact of your own model, tried once before it is there. Runs no code of it."""
    if sum(source is not None for source in (spacy, hf, onnx)) != 1:
        fail("give one of --spacy, --hf and --onnx", 2)
    if quantize != "none" and hf is None:
        fail("--quantize needs --hf", 2)
    if labels is not None and onnx is None:
        fail("--labels needs --onnx", 2)
    if max_tokens is not None and spacy is not None:
        fail("--max-tokens needs --hf or --onnx", 2)
    from bento.train.labelled import read_texts  # noqa: PLC0415
    from bento.train.package import Facts, Prepare, read_scores  # noqa: PLC0415
    from bento.train.package import package as make  # noqa: PLC0415

    prepare: Prepare
    with errors_in_one_line():
        if spacy is not None:
            from bento.train.package_spacy import prepare_spacy  # noqa: PLC0415

            prepare = partial(prepare_spacy, spacy)
        elif hf is not None:
            from bento.train.package_hf import prepare_hf  # noqa: PLC0415

            prepare = partial(prepare_hf, hf, quantize=quantize, most_tokens=max_tokens)
        else:
            from bento.train.package_onnx import prepare_onnx  # noqa: PLC0415

            names = [label.strip() for label in (labels or "").split(",") if label.strip()]
            source = onnx or Path()
            prepare = partial(prepare_onnx, source, labels=names, most_tokens=max_tokens)
        facts = Facts(name, version, language, licence, read_scores(scores) if scores else {})
        prepared = make(prepare, facts, out, read_texts(profile_texts) if profile_texts else ())
        for hint in prepared.hints:
            typer.echo(f"hint: {hint}", err=True)
        typer.echo(f"{out}: {len(prepared.labels)} labels, {prepared.kind}")
