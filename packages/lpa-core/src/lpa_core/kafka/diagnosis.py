"""Why brokers cannot be reached: what the client does not tell is found out by looking at the address.

The client says "all brokers are down" where a listener wants TLS or a login, or if no Kafka is behind the port, and
"certificate verify failed" whatever is wrong with the certificate.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, final

import attrs

from lpa_core.uris import KAFKA_PORT, hosts_and_ports

_CONNECT_SECONDS: Final = 3.0
_LISTEN_SECONDS: Final = 3.0
_SASL_HANDSHAKE: Final = 17
"""The request that a client begins a login with; brokers answer which mechanisms they take."""
_CLIENT: Final = b"lpa\r\n\r\n"
"""With the end of a line, upon which HTTP servers answer too."""
_WEB: Final = (b"HTTP", b"<")
_LARGEST_ANSWER: Final = 65_536

_STATE: Final = re.compile(r" \(after \d+ms in state \w+.*\)$")
"""Ends what librdkafka says of a connection."""
_BOOTSTRAP: Final = "check QUALITY_KAFKA_BOOTSTRAP"
_LOGIN: Final = "check sasl.username and sasl.password (LPA_KAFKA_SASL_USERNAME, LPA_KAFKA_SASL_PASSWORD)"


@final
@attrs.frozen(slots=True)
class Diagnosis:
    """What is wrong and what to do, in one line; ``passes``: whether it may pass by itself."""

    text: str
    passes: bool


@final
@attrs.frozen(slots=True)
class _Answer:
    """What an address replies to the first request of a login.

    ``mechanisms``: those that a Kafka listener accepts, empty if it wants no login; None: Kafka did not send this.
    """

    mechanisms: tuple[str, ...] | None = None
    start: bytes = b""


def diagnose(connection: Mapping[str, Any]) -> Diagnosis | None:
    """Look at the brokers that a client's configuration names; None if nothing is found.

    Takes up to some seconds for each of them.
    """
    addresses = bootstrap_addresses(connection)
    found = [look(host, port, connection) for host, port in addresses]
    if found and all(found):
        return next((each for each in found if each is not None and not each.passes), found[0])
    return _inside(connection, set(addresses))


def bootstrap_addresses(connection: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Host and port of each broker that a client's configuration names."""
    brokers = hosts_and_ports(str(connection["bootstrap.servers"]))
    return [(host, KAFKA_PORT if port is None else port) for host, port in brokers]


def look(host: str, port: int, connection: Mapping[str, Any]) -> Diagnosis | None:
    """Look at one address: name service, connection, TLS, and whether Kafka takes such a login there."""
    where = f"{host}:{port}"
    protocol = str(connection.get("security.protocol", "plaintext")).lower()
    wants_tls, wants_login = "ssl" in protocol, protocol.startswith("sasl")
    mechanism = str(connection.get("sasl.mechanism", connection.get("sasl.mechanisms", "GSSAPI")))
    try:
        answer = _ask(host, port, mechanism, _context(connection) if wants_tls else None)
    except ssl.SSLCertVerificationError as error:
        return Diagnosis(_certificate(where, error), passes=False)
    except ssl.SSLError as error:
        return _without_tls(host, port, mechanism, error)
    except socket.gaierror as error:
        return Diagnosis(f"{host} cannot be resolved ({error.strerror}): {_BOOTSTRAP} and name service", passes=True)
    except TimeoutError:
        return Diagnosis(f"{where} does not answer: {_BOOTSTRAP}, the network and that the brokers run", passes=True)
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:
            what = "nobody listens (connection refused)"
        else:
            what = f"there is no connection ({error.strerror or error})"
        return Diagnosis(f"{where}: {what}: {_BOOTSTRAP} and that the brokers run", passes=True)
    if answer.mechanisms is None:
        return _no_kafka(host, port, mechanism, answer, wants_tls)
    secured = "SASL_SSL" if wants_tls else "SASL_PLAINTEXT"
    if answer.mechanisms and not wants_login:
        return Diagnosis(
            f"{where} asks for a login ({', '.join(answer.mechanisms)}): set security.protocol to {secured}, and "
            "sasl.mechanism, sasl.username and sasl.password",
            passes=False,
        )
    if wants_login and not answer.mechanisms:
        return Diagnosis(
            f"{where} takes no login: set security.protocol to {'SSL' if wants_tls else 'PLAINTEXT'}, or name the port "
            "of a listener that does",
            passes=False,
        )
    if wants_login and mechanism.upper() not in answer.mechanisms:
        return Diagnosis(
            f"{where} does not take sasl.mechanism {mechanism}: set it to {' or '.join(answer.mechanisms)}",
            passes=False,
        )
    return None


def _no_kafka(host: str, port: int, mechanism: str, answer: _Answer, tls: bool) -> Diagnosis:
    where = f"{host}:{port}"
    if answer.start.startswith(_WEB):
        return Diagnosis(f"{where} is an HTTP server, no Kafka broker: {_BOOTSTRAP}", passes=False)
    if not tls and _speaks_tls(host, port):
        return Diagnosis(
            f"{where} speaks TLS: set security.protocol to SSL, or SASL_SSL with a login, and ssl.ca.location",
            passes=False,
        )
    what = "closes the connection" if not answer.start else "answers something else"
    return Diagnosis(
        f"{where} {what}: no Kafka broker, such as a port of ZooKeeper or of a controller, or one that is stopping: "
        f"{_BOOTSTRAP}",
        passes=not answer.start,
    )


