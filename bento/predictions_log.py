"""The prediction log: one JSON line for each text and each rejected request, never blocking.

Lines go through Python logging on a thread of their own. When its queue is full they are dropped
and counted: a slow disk must not slow the answers.
"""

import hashlib
import hmac
import json
import logging
import logging.handlers
import queue
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, TextIO

from bento.settings import Settings

STANDARD_OUTPUT: Final = "-"
CLOSE_SECONDS: Final = 5.0
COMPLAINT_SECONDS: Final = 60.0
QUEUE_CHARACTERS: Final = 8_000_000
"""What may wait beside the bound of lines: at most 32 MB, whatever the texts are."""
_Line = tuple[float, dict[str, str], int]

logger = logging.getLogger(__name__)


def format_line(moment: float, members: dict[str, str]) -> str:
    """The line of the origin's service: local time with microseconds after a colon."""
    local = datetime.fromtimestamp(moment)  # the origin wrote local time
    stamp = local.strftime("%Y-%m-%d %H:%M:%S:%f")
    return json.dumps({"time": stamp, **members}, ensure_ascii=False)


class _Counting(logging.Handler):
    """Counts a line that it cannot write, where logging would print it, text and all."""

    on_drop: Callable[[], None]

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Drop the line."""
        self.on_drop()


class _File(_Counting, logging.handlers.RotatingFileHandler):
    """A file that is rotated. When it cannot be, its lines are lost, not the disk's last byte."""

    _next_complaint = 0.0

    def doRollover(self) -> None:  # noqa: N802  logging's name
        """Rotate. Raises OSError, and says so once a minute."""
        try:
            super().doRollover()
        except OSError as error:
            if time.monotonic() >= self._next_complaint:
                self._next_complaint = time.monotonic() + COMPLAINT_SECONDS
                logger.error(  # noqa: TRY400  one line is enough
                    "The prediction log cannot be rotated, its lines are lost: %s", error
                )
            raise


class _Output(_Counting, logging.StreamHandler[TextIO]):
    """Standard output."""


class PredictionsLog:
    """Writes lines of the chosen mode until closed."""

    def __init__(self, settings: Settings, on_drop: Callable[[], None]) -> None:
        """Open the log and start its thread; `on_drop` is called for each line lost.

        Raises OSError when the file cannot be opened.
        """
        self._key = (
            settings.predictions_log_key.get_secret_value().encode()
            if settings.predictions_log == "hash"
            else None
        )
        self._on_drop = on_drop
        self._lines: queue.Queue[_Line | None] = queue.Queue(settings.predictions_log_queue)
        # Each is written by one side alone: what came in, and what went out.
        self._queued = self._written = 0
        self._closed = False
        self._handler = _handler(settings)
        self._handler.on_drop = on_drop
        self._logger = logging.Logger("nlpserve.predictions", logging.INFO)
        self._logger.addHandler(self._handler)
        self._thread = threading.Thread(target=self._write, name="predictions-log", daemon=True)
        self._thread.start()

    def prediction(self, model: str, text: str, label: str) -> None:
        """Log one text's answer."""
        self._put({"text": text, "prediction": label, "model": model})

    def rejection(self, error: str) -> None:
        """Log a request that was turned away."""
        self._put({"error": error})

    def close(self) -> None:
        """Write what waits, for a bounded time, and close; later lines count as lost."""
        if self._closed:
            return
        self._closed = True
        try:
            self._lines.put(None, timeout=CLOSE_SECONDS)
        except queue.Full:
            return
        self._thread.join(CLOSE_SECONDS)
        self._handler.close()

    def _put(self, members: dict[str, str]) -> None:
        size = sum(map(len, members.values()))
        if self._closed or self._queued - self._written + size > QUEUE_CHARACTERS:
            self._on_drop()
            return
        try:
            self._lines.put_nowait((time.time(), members, size))
        except queue.Full:
            self._on_drop()
            return
        self._queued += size

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            moment, members, size = line
            self._written += size
            if self._key is not None and "text" in members:
                digest = hmac.new(self._key, members["text"].encode(), hashlib.sha256)
                members = {**members, "text": digest.hexdigest()}
            self._logger.info(format_line(moment, members))


def open_predictions_log(settings: Settings, on_drop: Callable[[], None]) -> PredictionsLog | None:
    """The log that the settings want, or none. Raises OSError as PredictionsLog does."""
    return None if settings.predictions_log == "off" else PredictionsLog(settings, on_drop)


def _handler(settings: Settings) -> _Counting:
    if settings.predictions_log_file == STANDARD_OUTPUT:
        return _Output(sys.stdout)
    return _File(
        settings.predictions_log_file,
        maxBytes=settings.predictions_log_max_bytes,
        backupCount=settings.predictions_log_backups,
        encoding="utf-8",
    )
