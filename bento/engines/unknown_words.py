"""How many words of a text a model does not know: one of the features that drift is told by.

One definition for the training profile and for live texts, so that the two can be compared.
"""

from collections.abc import Sequence
from typing import Protocol

from tokenizers import Encoding

MOST_PIECES = 3
"""A word cut into more pieces than this counts as unknown to a subword tokenizer."""

Counted = tuple[int, int]
"""Unknown words, all words."""


class Word(Protocol):
    """What is asked of a spaCy token."""

    @property
    def is_alpha(self) -> bool:
        """Whether it is letters only."""
        ...

    @property
    def has_vector(self) -> bool:
        """Whether the vocabulary has a vector for it."""
        ...


def of_tokens(tokens: Sequence[Word], *, vectors: bool) -> Counted:
    """Words of letters that have no vector. Without `vectors` every word counts as known."""
    words = [token for token in tokens if token.is_alpha]
    return (sum(not word.has_vector for word in words) if vectors else 0), len(words)


def of_encoding(encoding: Encoding, unknown_id: int | None) -> Counted:
    """Words that hold the unknown token or fall into more than MOST_PIECES pieces."""
    pieces: dict[int, int] = {}
    unknown: set[int] = set()
    for word, piece in zip(encoding.word_ids, encoding.ids, strict=True):
        if word is None:
            continue
        pieces[word] = pieces.get(word, 0) + 1
        if piece == unknown_id:
            unknown.add(word)
    unknown.update(word for word, count in pieces.items() if count > MOST_PIECES)
    return len(unknown), len(pieces)
