"""An S3 server, and buckets of a test's own in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import final
from uuid import uuid4

import attrs
import boto3
from moto.server import ThreadedMotoServer

from services import compose


@final
@attrs.frozen
class Bucket:
    """A bucket's URL, and the environment variables with which it is reached."""

    url: str
    environment: Mapping[str, str]


@final
@attrs.frozen
class ObjectStore:
    endpoint: str
    access_key: str
    secret_key: str = attrs.field(repr=False)

    def new_bucket(self) -> Bucket:
        name = f"bucket-{uuid4().hex}"
        boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
        ).create_bucket(Bucket=name)
        environment = {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
        }
        return Bucket(f"s3://{name}", environment)


@contextmanager
def moto() -> Iterator[ObjectStore]:
    """moto's S3 server, in this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield ObjectStore(f"http://127.0.0.1:{port}", "test-access-key", "test-secret-key")
    server.stop()


def minio() -> ObjectStore:
    """The one of ``docker compose up -d``."""
    user, password = (compose.variable("minio", name) for name in ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"))
    return ObjectStore(f"http://{compose.address('minio', 9000)}", user, password)
