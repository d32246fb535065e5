"""Servers of a running ``docker compose up -d``, where a Docker engine answers."""

from __future__ import annotations

import subprocess

from services.processes import ServiceError


def answers() -> bool:
    """Whether a Docker engine answers."""
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def address(service: str, port: int) -> str:
    """``host:port`` under which a service's port is published. Raises ServiceError."""
    return _answer(service, "port", service, str(port))


def variable(service: str, name: str) -> str:
    """An environment variable of a service's container. Raises ServiceError."""
    return _answer(service, "exec", "-T", service, "printenv", name)


def _answer(service: str, *command: str) -> str:
    done = subprocess.run(["docker", "compose", *command], capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip():
        raise ServiceError(f"{service} does not run: docker compose up -d {service} ({done.stderr.strip()})")
    return done.stdout.strip()
