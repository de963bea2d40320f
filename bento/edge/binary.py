"""BYTES tensors of the binary tensor extension: each string behind its length, little-endian."""

import struct
from collections.abc import Iterable

from nlpserve.errors import InvalidRequest, UnprocessableRequest

_LENGTH = struct.Struct("<I")


def encode_strings(texts: Iterable[str]) -> bytes:
    """The tensor's bytes."""
    parts: list[bytes] = []
    for text in texts:
        data = text.encode()
        parts += (_LENGTH.pack(len(data)), data)
    return b"".join(parts)


def decode_strings(data: bytes) -> list[str]:
    """The tensor's strings.

    Raises UnprocessableRequest when a length passes the end, InvalidRequest for wrong UTF-8.
    """
    texts: list[str] = []
    position = 0
    while position < len(data):
        start = position + _LENGTH.size
        if start > len(data):
            raise UnprocessableRequest("The BYTES tensor ends within a length.")
        (size,) = _LENGTH.unpack_from(data, position)
        position = start + size
        if position > len(data):
            raise UnprocessableRequest("The BYTES tensor ends within a string.")
        try:
            texts.append(data[start:position].decode())
        except UnicodeDecodeError:
            raise InvalidRequest(f"Text {len(texts)} of the BYTES tensor is not UTF-8.") from None
    return texts
