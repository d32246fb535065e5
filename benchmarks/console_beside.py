"""What a console costs a running `lpa ingest` that has the embedded database open: processor time, in pairs.

Both halves of a pair ingest the same events at a steady rate, with facts, side by side, each into a copy of the same
database: one alone, and at the other `lpa console` runs its checks, the costly ones once, and a person looks at the
first page and at health every 15 seconds. Printed is what the watched process takes more, since it answers the
console's reads, with the interval that holds it with a confidence of 95 % (by bootstrap over the pairs); then what the
console's own process takes. Let the machine do nothing else.

    ./dev bench console_beside [--pairs N] [--seconds N] [--rate N] [--stored N]
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Final
from urllib.request import ProxyHandler, build_opener

import msgspec

from lpa_core.generate import generate

LPA: Final = str(Path(sys.executable).with_name("lpa"))
LOOK_SECONDS: Final = 15
PER_SESSION: Final = 500
RESAMPLES: Final = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=240, help="of each pair")
    parser.add_argument("--rate", type=int, default=4_000, help="events a second")
    parser.add_argument("--stored", type=int, default=1_000_000, help="events before")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    chance, pairs, consoles = random.Random(1), list[tuple[float, float]](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        stored, events = f"{folder}/stored", arguments.rate * arguments.seconds
        ingest(stored, arguments.stored, rate=0, seed=1)
        for number in range(arguments.pairs):
            copies = [shutil.copytree(stored, f"{folder}/{name}", symlinks=True) for name in ("watched", "alone")]
            halves = [partial(ingest, copy, events, arguments.rate, 10 + number) for copy in copies]
            with ThreadPoolExecutor() as threads, console(copies[0]) as seconds:
                watched, alone = threads.map(lambda half: half(), halves)
            consoles += seconds
            for copy in copies:
                shutil.rmtree(copy)
            pairs.append((watched, alone))
            print(f"{watched:.2f} s watched, {alone:.2f} s alone, {consoles[-1]:.2f} s of the console", flush=True)
    resampled = sorted(more(chance.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    low, high = resampled[int(0.025 * RESAMPLES)], resampled[int(0.975 * RESAMPLES)]
    print(f"the ingesting process: {more(pairs):+.2%} ({low:+.2%} to {high:+.2%}), {len(pairs)} pairs")
    print(f"the console's process: {mean(consoles) / mean(alone for _, alone in pairs):.1%} of the ingesting one's")


def more(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(watched for watched, _ in pairs) / sum(alone for _, alone in pairs) - 1


def ingest(folder: str, events: int, rate: int, seed: int) -> float:
    """Processor seconds of `lpa ingest`; rate 0 sends all at once."""
    lines = generate(
        events,
        duplicates=0.01,
        bad=0.005,
        sessions=max(1, events // PER_SESSION),
        seed=seed,
        start_ms=time.time_ns() // 1_000_000,
    )
    sent = [line + b"\n" for line in lines]
    process = subprocess.Popen(
        [LPA, "ingest", "-", "--facts"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LPA_DATA_DIR": folder},
    )
    assert process.stdin is not None
    begun = time.monotonic()
    with process.stdin as stdin:
        for start in range(0, len(sent), rate or len(sent)):
            stdin.writelines(sent[start : start + (rate or len(sent))])
            stdin.flush()
            if rate:
                time.sleep(max(0.0, begun + (start + rate) / rate - time.monotonic()))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"lpa ingest ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


@contextmanager
def console(folder: str) -> Iterator[list[float]]:
    """A console that somebody looks at; afterwards the list has its processor seconds."""
    environment = {**os.environ, "LPA_DATA_DIR": folder, "LPA_CONSOLE_ADDRESS": "127.0.0.1:0"}
    environment |= {"LPA_LOG_FORMAT": "json"}
    process = subprocess.Popen([LPA, "console"], stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    url = msgspec.json.decode(process.stderr.readline())["url"]
    threading.Thread(target=process.stderr.read, daemon=True).start()
    ended, seconds = threading.Event(), list[float]()
    person = threading.Thread(target=_look, args=(url, ended))
    person.start()
    try:
        yield seconds
    finally:
        ended.set()
        person.join()
        process.terminate()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds.append(usage.ru_utime + usage.ru_stime)


def _look(url: str, ended: threading.Event) -> None:
    opener = build_opener(ProxyHandler({}))
    while not ended.wait(LOOK_SECONDS):
        for page in ("flow", "health"):
            with suppress(OSError), opener.open(f"{url}/{page}", timeout=60) as answer:
                answer.read()


if __name__ == "__main__":
    main()
