"""Texts to hashed words and n-grams, a whole batch at a time.

Everything works on flat arrays that cover all texts of a batch, so that the cost a text is
a few microseconds and no Python string is made for a word. Nothing here learns: training and
serving call these same functions, so their features cannot drift apart.

Shapes: D texts, T words of all texts, C characters of all words with their two edge marks.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

SPACE, WORD, SYMBOL, MARK = 0, 1, 2, 3
OPEN, CLOSE = np.uint64(2), np.uint64(3)
"""Edge marks round each word: control characters, which no folded text contains."""
MAX_WORD = 64
"""Characters of a word that its hash reads; what follows still gives n-grams."""
CHAR_ORDERS = (2, 3, 4, 5)
PARTS = (2, 2, len(CHAR_ORDERS))
"""Parts of the features by block, each block scaled by itself: words, skips, characters."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_START = np.uint64(0xA0761D6478BD642F)
_END = np.uint64(0xE7037ED1A0B428DB)
_GAPS = tuple(np.uint64(s) for s in (0x8EBC6AF09C88C6E3, 0x589965CC75374CC3, 0x1D8E4E27C47D124F))


@dataclass(frozen=True, slots=True)
class Batch:
    """The words of a batch of texts, in order.

    codes: folded code points of the words, each word between OPEN and CLOSE, uint64 [C].
    left: characters from here to the end of the same word, itself counted, int64 [C].
    char_word: word of each character, int64 [C], never decreasing.
    words: hash of each word, uint64 [T]. word_doc: its text, int64 [T].
    size: D, texts without a word included.
    """

    codes: U64
    left: I64
    char_word: I64
    words: U64
    word_doc: I64
    size: int


