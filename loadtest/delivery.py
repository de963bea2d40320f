"""How a result comes out of the cluster: as lines of the coordinator's log.

A log needs no volume, no service and no permission beyond what watching the run needs anyway.
"""

import base64
import gzip
import hashlib
from collections.abc import Iterable
from typing import Final

from pydantic import ValidationError

from loadtest.protocol import RESULT
from nlpserve.load_tests import LoadTestResult

PIECE_CHARACTERS: Final = 8_000
"""Container runtimes split longer lines."""


class NotDelivered(Exception):
    """The log has no whole result."""


def lines(result: LoadTestResult) -> list[str]:
    """`result NUMBER/OF SHA256 PIECE` each."""
    packed = gzip.compress(result.model_dump_json().encode(), mtime=0)
    text = base64.b64encode(packed).decode()
    digest = hashlib.sha256(packed).hexdigest()
    pieces = [text[at : at + PIECE_CHARACTERS] for at in range(0, len(text), PIECE_CHARACTERS)]
    return [
        f"{RESULT}{number}/{len(pieces)} {digest} {piece}"
        for number, piece in enumerate(pieces, start=1)
    ]


def read(log: Iterable[str]) -> LoadTestResult:
    """The result in a log. Raises NotDelivered."""
    pieces: dict[int, str] = {}
    of, digest = 0, ""
    for line in log:
        if line.startswith(RESULT):
            place, digest, piece = line.removeprefix(RESULT).split(" ")
            number, _, whole = place.partition("/")
            pieces[int(number)], of = piece, int(whole)
    if not of or len(pieces) != of:
        raise NotDelivered(f"{len(pieces)} of {of or 'no'} pieces of the result are in the log")
    packed = base64.b64decode("".join(pieces[number] for number in range(1, of + 1)))
    if hashlib.sha256(packed).hexdigest() != digest:
        raise NotDelivered("the result in the log is damaged")
    try:
        return LoadTestResult.model_validate_json(gzip.decompress(packed))
    except ValidationError as error:
        wrong = ", ".join(str(each["loc"][0]) for each in error.errors() if each["loc"])
        raise NotDelivered(f"the load image is of another version: its {wrong} differs") from None
