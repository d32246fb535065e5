"""Apache Kafka (KRaft, no ZooKeeper), from the published jars: ``python -m services.kafka`` runs one broker."""

from __future__ import annotations

import base64
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from lpa_core.testing.ports import free_ports
from services.processes import PATIENCE, Server, ServiceError

VERSION: Final = "3.9.1"
_POM: Final = Path(__file__).with_name("kafka-pom.xml")
_JARS: Final = Path(__file__).parents[2] / ".nox" / f"kafka-{VERSION}"

_PROPERTIES: Final = """
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}
log.dirs={data}
num.partitions=1
default.replication.factor={replicas}
min.insync.replicas={in_sync}
auto.create.topics.enable=false
offsets.topic.num.partitions=3
offsets.topic.replication.factor={replicas}
transaction.state.log.num.partitions=3
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.retention.check.interval.ms=1000
num.network.threads=2
num.io.threads=4
"""


@final
class KafkaCluster:
    """Brokers that are controllers too. Raises ServiceError where they cannot be started."""

    def __init__(
        self, brokers: int = 1, protocols: Mapping[str, str] | None = None, properties: Mapping[str, str] | None = None
    ) -> None:
        """``protocols``: of listeners beside PLAINTEXT, by their names. ``properties``: more of the brokers' own."""
        self._folder = Path(tempfile.mkdtemp(prefix="kafka-"))
        names = ["PLAINTEXT", *(protocols or {})]
        ports = free_ports((1 + len(names)) * brokers)
        controllers, own = ports[:brokers], ports[brokers:]
        listening = {name: own[i * brokers : (i + 1) * brokers] for i, name in enumerate(names)}
        self.addresses = {
            name: ",".join(f"127.0.0.1:{port}" for port in of_brokers) for name, of_brokers in listening.items()
        }
        """Bootstrap servers by the name of the listener."""
        self.bootstrap = self.addresses["PLAINTEXT"]
        more = "".join(f"{name}={value}\n" for name, value in (properties or {}).items())
        voters = ",".join(f"{node + 1}@127.0.0.1:{port}" for node, port in enumerate(controllers))
        jars = _jars()
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        replicas = min(brokers, 3)
        self._servers = []
        for node, controller in enumerate(controllers):
            properties = self._folder / f"server-{node}.properties"
            properties.write_text(
                _PROPERTIES.format(
                    node=node + 1,
                    voters=voters,
                    listeners=",".join(f"{name}://127.0.0.1:{listening[name][node]}" for name in names),
                    protocols="".join(f",{name}:{protocol}" for name, protocol in (protocols or {}).items()),
                    controller=controller,
                    data=self._folder / f"data-{node}",
                    replicas=replicas,
                    in_sync=max(1, replicas - 1),
                )
                + more
            )
            tool = ["java", "-Xmx256m", "-cp", f"{jars}/*", "kafka.tools.StorageTool"]
            # In one word: one cluster's id in 64 begins with a dash, and would be taken for another option.
            command = [*tool, "format", f"--cluster-id={cluster}", "-c", str(properties)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ServiceError(f"Kafka's storage cannot be formatted: {done.stderr[-1000:]}")
            java = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
            self._servers.append(
                Server(f"Kafka broker {node}", [*java, "kafka.Kafka", str(properties)], self._folder / f"{node}.log")
            )
        for node in range(brokers - 1):
            self._servers[node].start(lambda: True)  # none answers before there is a quorum
        if brokers:
            self._servers[-1].start(self._answers)
            self._warm_up()

    def _warm_up(self) -> None:
        """Have the coordinators of groups and transactions in place: a new cluster makes them at first use."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "transactional.id": "warm-up", "log_level": 0})
        producer.init_transactions(PATIENCE)
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                admin.describe_consumer_groups(["warm-up"])["warm-up"].result(10)
            except KafkaException as error:
                if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                    return
                if time.monotonic() > deadline:
                    raise ServiceError(f"Kafka has no group coordinator: {error.args[0].str()}") from None
                time.sleep(0.2)
            else:
                return

    def _answers(self) -> bool:
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            running = sum(server.running for server in self._servers)
            return len(admin.list_topics(timeout=2).brokers) >= running
        except KafkaException:
            return False

    def stop_broker(self, node: int) -> None:
        self._servers[node].stop()

    def kill_broker(self, node: int) -> None:
        self._servers[node].kill()

    def start_broker(self, node: int) -> None:
        """Start a stopped broker on its port and data."""
        self._servers[node].start(self._answers)

    def restart_broker(self, node: int) -> None:
        self.stop_broker(node)
        self.start_broker(node)

    def close(self) -> None:
        for server in self._servers:
            server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _jars() -> Path:
    """The folder of the jars, filled by Maven where it is not yet; of several processes that ask, by the first."""
    _JARS.mkdir(parents=True, exist_ok=True)
    with (_JARS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_JARS / "complete").exists():
            _fetch_jars()
    return _JARS


def _fetch_jars() -> None:
    command = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={_JARS}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ServiceError("Kafka's jars come by Maven, which is not installed: apt-get install maven") from None
    if done.returncode:
        raise ServiceError(f"Maven cannot bring Kafka's jars: {(done.stdout + done.stderr)[-1000:]}")
    (_JARS / "complete").touch()


def main() -> None:
    cluster = KafkaCluster()
    print(cluster.bootstrap, flush=True)
    try:
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        cluster.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    os.environ.setdefault("LANG", "C.UTF-8")
    main()
