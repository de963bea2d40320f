"""How a made-up sentence is put together from a language's word lists, to a wanted length."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from random import Random

GLUED = (",", ".", "!", "?", " ")
"""A fragment that starts so follows without a space."""
MAX_DETAILS = 4
FOLLOW_UP_TRIES = 16
CURLY_SHARE = 0.15


def phrases(block: str) -> tuple[str, ...]:
    """The phrases of a block of text that separates them with bars, over any number of lines."""
    return tuple(" ".join(part.split()) for part in block.split("|"))


def expand(template: str, **slots: Iterable[str]) -> tuple[str, ...]:
    """The template with every combination of its slots' values."""
    combinations = product(*slots.values())
    return tuple(
        template.format(**dict(zip(slots, values, strict=True))) for values in combinations
    )


def draw(rng: Random, count: int) -> int:
    """A position below `count`. `random()` is the one stream that Python keeps stable."""
    return int(rng.random() * count)


class Bag:
    """Fragments, sorted by length so that one of a wanted length is found by bisection."""

    def __init__(self, fragments: Iterable[str]) -> None:
        """Put a fragment in twice to hear it twice as often."""
        self.fragments = sorted(fragments, key=len)
        self._lengths = [len(fragment) for fragment in self.fragments]

    def pick(self, rng: Random, longest: int, shortest: int = 0) -> str:
        """A fragment of `shortest` to `longest` characters, or "" where there is none."""
        start = bisect_left(self._lengths, shortest)
        count = bisect_right(self._lengths, longest) - start
        return self.fragments[start + draw(rng, count)] if count > 0 else ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one intent or emotion says. A core that ends in "?" makes its sentence a question."""

    weight: float
    cores: Bag
    details: tuple[Bag, ...]
    follow_ups: Bag


@dataclass(frozen=True, slots=True)
class Language:
    """Word lists and habits of one language. Shares are probabilities."""

    recipes: tuple[Recipe, ...]
    openers: Bag
    closers: Bag
    short: Bag
    question_mark: str
    ends: tuple[str, ...]
    lower_case_share: float
    bare_share: float  # accents and apostrophes left out
    typo_share: float
    bare: dict[int, str]


def compose(rng: Random, language: Language, length: int) -> str:
    """One text of `length` characters, or a few fewer or more."""
    recipe = _choose(rng, language.recipes)
    opener = language.openers.pick(rng, length // 3) if rng.random() < 0.3 else ""
    text = recipe.cores.pick(rng, length - len(opener) - bool(opener))
    if not text:
        return language.short.pick(rng, length, length - 1) or language.short.pick(rng, length)
    if opener:
        text = f"{opener} {text}"
    asks = text.endswith("?")
    text = _add_details(rng, recipe, text.removesuffix("?"), length)
    if asks and rng.random() < 0.8:
        text += language.question_mark
    for _ in range(FOLLOW_UP_TRIES):
        fragment = recipe.follow_ups.pick(rng, length - len(text) - 2)
        if not fragment:
            break
        if fragment[1:] not in text:  # nobody says the same twice
            text = _next_sentence(rng, language, text, fragment)
    room = length - len(text)
    text = _join(text, language.closers.pick(rng, room - 1, room - 3)) if room > 2 else text
    return text + language.ends[draw(rng, len(language.ends))] if text[-1].isalnum() else text


def disturb(rng: Random, language: Language, text: str) -> str:
    """The text as people type it: capital or not, accents left out, a slip of a finger."""
    dice = rng.random()
    text = text.lower() if dice < language.lower_case_share else text[0].upper() + text[1:]
    if rng.random() < language.bare_share:
        text = text.translate(language.bare)
    elif rng.random() < CURLY_SHARE:
        text = text.replace("'", "’")  # noqa: RUF001  phones type this one
    if rng.random() < language.typo_share and len(text) > 12:
        text = _slip(rng, text)
    return text


def _choose(rng: Random, recipes: tuple[Recipe, ...]) -> Recipe:
    point = rng.random() * sum(recipe.weight for recipe in recipes)
    for recipe in recipes:
        point -= recipe.weight
        if point < 0:
            return recipe
    return recipes[-1]


def _add_details(rng: Random, recipe: Recipe, text: str, length: int) -> str:
    bags = recipe.details
    first = draw(rng, len(bags))
    for step in range(min(len(bags), MAX_DETAILS)):
        if rng.random() < 0.65:
            bag = bags[(first + step) % len(bags)]
            text = _join(text, bag.pick(rng, length - len(text) - 1))
    return text


def _next_sentence(rng: Random, language: Language, text: str, fragment: str) -> str:
    if not text[-1].isalnum():
        return f"{text} {fragment[0].upper()}{fragment[1:]}"
    end = language.ends[draw(rng, len(language.ends))]
    if not end:
        return f"{text}, {fragment}"
    return f"{text}{end} {fragment[0].upper()}{fragment[1:]}"


def _join(text: str, fragment: str) -> str:
    if not fragment:
        return text
    return text + fragment if fragment.startswith(GLUED) else f"{text} {fragment}"


def _slip(rng: Random, text: str) -> str:
    """Two letters swapped, one left out or one doubled, away from the text's first word."""
    at = 2 + draw(rng, len(text) - 4)
    if not (text[at].isalpha() and text[at + 1].isalpha()) or text[at].isupper():
        return text
    kind = draw(rng, 3)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind == 1 else text[: at + 1] + text[at:]
