"""What may stand between a client and the server: it leads some paths on and knows no others."""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEPT = ("content-type", "content-length", "content-security-policy")


@contextmanager
def proxy(url: str, lead: Callable[[str], str | None]) -> Iterator[str]:
    """The address of a proxy before `url`; `lead` gives the path there, or None for a 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._pass_on(None)

        def do_POST(self):
            self._pass_on(self.rfile.read(int(self.headers["content-length"])))

        def _pass_on(self, body):
            path = lead(self.path)
            if path is None:
                self.send_error(404)
                return
            request = urllib.request.Request(url + path, body)
            for name in ("content-type", "x-api-key", "authorization"):
                if name in self.headers:
                    request.add_header(name, self.headers[name])
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    status, content, headers = answer.status, answer.read(), answer.headers
            except urllib.error.HTTPError as error:
                with error:
                    status, content, headers = error.code, error.read(), error.headers
            self.send_response(status)
            for name in KEPT:
                if name in headers:
                    self.send_header(name, headers[name])
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)
