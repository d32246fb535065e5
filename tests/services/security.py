"""A broker that lets nobody in unasked: logins, TLS and access control lists."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Final, final

import attrs
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.kafka import KafkaCluster
from services.processes import PATIENCE

USER: Final = "lpa"
PASSWORD: Final = "a-password-for-tests"
METADATA_BYTES: Final = 512
"""So little room has a commit's metadata on this broker."""
_PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule"
_PROTOCOLS: Final = {"LOGIN": "SASL_PLAINTEXT", "TLS": "SSL", "EXPIRED": "SSL", "ELSEWHERE": "SSL", "MUTUAL": "SSL"}


@final
class SecuredKafka:
    """Whoever comes through PLAINTEXT may do everything, ``USER`` only what :meth:`allow` says.

    Its listeners: ``LOGIN`` asks for ``USER`` and ``PASSWORD`` (SASL PLAIN), ``TLS`` shows a good certificate,
    ``EXPIRED`` one of last year, ``ELSEWHERE`` one of another host; ``MUTUAL`` asks for one.
    """

    def __init__(self, folder: Path) -> None:
        authority = _Authority()
        self.authority = folder / "authority.pem"
        self.authority.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
        properties = {
            "offset.metadata.max.bytes": str(METADATA_BYTES),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.login.plain.sasl.jaas.config": f'{_PLAIN} required user_{USER}="{PASSWORD}";',
        }
        for listener, (host, days) in {
            "TLS": ("127.0.0.1", 1),
            "EXPIRED": ("127.0.0.1", -1),
            "ELSEWHERE": ("192.0.2.1", 1),
            "MUTUAL": ("127.0.0.1", 1),
        }.items():
            store = folder / f"{listener}.pem"
            store.write_bytes(authority.issue(host, days))
            properties[f"listener.name.{listener.lower()}.ssl.keystore.type"] = "PEM"
            properties[f"listener.name.{listener.lower()}.ssl.keystore.location"] = str(store)
        properties["listener.name.mutual.ssl.client.auth"] = "required"
        properties["listener.name.mutual.ssl.truststore.type"] = "PEM"
        properties["listener.name.mutual.ssl.truststore.location"] = str(self.authority)
        self.cluster = KafkaCluster(protocols=_PROTOCOLS, properties=properties)
        self.addresses = self.cluster.addresses
        self.admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap, "log_level": 0})

    @property
    def login(self) -> dict[str, str]:
        """The environment of a process that comes in as ``USER``."""
        return {
            "QUALITY_KAFKA_BOOTSTRAP": self.addresses["LOGIN"],
            "LPA_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "LPA_KAFKA_SASL_MECHANISM": "PLAIN",
            "LPA_KAFKA_SASL_USERNAME": USER,
            "LPA_KAFKA_SASL_PASSWORD": PASSWORD,
        }

    def allow(self, acls: Iterable[Acl]) -> None:
        """Let ``USER`` do these."""
        for made in self.admin.create_acls([acl.binding() for acl in acls]).values():
            made.result(PATIENCE)

    def forbid(self, acls: Iterable[Acl]) -> None:
        """Take back what was allowed."""
        for removed in self.admin.delete_acls([acl.filter() for acl in acls]).values():
            removed.result(PATIENCE)

    def forbid_everything(self) -> None:
        every = AclBindingFilter(
            ResourceType.ANY,
            None,
            ResourcePatternType.ANY,
            None,
            None,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        for removed in self.admin.delete_acls([every]).values():
            removed.result(PATIENCE)

    def close(self) -> None:
        self.cluster.close()


@final
@attrs.frozen
class Acl:
    """A permission as `kafka-acls` names it: ``resource`` and ``operation`` such as TOPIC and READ."""

    resource: str
    name: str
    operation: str
    prefixed: bool = False

    def binding(self) -> AclBinding:
        return AclBinding(*self._arguments())

    def filter(self) -> AclBindingFilter:
        return AclBindingFilter(*self._arguments())

    def _arguments(self) -> tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]:
        return (
            ResourceType.BROKER if self.resource == "CLUSTER" else ResourceType[self.resource],
            self.name,
            ResourcePatternType.PREFIXED if self.prefixed else ResourcePatternType.LITERAL,
            f"User:{USER}",
            "*",
            AclOperation[self.operation],
            AclPermissionType.ALLOW,
        )


@final
class _Authority:
    """Issues certificates."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed(self._key, "authority", 365, [x509.BasicConstraints(ca=True, path_length=0)])

    def issue(self, address: str, days: int) -> bytes:
        """PEM of a key and its certificate, which ends after so many days, or ended so many ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = self._signed(key, address, days, [names])
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + certificate.public_bytes(serialization.Encoding.PEM)

    def _signed(
        self, key: ec.EllipticCurvePrivateKey, name: str, days: int, extensions: list[x509.ExtensionType]
    ) -> x509.Certificate:
        day = datetime.timedelta(days=1)
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named("authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * day)
            .not_valid_after(now + days * day)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
