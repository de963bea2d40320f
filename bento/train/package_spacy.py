"""A user's spaCy pipeline, checked and copied into an artifact. No code of it is ever run."""

import re
import shutil
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language

from bento.artifacts import first_line
from bento.engines import components as _components  # noqa: F401  registers our factories
from bento.engines.spacy import PIPELINE, unknown_counter
from bento.train.errors import TrainError
from bento.train.package import Prepared

CODE_SUFFIXES = frozenset(
    {".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".sh", ".pkl", ".pickle", ".joblib"}
    | {".pt", ".pth", ".ckpt", ".h5"}
)
"""Files that can only be code, or data that runs code when it is read."""
SUPPORT = frozenset({"tok2vec", "textcat"})


def prepare_spacy(source: Path, target: Path) -> Prepared:
    """Check the pipeline folder `source` and copy it into the artifact `target`.

    Raises TrainError when it has no exclusive text classifier, holds code or pickles, or needs a
    component that the serving environment does not have.
    """
    check_files(source)
    language, factories = read_config(source)
    classifier = find_classifier(source, language, factories)
    try:
        nlp = spacy.load(source)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainError(f"[{source}] spaCy cannot load it: {first_line(error)}") from None
    component = nlp.get_pipe(classifier)
    if getattr(getattr(component, "model", None), "attrs", {}).get("multi_label"):
        raise TrainError(
            f"[{source} -> {classifier}] is a multilabel classifier by its model's"
            " exclusive_classes = false; one label for each text is served"
        )
    labels: tuple[str, ...] = tuple(getattr(component, "labels", ()))
    if len(labels) < 2:
        raise TrainError(f"[{source} -> {classifier}] has {len(labels)} labels; 2 are needed")
    shutil.copytree(source, target / PIPELINE)
    others = [name for name, factory in factories.items() if name != classifier]
    others = [name for name in others if factories[name] not in SUPPORT]
    hints = [
        f"{', '.join(others)} will run on every text; leave out what {classifier} does not need"
    ]
    unknown = unknown_counter(nlp, source)
    return Prepared("spacy", labels, unknown, hints=hints if others else ())


def check_files(source: Path) -> None:
    """Raise TrainError for a folder that is no saved pipeline, or holds links, code or pickles."""
    if not (source / "config.cfg").is_file() or not (source / "meta.json").is_file():
        raise TrainError(f"[{source}] is no saved spaCy pipeline: no config.cfg and meta.json")
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_symlink():
            raise TrainError(f"[{source} -> {name}] is a link; an artifact holds plain files")
        if path.is_file() and (path.suffix.lower() in CODE_SUFFIXES or is_pickle(path)):
            raise TrainError(f"[{source} -> {name}] is code or a pickle, which is never loaded")


def is_pickle(path: Path) -> bool:
    """Whether the file begins and ends as a pickle of protocol 2 or later does."""
    with path.open("rb") as file:
        head = file.read(2)
        file.seek(0, 2)
        if file.tell() < 4:
            return False
        file.seek(-1, 2)
        return head[:1] == b"\x80" and 2 <= head[1] <= 9 and file.read(1) == b"."


def read_config(source: Path) -> tuple[str, dict[str, str]]:
    """Language, and the factory of each component in the pipeline's order, as text alone.

    Raises TrainError when the config cannot be read or lacks one of them.
    """
    where = f"{source} -> config.cfg"
    try:
        config: dict[str, Any] = spacy.util.load_config(source / "config.cfg", interpolate=False)
        section = config["nlp"]
        language, pipeline = section["lang"], section["pipeline"]
    except (OSError, ValueError, KeyError) as error:
        raise TrainError(f"[{where}] cannot be read: {first_line(error)}") from None
    if not isinstance(language, str) or not re.fullmatch(r"[a-z]{2,3}", language):
        raise TrainError(f"[{where} -> nlp.lang] {language!r} is no language code")
    components = config.get("components", {})
    factories = {}
    for name in pipeline:
        factory = components.get(name, {}).get("factory")
        if not isinstance(factory, str):
            raise TrainError(f"[{where} -> components.{name}] has no factory")
        factories[str(name)] = factory
    return language, factories


def find_classifier(source: Path, language: str, factories: dict[str, str]) -> str:
    """The name of the one component that classifies texts.

    Raises TrainError for an unregistered factory, a multilabel classifier, none or several.
    """
    try:
        # A pipeline of this language, since spaCy registers its own factories when it makes one.
        known: Language = spacy.blank(language)
    except ImportError:
        raise TrainError(f"[{source}] spaCy has no language {language!r}") from None
    found = []
    for name, factory in factories.items():
        if not known.has_factory(factory):
            raise TrainError(
                f"[{source} -> {name}] needs the component {factory!r}, which the serving"
                " environment does not have"
            )
        if factory == "textcat_multilabel":
            raise TrainError(
                f"[{source} -> {name}] is a multilabel classifier; one label for each text is"
                " served: train it with the factory 'textcat'"
            )
        if "doc.cats" in known.get_factory_meta(factory).assigns:
            found.append(name)
    if len(found) != 1:
        names = ", ".join(found) or "none"
        raise TrainError(f"[{source}] needs exactly one text classifier; it has {names}")
    return found[0]
