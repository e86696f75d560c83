"""The broker that `deploy/kafka-local` runs: Kafka's own, with what it holds kept."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer

from tests.support.kafka import SCRIPT, Broker
from tests.support.processes import ROOT, wait_until

_DIES = """\
import os, signal, sys
from pathlib import Path
from tests.support.kafka import prepared
running = prepared(Path(sys.argv[1]))
running.launch()
print(running.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_acknowledged_outlives_a_broker_that_was_killed(kafka: Broker) -> None:
    kafka.create("kept", partitions=1)
    _send(kafka, "kept", b"before")

    kafka.kill()
    kafka.start()

    _send(kafka, "kept", b"after")
    assert _read(kafka, "kept", 2) == [b"before", b"after"]


def test_a_test_finds_nothing_of_the_test_before(kafka: Broker) -> None:
    kafka.create("of-this-test")

    kafka.empty()

    with kafka.admin() as admin:
        assert [name for name in admin.list_topics() if not name.startswith("__")] == []


def test_a_broker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    started = subprocess.run(
        [sys.executable, "-c", _DIES, tmp_path], cwd=ROOT, capture_output=True, text=True
    )

    assert started.returncode == -signal.SIGKILL, started.stderr
    pid = int(started.stdout)
    wait_until(lambda: not Path(f"/proc/{pid}/cmdline").exists(), what="the broker has ended")


def test_the_script_says_what_it_can_do_and_what_it_needs(tmp_path: Path) -> None:
    lost = subprocess.run([SCRIPT], capture_output=True, text=True)
    assert lost.returncode == 2
    assert "kafka-local start" in lost.stdout
    assert "KAFKA_LOCAL_PORT" in lost.stdout

    for program in ("bash", "dirname", "env", "mkdir", "mktemp"):
        (tmp_path / program).symlink_to(f"/usr/bin/{program}")
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    without = subprocess.run([SCRIPT, "jars"], env=bare, capture_output=True, text=True)
    assert without.returncode == 1
    assert "install a JDK" in without.stderr


def _send(kafka: Broker, topic: str, value: bytes) -> None:
    producer = KafkaProducer(**kafka.client)
    producer.send(topic, value).get(timeout=30)
    producer.close()


def _read(kafka: Broker, topic: str, number: int) -> list[bytes]:
    consumer = KafkaConsumer(
        topic, **kafka.client, auto_offset_reset="earliest", consumer_timeout_ms=30_000
    )
    found = [next(consumer).value for _ in range(number)]
    consumer.close()
    return found