def _without_tls(host: str, port: int, mechanism: str, error: ssl.SSLError) -> Diagnosis:
    """TLS did not come about for another reason than the certificate."""
    where = f"{host}:{port}"
    with suppress(OSError):
        answer = _ask(host, port, mechanism, None)
        if answer.start.startswith(_WEB):
            return Diagnosis(f"{where} is an HTTP server, no Kafka broker: {_BOOTSTRAP}", passes=False)
        if answer.mechanisms is not None:
            plain = "SASL_PLAINTEXT" if answer.mechanisms else "PLAINTEXT"
            return Diagnosis(f"{where} speaks no TLS: set security.protocol to {plain}", passes=False)
    if error.reason and "ALERT" in error.reason and ("CERTIFICATE" in error.reason or "CA" in error.reason):
        return Diagnosis(
            f"{where} asks for a certificate of the client that it knows the authority of ({error.reason}): set "
            "ssl.certificate.location and ssl.key.location",
            passes=False,
        )
    return Diagnosis(
        f"{where}: TLS fails ({error.reason or error}): check security.protocol and the ssl. properties", passes=False
    )


def _certificate(where: str, error: ssl.SSLCertVerificationError) -> str:
    why = error.verify_message.rstrip(".")
    if "expired" in why or "not yet valid" in why:
        remedy = "renew it on the broker, and compare both machines' clocks"
    elif "mismatch" in why.lower() or "not valid for" in why:
        remedy = f"name the broker in QUALITY_KAFKA_BOOTSTRAP as its certificate does, not {where}"
    else:
        remedy = "set ssl.ca.location to the file of the authority that issued it"
    return f"{where}: certificate verify failed ({why}): {remedy}"


def _inside(connection: Mapping[str, Any], known: set[tuple[str, int]]) -> Diagnosis | None:
    """What comes after the first contact: the login, and the addresses that the brokers name as theirs."""
    from confluent_kafka import KafkaError, KafkaException, Producer

    heard: list[Diagnosis] = []

    def error(problem: KafkaError) -> None:
        said = _STATE.sub("", problem.str())
        if problem.name() == "_AUTHENTICATION":
            heard.append(Diagnosis(f"the login was refused ({said}): {_LOGIN}", passes=False))
        elif problem.name() == "_SSL":
            heard.append(Diagnosis(f"TLS fails ({said}): check the ssl. properties", passes=False))

    own = {name: value for name, value in connection.items() if name not in ("logger", "transactional.id")}
    producer = Producer({**own, "error_cb": error, "log_level": 0})
    try:
        brokers = producer.list_topics(timeout=_LISTEN_SECONDS).brokers.values()
    except KafkaException:
        producer.poll(0)
        return heard[0] if heard else None
    named = {(each.host, each.port) for each in brokers} - known
    found = next(filter(None, (look(host, port, connection) for host, port in sorted(named))), None)
    if found is None:
        return None
    return Diagnosis(f"{found.text}; the brokers name this address in their advertised.listeners", passes=True)


# What an address speaks.


def _ask(host: str, port: int, mechanism: str, context: ssl.SSLContext | None) -> _Answer:
    """Begin a login and see what is answered. Raises OSError, ssl.SSLError."""
    with socket.create_connection((host, port), _CONNECT_SECONDS) as plain:
        if context is None:
            return _answer(plain, mechanism)
        try:
            secured = context.wrap_socket(plain, server_hostname=host)
        except ConnectionResetError as error:
            raise ssl.SSLError(f"the connection is closed: {error.strerror}") from None
        with secured:
            return _answer(secured, mechanism)


def _answer(connection: socket.socket, mechanism: str) -> _Answer:
    name, client = mechanism.encode(), _CLIENT
    request = struct.pack(">hhih", _SASL_HANDSHAKE, 1, 1, len(client)) + client + struct.pack(">h", len(name)) + name
    with suppress(ConnectionError, ssl.SSLEOFError):
        connection.sendall(struct.pack(">i", len(request)) + request)
        start = _received(connection, 4)
        if len(start) < 4:
            return _Answer(start=start)
        (size,) = struct.unpack(">i", start)
        if not 10 <= size <= _LARGEST_ANSWER:
            return _Answer(start=start)
        return _decoded(_received(connection, size))
    return _Answer()


def _decoded(body: bytes) -> _Answer:
    try:
        correlation, _, count = struct.unpack_from(">ihi", body)
        if correlation != 1:
            return _Answer(start=body)
        place, names = 10, []
        for _ in range(count):
            (length,) = struct.unpack_from(">h", body, place)
            names.append(body[place + 2 : place + 2 + length].decode())
            place += 2 + length
    except (struct.error, UnicodeDecodeError):
        return _Answer(start=body)
    return _Answer(tuple(names))


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), _CONNECT_SECONDS) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False


def _context(connection: Mapping[str, Any]) -> ssl.SSLContext:
    """A context with those of the client's properties that Python's TLS has, too."""
    context = ssl.create_default_context()
    if authority := str(connection.get("ssl.ca.location", "")):
        with suppress(OSError):
            context.load_verify_locations(authority)
    if text := str(connection.get("ssl.ca.pem", "")):
        with suppress(OSError):
            context.load_verify_locations(cadata=text)
    if str(connection.get("ssl.endpoint.identification.algorithm", "https")).lower() == "none":
        context.check_hostname = False
    if str(connection.get("enable.ssl.certificate.verification", "true")).lower() == "false":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate := str(connection.get("ssl.certificate.location", "")):
        with suppress(OSError):
            key = str(connection.get("ssl.key.location", "")) or None
            context.load_cert_chain(certificate, key, str(connection.get("ssl.key.password", "")))
    return context
