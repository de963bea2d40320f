"""Made-up sentences, as long as real ones, for benchmarks and load tests.

A load test on one text measures caches, and one on texts of one length measures no batching.
These differ from one another and have the lengths of the models' training texts.
"""

from bisect import bisect_right
from functools import cache
from random import Random
from typing import Final, Literal, get_args

from nlpserve.sentences_grammar import Language, compose, disturb

LanguageCode = Literal["fr", "en"]

# Characters of the texts at these shares of the two training sets (the 6,035 French intents and
# the 43,410 English comments of GoEmotions), read off once. The longest thousandth is left out.
SHARES: Final = (
    0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999
)  # fmt: skip
LENGTHS: Final[dict[LanguageCode, tuple[int, ...]]] = {
    "fr": (1, 4, 6, 10, 15, 23, 30, 38, 46, 56, 68, 85, 115, 145, 187, 227, 371),
    "en": (2, 10, 12, 16, 21, 32, 44, 54, 65, 77, 89, 103, 120, 131, 143, 151, 171),
}
MIN_CHARACTERS: Final = 2
MAX_COUNT: Final = 200_000
"""More than this many distinct texts are not promised."""
ATTEMPTS: Final = 1_000


def sentences(language: LanguageCode, count: int, seed: int) -> list[str]:
    """`count` distinct texts, the same for the same seed on every Python.

    A smaller count gives the beginning of a larger one's list. Raises ValueError for an unknown
    language, a negative seed, or a count outside 0 to MAX_COUNT.
    """
    if language not in get_args(LanguageCode):
        raise ValueError(f"language {language!r} is none of {', '.join(get_args(LanguageCode))}")
    if not 0 <= count <= MAX_COUNT:
        raise ValueError(f"count {count} is not within 0 to {MAX_COUNT}")
    if seed < 0:  # Random drops the sign: -1 would repeat 1
        raise ValueError(f"seed {seed} is negative")
    rng = Random(seed)  # noqa: S311  texts, not secrets
    grammar = _grammar(language)
    texts: dict[str, None] = {}
    while len(texts) < count:
        texts[_new_text(rng, language, grammar, texts)] = None
    return list(texts)


def _new_text(
    rng: Random, language: LanguageCode, grammar: Language, texts: dict[str, None]
) -> str:
    length = _length(language, rng.random())
    for attempt in range(ATTEMPTS):
        # There are only so many short texts: each failure allows a longer one.
        text = disturb(rng, grammar, compose(rng, grammar, length + attempt))
        if text not in texts:
            return text
    raise RuntimeError(f"no new text in {ATTEMPTS} attempts; the word lists are too short")


def _length(language: LanguageCode, share: float) -> int:
    """Characters of the text at this share of the training set, between the known quantiles."""
    lengths = LENGTHS[language]
    share *= SHARES[-1]
    right = bisect_right(SHARES, share, hi=len(SHARES) - 1)
    low, high = SHARES[right - 1], SHARES[right]
    part = (share - low) / (high - low)
    return max(
        MIN_CHARACTERS,
        round(lengths[right - 1] + part * (lengths[right] - lengths[right - 1])),
    )


@cache
def _grammar(language: LanguageCode) -> Language:
    """The language's word lists, put together on first use: a test of one needs no other."""
    if language == "fr":
        from nlpserve.sentences_french import FRENCH  # noqa: PLC0415

        return FRENCH
    from nlpserve.sentences_english import ENGLISH  # noqa: PLC0415

    return ENGLISH
