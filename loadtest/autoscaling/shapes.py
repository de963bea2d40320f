"""A traffic shape in one line, such as `spike:base=20,peak=200,begins=60,lasts=300`."""

from typing import Any, Final

from pydantic import ValidationError

from nlpserve.load_shapes import Profile

LISTS: Final = "levels"
"""Their numbers stand between slashes: `step:levels=10/50/10`."""


def parse(text: str, seconds: float) -> Profile:
    """A number is a steady rate. Raises ValueError that says what is wrong."""
    kind, _, rest = text.partition(":")
    shape: float | dict[str, Any]
    try:
        shape = float(text)
    except ValueError:
        shape = {"kind": "wave" if kind == "diurnal" else kind, **_words(rest)}
    try:
        return Profile.model_validate({"shape": shape, "seconds": seconds})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        raise ValueError(f"{text}: {where}: {first['msg']}") from None


def _words(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in filter(None, text.split(",")):
        key, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word} is not NAME=NUMBER")
        found[key] = value.split("/") if key == LISTS else value
    return found