@cache
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Class and folded form of each code point below 0x10000, from the Unicode database."""
    kind = np.full(0x10000, SYMBOL, np.uint8)
    fold = np.arange(0x10000, dtype=np.uint32)
    for code in range(0x10000):
        category = unicodedata.category(chr(code))
        if category[0] == "M":
            kind[code] = MARK
        elif category[0] in "LN" or code == ord("_"):
            kind[code] = WORD
        elif category[0] in "ZC":
            kind[code] = SPACE
        if category == "Nd":
            fold[code] = ord("0")
    fold[[0x2018, 0x2019, 0x02BC]] = ord("'")
    kind[0x02BC] = SYMBOL
    return kind, fold


@cache
def _powers() -> U64:
    """_BASE to the powers 0 .. MAX_WORD, modulo 2**64."""
    steps = np.full(MAX_WORD + 1, _BASE, np.uint64)
    steps[0] = 1
    return np.cumprod(steps, dtype=np.uint64)


def mix(values: U64) -> U64:
    """Spread every input bit over the high bits (xor-shift and multiply, twice)."""
    mixed = (values ^ (values >> np.uint64(32))) * _MIX
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
    return mixed ^ (mixed >> np.uint64(32))


def bucket(values: U64, bits: int) -> I64:
    """Row 0 .. 2**bits - 1 of a table for each hash."""
    return (mix(values) >> np.uint64(64 - bits)).astype(np.int64)


def read(texts: Sequence[str]) -> Batch:
    """Fold case, accents and digits; cut into words (runs of letters or digits) and symbols.

    All texts are folded as one string, cut by line feeds: lower-casing and NFKD never look
    across a line feed, so a text reads the same whatever its neighbours are.
    """
    joined = "\n".join([text.replace("\n", " ") for text in texts]).lower()
    joined = joined.replace("œ", "oe").replace("æ", "ae")
    if not joined.isascii():
        joined = unicodedata.normalize("NFKD", joined)
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds, folds = _tables()
    low = np.minimum(points, 0xFFFF)
    kind = np.where(points > 0xFFFF, np.uint8(SYMBOL), kinds[low])
    codes = np.where(points > 0xFFFF, points, folds[low])
    doc = np.cumsum(points == 10, dtype=np.int64)
    unmarked = kind != MARK
    kind, codes, doc = kind[unmarked], codes[unmarked], doc[unmarked]

    is_word = kind == WORD
    before = np.zeros_like(is_word)
    before[1:] = is_word[:-1]
    starts = (kind == SYMBOL) | (is_word & ~before)
    kept = kind != SPACE
    first = np.flatnonzero(starts[kept])
    return _frame(codes[kept].astype(np.uint64), doc[kept], first, len(texts))


def _frame(codes: U64, doc: I64, first: I64, size: int) -> Batch:
    """Put OPEN and CLOSE round the words that begin at `first`, and hash the words."""
    count = len(first)
    if not count:
        none = np.zeros(0, np.int64)
        empty = np.zeros(0, np.uint64)
        return Batch(empty, none, none, empty, none, size)
    lengths = np.append(first[1:], len(codes)) - first
    owner = np.repeat(np.arange(count), lengths)
    inside = np.arange(len(codes)) - first[owner]
    powers = _powers()[np.minimum(inside, MAX_WORD)]
    powers[inside >= MAX_WORD] = 0
    words = np.add.reduceat(mix(codes + _MIX) * powers, first)

    framed_lengths = lengths + 2
    ends = np.cumsum(framed_lengths)
    framed = np.empty(int(ends[-1]), np.uint64)
    framed[ends - framed_lengths] = OPEN
    framed[ends - 1] = CLOSE
    framed[np.arange(len(codes)) + 2 * owner + 1] = codes
    word_doc = doc[first]
    char_word = np.repeat(np.arange(count), framed_lengths)
    left = ends[char_word] - np.arange(len(framed))
    return Batch(framed, left, char_word, words, word_doc, size)


def char_ngrams(batch: Batch) -> Iterator[tuple[U64, I64]]:
    """Hashes and words of the character n-grams inside words, one pair of arrays an order."""
    hashes = batch.codes
    for order in range(2, max(CHAR_ORDERS) + 1):
        hashes = hashes[:-1] * _BASE + batch.codes[order - 1 :]
        if order in CHAR_ORDERS:
            inside = batch.left[: len(hashes)] >= order
            yield hashes[inside] + np.uint64(order), batch.char_word[: len(hashes)][inside]


def padded_words(batch: Batch) -> tuple[U64, I64]:
    """Word hashes with a start and an end mark round each text, [T + 2 D], and their texts."""
    counts = np.bincount(batch.word_doc, minlength=batch.size) + 2
    ends = np.cumsum(counts)
    words = np.empty(int(counts.sum()), np.uint64)
    words[ends - counts] = _START
    words[ends - 1] = _END
    words[np.arange(len(batch.words)) + 2 * batch.word_doc + 1] = batch.words
    return words, np.repeat(np.arange(batch.size), counts)


def word_ngrams(words: U64, doc: I64) -> Iterator[tuple[U64, I64]]:
    """Single words, then neighbours, given what `padded_words` gave."""
    yield words, doc
    yield from _pairs(words, doc, 1)


def skip_ngrams(words: U64, doc: I64) -> Iterator[tuple[U64, I64]]:
    """Pairs of words with one or two words between them: word order beyond neighbours."""
    yield from _pairs(words, doc, 2)
    yield from _pairs(words, doc, 3)


def _pairs(words: U64, doc: I64, distance: int) -> Iterator[tuple[U64, I64]]:
    same = doc[:-distance] == doc[distance:]
    pair = mix(words[:-distance] + _GAPS[distance - 1]) + words[distance:] * _BASE
    yield pair[same], doc[:-distance][same]


def add_by_owner(out: NDArray[Any], values: NDArray[Any], owner: I64) -> None:
    """Add rows of `values` to the rows of `out` named by `owner` (never decreasing), in order."""
    if len(owner):
        changes = np.empty(len(owner), np.bool_)
        changes[0] = True
        np.not_equal(owner[1:], owner[:-1], out=changes[1:])
        first = np.flatnonzero(changes)
        out[owner[first]] += np.add.reduceat(values, first, axis=0)


def features(batch: Batch) -> tuple[U64, I64]:
    """All hashed n-grams, and for each its part times D plus its text; never decreasing.

    PARTS says which parts (words, pairs, skips by distance, characters by order) a block has.
    """
    words, doc = padded_words(batch)
    parts = [*word_ngrams(words, doc), *skip_ngrams(words, doc)]
    parts += [(hashes, batch.word_doc[word]) for hashes, word in char_ngrams(batch)]
    owners = [doc + number * batch.size for number, (_, doc) in enumerate(parts)]
    return np.concatenate([hashes for hashes, _ in parts]), np.concatenate(owners)
