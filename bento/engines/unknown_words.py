"""How many words of a text a model does not know: one of the features that drift is told by.

One definition for the training profile and for live texts, so that the two can be compared.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Encoding

MOST_PIECES = 3
"""A word cut into more pieces than this counts as unknown to a subword tokenizer."""

Counted = tuple[int, int]
"""Unknown words, all words."""
CountUnknown = Callable[[Sequence[str]], Counted]
"""Counts over texts, on any thread, also while the model runs on another."""


def of_words(words: Iterable[tuple[bool, bool]]) -> Counted:
    """Words of letters that have no vector, from (letters only, has a vector) of each."""
    known = [has_vector for is_alpha, has_vector in words if is_alpha]
    return known.count(False), len(known)


def of_encoding(encoding: "Encoding", unknown_id: int | None) -> Counted:
    """Words that hold the unknown token or fall into more than MOST_PIECES pieces.

    What a truncated encoding left over counts, too.
    """
    pieces: Counter[int | None] = Counter()
    unknown: set[int | None] = set()
    for part in (encoding, *encoding.overflowing):
        words, ids = part.word_ids, part.ids
        pieces.update(words)
        if unknown_id in ids:
            found = zip(words, ids, strict=True)
            unknown.update(word for word, piece in found if piece == unknown_id)
    unknown.update(word for word, count in pieces.items() if count > MOST_PIECES)
    return len(unknown - {None}), len(pieces.keys() - {None})


def total(counts: Iterable[Counted]) -> Counted:
    """The counts of several texts, added up."""
    unknown = words = 0
    for one, all_words in counts:
        unknown += one
        words += all_words
    return unknown, words
