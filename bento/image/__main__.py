"""`python -m bento.image build`, `load`, `model`, `sizes`: what the image targets of make run."""

from pathlib import Path
from typing import Annotated

import typer

from bento.artifacts import ArtifactError
from bento.image import archive as archives
from bento.image.build import load_image, model_image, service_image
from bento.image.engines import NAMES, ImageError, choose
from bento.image.progress import say
from nlpserve import __version__

OUT = Path("out/image")
app = typer.Typer(add_completion=False, help=__doc__)
EngineOption = Annotated[
    str, typer.Option(help=f"One of {', '.join(NAMES)}; else whichever works.")
]
ArchiveOption = Annotated[
    Path | None, typer.Option(help="Where the archive goes, which `ctr images import` reads.")
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Fetch or make the base anew, for its updates.")
]


@app.command()
def build(
    archive: ArchiveOption = None,
    base: Annotated[
        str, typer.Option(help="Base image; else the public one, else one made by debootstrap.")
    ] = "",
    engine: EngineOption = "",
    fresh: FreshOption = False,  # noqa: FBT002
) -> None:
    """Build the service's image; print the path of its archive. Nothing changed: nothing built."""
    path = (archive or OUT / f"nlpserve-{__version__}.tar").absolute()
    image = service_image(choose(engine), path, base, fresh=fresh)
    say(f"{image}, its bill of materials beside the archive")
    typer.echo(path)


@app.command()
def load(
    archive: ArchiveOption = None,
    base: Annotated[str, typer.Option(help="Base image, as of `build`.")] = "",
    engine: EngineOption = "",
    fresh: FreshOption = False,  # noqa: FBT002
) -> None:
    """Build the load tests' image; print the path of its archive."""
    path = (archive or OUT / f"nlpserve-load-{__version__}.tar").absolute()
    say(load_image(choose(engine), path, base, fresh=fresh))
    typer.echo(path)


@app.command()
def model(
    artifact: Annotated[Path, typer.Argument(help="Folder with a manifest.json.")],
    archive: ArchiveOption = None,
    engine: EngineOption = "",
) -> None:
    """Build an image of an artifact's files alone, for image volumes; print its archive's path."""
    typer.echo(model_image(choose(engine), artifact, archive, OUT).absolute())


@app.command()
def sizes(archive: Annotated[Path, typer.Argument(help="An image's archive.")]) -> None:
    """Print the unpacked size of each layer, in Markdown."""
    typer.echo(archives.table(archives.layers(archive)))


if __name__ == "__main__":
    try:
        app()
    except (ImageError, ArtifactError) as error:
        raise SystemExit(f"nlpserve: {error}") from None
