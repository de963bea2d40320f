"""What one connection may do, over real sockets: many requests at once."""

import json
import socket

from nlpserve import routes
from tests.service.harness import HOST, Change, Server, post_bytes

SENTENCE = "/api/intent?sentence=un%20train"
CLASSIFY = post_bytes("/v1/models/emotion/classify", json.dumps({"texts": ["Thanks!"]}).encode())
KINDS = (
    (b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % SENTENCE.encode(), 200),
    (b"GET /api/intent HTTP/1.1\r\nHost: x\r\n\r\n", 422),
    (b"GET /api/intent?sentence=%ff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    (CLASSIFY, 200),
    (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (post_bytes("/", b"{}"), 400),
    (b"GET /api/intent?sentence= HTTP/1.1\r\nHost: x\r\n\r\n", 422),
)


def ask_at_once(server: Server, requests: list[bytes]) -> list[int]:
    """Write all of them, then read: the status of each answer, in order."""
    statuses = []
    with socket.create_connection((HOST, server.port), timeout=30) as connection:
        connection.sendall(b"".join(requests))
        with connection.makefile("rb") as answers:
            for _ in requests:
                statuses.append(int(answers.readline().split()[1]))
                length = 0
                while (line := answers.readline()) != b"\r\n":
                    name, _, value = line.partition(b":")
                    if name == b"content-length":
                        length = int(value)
                answers.read(length)
    return statuses


def test_thousands_of_requests_in_one_write_are_answered_in_order(server):
    change = Change(server)
    refused = [KINDS[1]] * 1_000  # answered at once, all behind one that waits for the model
    sent = [KINDS[0], *refused, *KINDS * 125]
    assert ask_at_once(server, [request for request, _ in sent]) == [code for _, code in sent]
    change.take()
    assert change.total("requests_total", route=routes.INTENT, code="200") == 126
    assert change.total("requests_total", route=routes.INTENT, code="422") == 1_250
    assert "Traceback" not in server.log
