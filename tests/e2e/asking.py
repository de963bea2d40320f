"""Clients that ask a model all the time, each on a connection of its own."""

import http.client
import json
import threading
from itertools import cycle

from nlpserve.sentences import sentences

LANGUAGES = {"intent": "fr", "emotion": "en"}
BODIES = 50
"""Different ones; they take turns."""


class Asking:
    """`clients` threads that ask, and pause after each answer; counts answers by status."""

    def __init__(self, address, model, *, clients=1, texts=1, pause=0.1):
        self.answers = {}
        self._address = address
        self._path = f"/v1/models/{model}/classify"
        made = sentences(LANGUAGES[model], BODIES * texts, 1)
        parts = (made[place : place + texts] for place in range(0, len(made), texts))
        self._bodies = [json.dumps({"texts": part}) for part in parts]
        self._pause = pause
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self):
        connection = http.client.HTTPConnection(self._address, 80, timeout=30)
        bodies = cycle(self._bodies)
        while not self._done.wait(self._pause):
            status = self._ask(connection, next(bodies))
            with self._lock:
                self.answers[status] = self.answers.get(status, 0) + 1
        connection.close()

    def _ask(self, connection, body):
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", self._path, body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        return answer.status

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join()
