"""A real Apache Kafka broker for tests, run by the script that developers start it with at home."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.support.components import alone_with, cache, free_port, unavailable

SCRIPT = Path(__file__).parents[2] / "deploy" / "kafka-local"
PATIENCE = 60.0
_HINT = "install a JDK (17 or newer) and Maven"


@dataclass(eq=False)
class Broker:
    """One broker on loopback. `client` is what a client of kafka-python needs to reach it."""

    folder: Path
    client: Mapping[str, Any]
    environment: Mapping[str, str]
    starts: int = 0
    _running: subprocess.Popen[bytes] | None = None
    _watchdog: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return str(self.client["bootstrap_servers"])

    @property
    def log(self) -> Path:
        return self.folder / "broker.log"

    @property
    def pid(self) -> int:
        assert self._running is not None, "the broker does not run"
        return self._running.pid

    def start(self) -> None:
        """Begin, on what an earlier start left, and wait until it tells what topics it has."""
        self.launch()
        self._wait()

    def launch(self) -> None:
        """Begin, and wait for nothing but that it cannot outlive us."""
        assert self._running is None, "the broker runs already"
        self.starts += 1
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [SCRIPT, "run"], env=dict(self.environment), stdout=log, stderr=log
            )
        # Its input ends when we end, however that happens, and the broker with it.
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; kill -KILL "$1"', "watchdog", str(self._running.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """As an operator does it."""
        self._end("terminate")

    def kill(self) -> None:
        """As the kernel does it when memory is short."""
        self._end("kill")

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextmanager
    def admin(self) -> Iterator[Any]:
        administrator = KafkaAdminClient(**self.client)
        try:
            yield administrator
        finally:
            administrator.close()

    def create(self, *topics: str, partitions: int = 3) -> None:
        """New topics; they can be written to when this returns."""
        with self.admin() as admin:
            wanted = {
                name: {"num_partitions": partitions, "replication_factor": 1} for name in topics
            }
            admin.create_topics(wanted, wait_for_metadata=True)

    def empty(self) -> None:
        """Without any topic and consumer group of an earlier test."""
        with self.admin() as admin:
            groups = [group["group_id"] for group in admin.list_groups()]
            if groups:
                admin.delete_groups(groups)
            topics = [name for name in admin.list_topics() if not name.startswith("__")]
            if topics:
                admin.delete_topics(topics)
            while set(topics) & set(admin.list_topics()):
                time.sleep(0.02)

    def _wait(self) -> None:
        began = time.monotonic()
        host, _, port = self.address.rpartition(":")
        while time.monotonic() - began < PATIENCE:
            assert self._running is not None
            assert self._running.poll() is None, f"the broker ended: {self._said()}"
            # A client that is refused waits longer from time to time: we had rather look ourselves.
            with socket.socket() as probe:
                refused = probe.connect_ex((host, int(port)))
            if not refused and self._answers():
                return
            time.sleep(0.1)
        raise AssertionError(f"no answer within {PATIENCE:.0f} s: {self._said()}")

    def _answers(self) -> bool:
        try:
            with self.admin() as admin:
                admin.list_topics()
        except KafkaError:
            return False
        return True

    def _end(self, how: str) -> None:
        assert self._running is not None, "the broker does not run"
        assert self._running.poll() is None, f"the broker had ended by itself: {self._said()}"
        getattr(self._running, how)()
        try:
            self._running.wait(timeout=PATIENCE)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """End it whatever state it is in."""
        if self._running is None:
            return
        assert self._watchdog is not None
        # First, for it must never end another process that was given the same number.
        self._watchdog.kill()
        self._watchdog.wait()
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.close()
        self._running.kill()
        self._running.wait()
        self._running = self._watchdog = None

    def _said(self) -> str:
        return self.log.read_text(errors="replace")[-2_000:]


@contextmanager
def broker(
    folder: Path,
    *,
    properties: str = "",
    storage: str = "",
    client: Mapping[str, Any] | None = None,
) -> Iterator[Broker]:
    """A running broker with its data in `folder`.

    `properties` are further broker settings and `storage` options for formatting its storage;
    `{port}` in them is the one clients use, `{controller}` the other. `client` is what its clients
    need beside the address.
    """
    running = prepared(folder, properties=properties, storage=storage, client=client)
    try:
        running.start()
        yield running
    finally:
        running.abandon()


def prepared(
    folder: Path,
    *,
    properties: str = "",
    storage: str = "",
    client: Mapping[str, Any] | None = None,
) -> Broker:
    """One that does not run yet."""
    jars()
    folder.mkdir(parents=True, exist_ok=True)
    port = _two_free_ports()
    further = folder / "further.properties"
    ports = {"{port}": str(port), "{controller}": str(port + 1)}
    for name, number in ports.items():
        properties = properties.replace(name, number)
    further.write_text(properties, encoding="utf-8")
    environment = {
        **_environment(),
        "KAFKA_LOCAL_PORT": str(port),
        "KAFKA_LOCAL_HOME": str(folder),
        "KAFKA_LOCAL_PROPERTIES": str(further),
        "KAFKA_LOCAL_FORMAT": storage,
    }
    return Broker(folder, {"bootstrap_servers": f"127.0.0.1:{port}", **(client or {})}, environment)


def jars() -> Path:
    """The folder of Kafka's own files; the first time they are fetched, which takes a while."""
    if shutil.which("java") is None:
        unavailable("Kafka", _HINT)
    with alone_with(cache() / "kafka"):
        fetched = subprocess.run(
            [SCRIPT, "jars"],
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    if fetched.returncode:
        unavailable("Kafka", f"{_HINT} ({fetched.stderr.strip()[-300:]})")
    return Path(fetched.stdout.strip())


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**inherited, "KAFKA_LOCAL_CACHE": str(cache())}


def _two_free_ports() -> int:
    """A free port whose next one is free as well: the controller's."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
