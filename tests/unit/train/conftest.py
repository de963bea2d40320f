"""A spaCy classifier trained on made-up sentences, and a server on the loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import spacy
from spacy.training import Example

from bento.train.package import Facts, package
from bento.train.package_spacy import prepare_spacy

COLOURS = ["rouge", "verte", "bleue", "jaune", "grise", "noire"]
SENTENCES = [(f"la tasse {word} est lavée", "cuisine") for word in COLOURS] + [
    (f"le train {number} part du quai", "gare") for number in range(6)
]
BOW = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "ngram_size": 1,
    "length": 4096,
    "no_output_layer": False,
}


def trained_pipeline(folder: Path) -> Path:
    nlp = spacy.blank("fr")
    pipe = nlp.add_pipe("textcat", config={"model": BOW})
    for label in ("cuisine", "gare"):
        pipe.add_label(label)
    examples = [
        Example.from_dict(
            nlp.make_doc(text), {"cats": {name: float(name == label) for name in pipe.labels}}
        )
        for text, label in SENTENCES
    ]
    spacy.util.fix_random_seed(3)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(8):
        nlp.update(examples, sgd=optimizer)
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="session")
def pipeline_folder(tmp_path_factory):
    return trained_pipeline(tmp_path_factory.mktemp("spacy") / "pipeline")


@pytest.fixture(scope="session")
def facts():
    return Facts(name="mine", version="1.0.0", language="fr", licence="MIT")


@pytest.fixture(scope="session")
def artifact(pipeline_folder, facts, tmp_path_factory):
    out = tmp_path_factory.mktemp("artifact") / "mine"
    package(lambda folder: prepare_spacy(pipeline_folder, folder), facts, out)
    return out


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


@pytest.fixture(scope="session")
def serve():
    return serving
