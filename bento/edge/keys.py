"""Optional API keys."""

import hashlib
import hmac
from pathlib import Path

from bento.edge.messages import Request
from bento.settings import PREFIX, Settings
from nlpserve.errors import Unauthorized


class Keys:
    """Compares in constant time: every key is looked at, by digest, whatever came."""

    def __init__(self, settings: Settings) -> None:
        """Raise OSError when the keys' file cannot be read, ValueError when no key is given there.

        An empty setting means no keys; one that holds only separators is a mistake.
        """
        setting, file = settings.api_keys.get_secret_value(), settings.api_keys_file
        given = setting.split(",")
        if file is not None:
            given += Path(file).read_text(encoding="utf-8").splitlines()
        keys = [key.strip() for key in given if key.strip()]
        if not keys and (setting or file is not None):
            msg = f"{file or PREFIX + 'API_KEYS'} holds no key"
            raise ValueError(msg)
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    @property
    def wanted(self) -> bool:
        """Whether requests need a key."""
        return bool(self._digests)

    def check(self, request: Request) -> None:
        """Raise Unauthorized unless the request carries a valid key."""
        digest = hashlib.sha256(_given(request)).digest()
        matches = [hmac.compare_digest(digest, key) for key in self._digests]
        if not any(matches):
            raise Unauthorized


def _given(request: Request) -> bytes:
    key = request.headers.get(b"x-api-key")
    if key is not None:
        return key.strip()
    scheme, _, value = request.headers.get(b"authorization", b"").partition(b" ")
    return value.strip() if scheme.lower() == b"bearer" else b""
