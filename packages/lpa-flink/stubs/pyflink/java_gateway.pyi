from typing import Protocol

from pyflink.datastream import JavaDataStream, JavaEnvironment

class Topology(Protocol):
    # Of flink-jobs, as the gateway shows it.
    def records(
        self, environment: JavaEnvironment, topics: list[str], group: str, client: dict[str, str], records: int
    ) -> JavaDataStream: ...
    def ranges(self, judged: JavaDataStream, claim_millis: int, records: int, bytes_: int) -> JavaDataStream: ...
    def publish(self, outgoing: JavaDataStream, prefix: str, client: dict[str, str]) -> None: ...

class _Flink(Protocol):
    Topology: Topology

class _EntryClass(Protocol):
    def refuse(self, reason: str) -> None: ...

class _Pipeline(Protocol):
    StreamingEventsToClickHouse: _EntryClass

class _Analytics(Protocol):
    flink: _Flink
    pipeline: _Pipeline

class _Livepeer(Protocol):
    analytics: _Analytics

class _Com(Protocol):
    livepeer: _Livepeer

class _Jvm(Protocol):
    com: _Com

class _Gateway(Protocol):
    jvm: _Jvm

def get_gateway() -> _Gateway: ...
