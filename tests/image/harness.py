"""The image as a container: read-only, user 10001, no capabilities, only /tmp to write to.

With docker or podman it is a container of theirs. buildah runs no services, so there the image's
root is mounted in namespaces of its own, by what every Linux has: the root bound read-only, a tmpfs
on /tmp, the image's own entry point as process 1 with its own user and environment. What only a
container runtime adds (seccomp, cgroups, a network of its own) is proven by the chart's pods.
"""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from bento.image.archive import configuration
from bento.image.engines import Engine
from tests.service.harness import HOST, READY_SECONDS, STOP_SECONDS, free_port

PORT = 3000
ENTER = """
set -eu
root=$1; volume=$2; mountpoint=$3; user=$4; shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
if [ -n "$volume" ]; then
    mkdir -p "$root$mountpoint"
    mount --bind "$volume" "$root$mountpoint"
    mount -o remount,bind,ro "$root$mountpoint"
fi
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root"
exec chroot "$root" setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups \
    --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
"""


def output(*command: str) -> str:
    """What it prints; its own words are in the error when it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


class Container:
    """One started from the image."""

    def __init__(
        self,
        engine: Engine,
        image: str,
        archive: Path,
        log: Path,
        volume: tuple[Path, str] | None = None,
        **settings: str,
    ) -> None:
        self.engine = engine
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._log = log
        self._settings = {f"NLPSERVE_{name.upper()}": value for name, value in settings.items()}
        self._start = self._in_namespaces if engine.name == "buildah" else self._in_engine
        self._id = ""
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                self._start(image, configuration(archive)["config"], volume),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def _in_engine(self, image, config, volume):
        self._id = f"nlpserve-test-{self.port}"
        options = ["--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
        options += ["--security-opt", "no-new-privileges", "--name", self._id]
        options += ["--publish", f"{HOST}:{self.port}:{PORT}"]
        for name, value in self._settings.items():
            options += ["--env", f"{name}={value}"]
        if volume:
            options += ["--volume", f"{volume[0]}:{volume[1]}:ro"]
        return [*self.engine.command, "run", *options, image]

    def _in_namespaces(self, image, config, volume):
        self._id = output(*self.engine.command, "from", "--pull-never", image)
        root = output(*self.engine.command, "mount", self._id)
        environment = [*config["Env"], *(f"{name}={v}" for name, v in self._settings.items())]
        source, target = volume or ("", "")
        return [
            "unshare", "--mount", "--pid", "--fork", "--kill-child",
            "sh", "-c", ENTER, "enter", root, str(source), target, config["User"],
            "env", "-i", "-C", config["WorkingDir"], *environment,
            *config["Entrypoint"], "--port", str(self.port),
        ]  # fmt: skip

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end()
        if self.engine.name == "buildah":
            output(*self.engine.command, "rm", self._id)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def first(self) -> int:
        """The process that the container sees as 1, as this machine numbers it."""
        if self.engine.name != "buildah":
            form = "{{.State.Pid}}"
            return int(output(*self.engine.command, "inspect", "--format", form, self._id))
        return psutil.Process(self.process.pid).children()[0].pid

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its user."""
        if self.engine.name == "buildah":
            pid = self.first()
            owner = psutil.Process(pid)
            enter = ["nsenter", "--target", str(pid), "--mount", "--pid", "--root", "--wd"]
            enter += [f"--setuid={owner.uids().real}", f"--setgid={owner.gids().real}"]
            variables = [f"{name}={value}" for name, value in owner.environ().items()]
            called = [*enter, "env", "-i", *variables, *command]
        else:
            called = [*self.engine.command, "exec", self._id, *command]
        return subprocess.run(called, check=False, capture_output=True, text=True, timeout=60)

    def status(self) -> dict[str, str]:
        """/proc/1/status as it sees it."""
        shown = self.execute("cat", "/proc/1/status").stdout
        return dict(line.split(":\t", 1) for line in shown.splitlines() if ":\t" in line)

    def signal(self, number: signal.Signals) -> None:
        """Send it to its first process, as a runtime does."""
        if self.engine.name == "buildah":
            psutil.Process(self.first()).send_signal(number)
        else:
            output(*self.engine.command, "kill", "--signal", number.name, self._id)

    def wait(self) -> int:
        return self.process.wait(STOP_SECONDS)

    def end(self) -> int:
        """SIGTERM, and SIGKILL when that is not enough; the exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            return self.wait()

    def ready(self) -> "Container":
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log
            try:
                if self.request("/readyz")[0] == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not ready in {READY_SECONDS:g} s: {self.log}")

    def request(self, path: str, body: object = None) -> tuple[int, object]:
        """Status and answer; GET without a body."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                text = response.read()
                kind = response.headers.get_content_type()
                return response.status, json.loads(text) if kind.endswith("json") else text
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
