"""Everything that is run on this repository, one session each: ./dev NAME, or ./dev for the list.

Sessions install the versions of uv.lock and keep their environments in .nox/, so a second run starts at once.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nox

from tools.pythons import PYTHONS, chosen_python, interpreter

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests"]

BOTH_PATHS = "packages/lpa-core/tests/pipeline/test_both_paths.py::test_failure_01_both_paths_make_equal_rows"
KILLED = ["tests/test_kill.py", "packages/lpa-replay/tests/test_killed.py"]
SLOW_TOO = ["-m", "not integration and not chaos and not soak and not edges and not flink"]
"""Takes the place of the selection in pyproject.toml, which leaves slow tests out."""
ALL = {"TEST_SHARE": ""}
"""For sessions whose tests are in no share, though they are slow."""
THREE = ["--numprocesses=3", "--dist=worksteal"]
"""Processes that run tests, for two processors: each waits a third of its time, for others or for a time-out."""
MEMORY_BYTES = 4 << 30
"""Free in memory, if tests are to keep their files there."""
FUZZED = ["tests/test_fuzz.py", "tests/test_parity_of_many_events.py"]
SOURCES = sorted(Path("packages").glob("*/src"))
EXAMPLES = sorted([*Path("examples").glob("*/src"), *Path("examples").glob("*.py")])

QUICKSTART = Path("quickstart")
QUICKSTART_STEPS = [
    [
        "generate",
        "--events",
        "5000",
        "--duplicates",
        "0.02",
        "--bad",
        "0.002",
        "--jobs",
        "0.1",
        "--ignored",
        "0.2",
        "--seed",
        "1",
        "--until",
        "now",
        "--output",
        "events.ndjson",
    ],
    ["ingest", "events.ndjson"],
    ["triage"],
    ["health"],
]
QUICKSTART_NEXT = """
Done: the events are in quickstart/lpa-data/. To try next:

  cd quickstart; lpa=../.nox/quickstart/bin/lpa
  $lpa ingest events.ndjson                                nothing new is read: what was read is remembered
  $lpa console                                             all of this in a browser, until Ctrl-C
  $lpa triage sessions                                     the latest sessions; with an id, the life of one
  $lpa schema show                                         the tables
  $lpa plugins                                             what is loaded, and from which package
  cp events.ndjson copy.ndjson; $lpa ingest copy.ndjson    every good event is quarantined as a duplicate:
                                                           after this `$lpa health` is critical (quarantine_rate)
  $lpa --help
"""


@nox.session
def quickstart(session: nox.Session) -> None:
    """Generate some thousand events, ingest them into embedded ClickHouse, show what was rejected, and how all is."""
    extras = ("chdb", "rocksdb", "kafka", "console", "serve", "mcp")
    sync(session, "--all-packages", *(word for extra in extras for word in ("--extra", extra)))
    shutil.rmtree(QUICKSTART, ignore_errors=True)
    QUICKSTART.mkdir()
    with session.chdir(QUICKSTART):
        for step in QUICKSTART_STEPS:
            session.run("lpa", *step)
    print(QUICKSTART_NEXT)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, three at a time: ./dev tests -k dedup, ./dev tests --python 3.13. Other arguments go to pytest."""
    require_programs(session)
    python, arguments = chosen_python(session.posargs)
    if python:
        programs = sync_other_python(session, python, "--all-packages", "--all-extras", "--group", "test")
    else:
        sync(session, "--all-packages", "--all-extras", "--group", "test")
        programs = Path(session.bin)
    with files_in_memory(session):
        session.run(str(programs / "pytest"), *THREE, *arguments, external=True)


@nox.session(default=False)
def slow(session: nox.Session) -> None:
    """Run the tests that take many commands or databases: losses, restores, recoveries, takeovers."""
    require_programs(session)
    sync(session, "--all-packages", "--all-extras", "--group", "test", "--group", "example")
    paths = [] if names_a_path(session.posargs) else sorted(files_with_slow_tests() - {*KILLED, *FUZZED})
    with files_in_memory(session):
        session.run("pytest", "-m", "slow", *THREE, *paths, *session.posargs)


@nox.session(default=False)
def integration(session: nox.Session) -> None:
    """Run the tests on real servers, three at a time, a short chaos run among them: ./dev integration [PATH ...]."""
    require_programs(session, {**SERVERS, **BROWSER})
    sync(session, "--all-packages", "--all-extras", "--group", "test", "--group", "browser")
    paths = [] if names_a_path(session.posargs) else ["tests/integration", "tests/chaos"]
    with files_in_memory(session):
        session.run("pytest", "-m", "integration or chaos", *THREE, *paths, *session.posargs)


@nox.session(default=False)
def screenshots(session: nox.Session) -> None:
    """Show the console in Chromium on generated events, and write a picture of each page into docs/images/console."""
    require_programs(session, {**BROWSER, "faketime": "faketime"})
    sync(session, "--all-packages", "--all-extras", "--group", "browser")
    session.run("python", "tools/screenshots.py", "docs/images/console")


@nox.session(default=False)
def kills(session: nox.Session) -> None:
    """Kill what ingests and what replays again and again, on many events: LPA_KILLS=100 ./dev kills."""
    sync(session, "--all-packages", "--all-extras", "--group", "test")
    numbers = {"LPA_KILLS": "40", "LPA_REPLAY_KILLS": "6", "LPA_REPLAY_RECORDS": "10000", **os.environ, **ALL}
    with files_in_memory(session):
        session.run("pytest", *SLOW_TOO, "--numprocesses=2", "--dist=worksteal", *KILLED, *session.posargs, env=numbers)


@nox.session(default=False)
def edges(session: nox.Session) -> None:
    """Run every command with closed and full streams, interrupts, a dead proxy, a read-only folder and odd names."""
    sync(session, "--all-packages", "--all-extras", "--group", "test")
    with files_in_memory(session):
        session.run("pytest", "-m", "edges", "--numprocesses=3", "--dist=loadgroup", "tests/edges", *session.posargs)


@nox.session(default=False)
def chaos(session: nox.Session) -> None:
    """Let workers, broker, database and Redis fail 200 times at random, about 15 minutes."""
    require_programs(session, SERVERS)
    sync(session, "--all-packages", "--all-extras", "--group", "test")
    faults = {"LPA_CHAOS_FAULTS": "200", "LPA_CHAOS_WORKERS": "3", **os.environ}
    session.run("pytest", "-m", "chaos", "-s", "tests/chaos", *session.posargs, env=faults)


@nox.session(default=False)
def soak(session: nox.Session) -> None:
    """Ingest and materialize 2,000 events/s for 20 minutes, with a restart a minute and a backup."""
    require_programs(session, SERVERS)
    sync(session, "--all-packages", "--all-extras", "--group", "test")
    session.run("pytest", "-m", "soak", "-s", "tests/soak", *session.posargs)


@nox.session(default=False)
def simulation(session: nox.Session) -> None:
    """Run the delivery under 10,000 seeded schedules of crashes, freezes and lost answers: ./dev simulation --seeds."""
    sync(session, "--all-packages", "--all-extras", "--group", "test")
    session.run("python", "-m", "lpa_core.testing.simulation", *(session.posargs or ["--seeds", "0:10000"]))


@nox.session(default=False)
def flink(session: nox.Session) -> None:
    """Run the job on a cluster of Flink, 100,000 events and 30 kills: LPA_FLINK_FAULTS=3 ./dev flink."""
    require_programs(session, FLINK)
    sync(session, "--all-packages", "--all-extras", "--group", "test")
    session.run_install(
        "uv", "sync", "--quiet", "--frozen", "--project", "cluster",
        env={"UV_PROJECT_ENVIRONMENT": str(Path(session.virtualenv.location).with_name("flink-cluster").absolute())},
    )  # fmt: skip
    session.run("mvn", "--quiet", "--batch-mode", "--file", "flink-jobs/pom.xml", "package", external=True)
    sizes = {"LPA_FLINK_EVENTS": "100000", "LPA_FLINK_FAULTS": "30", **os.environ}
    with files_in_memory(session):
        session.run("pytest", "-m", "flink", "-s", *(session.posargs or ["tests/flink"]), env=sizes)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Ingest 100,000 events changed at random and 200,000 others, then ask whether all tables agree."""
    sync(session, "--all-packages", "--all-extras", "--group", "test")
    sizes = {"LPA_FUZZ_LINES": "100000", "LPA_FUZZ_INPUTS": "20000", "LPA_PARITY_EVENTS": "200000", **os.environ, **ALL}
    with files_in_memory(session):
        session.run("pytest", "-s", *SLOW_TOO, *FUZZED, BOTH_PATHS, *session.posargs, env=sizes)


@nox.session(default=False)
def requests(session: nox.Session) -> None:
    """Send the read API 10,000 requests that its document allows or forbids: LPA_SERVE_REQUESTS=500 ./dev requests."""
    sync(session, "--all-packages", "--all-extras", "--group", "requests")
    with files_in_memory(session):
        session.run("python", "tests/read_api/run.py", *session.posargs)


@nox.session(default=False)
def mutations(session: nox.Session) -> None:
    """Damage the code in small ways, one after the other, and show that tests notice each: ./dev mutations rollup."""
    require_programs(session)
    sync(session, "--all-packages", "--all-extras", "--group", "test")
    with files_in_memory(session):
        session.run("python", "tests/mutations/run.py", *session.posargs)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Run the tests, the slow ones too, and show which lines and branches they and their processes miss."""
    require_programs(session)
    sync(session, "--all-packages", "--all-extras", "--group", "test")
    session.run("coverage", "erase")
    with files_in_memory(session):
        session.run("coverage", "run", "-m", "pytest", *SLOW_TOO, *THREE, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, the direction of imports, and that uv.lock is up to date."""
    sources = {"PYTHONPATH": os.pathsep.join(map(str, SOURCES))}
    sync(session, "--only-group", "lint")
    session.run("uv", "lock", "--check")
    session.run("uv", "lock", "--check", "--project", "cluster")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", env=sources)
    packages = sorted(path.name for source in SOURCES for path in source.iterdir() if (path / "__init__.py").exists())
    session.run("python", "tools/check_imports.py", *packages, env=sources)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of all five packages and of the examples, strictly, and that the public API has no gap."""
    sync(session, "--all-packages", "--all-extras", "--group", "types")
    session.run("mypy", *map(str, SOURCES), *map(str, EXAMPLES))
    session.run("python", "tools/check_public_types.py")


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Build wheels and sdists into dist/ and use them in clean environments: the core alone, then all."""
    dist = Path("dist").absolute()
    shutil.rmtree(dist, ignore_errors=True)
    session.run("uv", "build", "--quiet", "--all-packages", "--out-dir", str(dist))

    scratch = Path(session.create_tmp()).absolute()
    locked = scratch / "locked.txt"
    session.run(
        *("uv", "export", "--quiet", "--frozen", "--all-packages", "--all-extras", "--no-default-groups"),
        *("--no-hashes", "--no-emit-workspace", "--output-file", str(locked)),
        silent=True,
    )

    (wheel,) = dist.glob("lpa_core-*.whl")
    core = clean_environment(session, scratch / "core", locked, [str(wheel)])
    program = clean_environment(session, scratch / "cli", locked, [f"{wheel}[cli]"])
    every = clean_environment(session, scratch / "all", locked, [str(each) for each in dist.glob("*.whl")])
    example = Path("examples/validate_an_event.py").absolute()
    with session.chdir(scratch):
        verdicts = output_of(session, core / "python", example)
        print(verdicts)
        if "accepted into" not in verdicts or "rejected" not in verdicts:
            session.error("lpa-core alone should have accepted one event and rejected the other")
        if "pip install 'lpa-core[cli]'" not in output_of(session, core / "lpa", status=2):
            session.error("lpa-core alone should say how to install the command line")
        require_plugins(session, program / "lpa", {"core", "jobs"})
        require_plugins(session, every / "lpa", {"core", "jobs", "sinks", "replay", "flink", "ops"})
        if "CREATE TABLE" not in output_of(session, every / "lpa", "schema", "show"):
            session.error("the wheel of lpa-sinks should hold the schema")
        script = "files('lpa_ops.console').joinpath('static', 'vendor', 'htmx.min.js')"
        page = "files('lpa_ops.mcp').joinpath('docs', 'operations', 'health.md')"
        shipped = f"from importlib.resources import files; print({script}.is_file() and {page}.is_file())"
        if "True" not in output_of(session, every / "python", "-c", shipped):
            session.error("the wheel of lpa-ops should hold what the console loads and the pages that agents read")


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the docs site into site/, offline, and for language models llms.txt; a warning is an error."""
    sync(session, "--all-packages", "--all-extras", "--group", "docs")
    strictly = ("--fresh-env", "--fail-on-warning", "--keep-going")
    session.run("sphinx-build", "--builder", "html", "--conf-dir", "tools/site", *strictly, "docs", "site")
    session.run("python", "tools/site/llms.py", "site")


@nox.session(default=False)
def pages(session: nox.Session) -> None:
    """Write what repeats the packages: pages about data, parity and dashboards, files below configs/, diagrams."""
    sync(session, "--all-packages", "--extra", "chdb", "--group", "lint")
    for page, command in {"data.md": ("schema", "show"), "parity.md": ("check", "assertions")}.items():
        Path("docs", page).write_text(output_of(session, Path(session.bin, "lpa"), *command, "--markdown"))
    dashboards = output_of(session, Path(session.bin, "python"), "tools/dashboard_page.py")
    Path("docs", "operations", "dashboards.md").write_text(dashboards)
    session.run("python", "tools/import_diagram.py")
    session.run("python", "tools/write_configs.py", "configs")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Run one benchmark, named without its folder: ./dev bench ingest --help."""
    names = sorted(path.stem for path in Path("benchmarks").glob("*.py"))
    if not session.posargs or session.posargs[0] not in names:
        session.error(f"name one of the benchmarks: {', '.join(names)}")
    sync(session, "--all-packages", "--all-extras", "--group", "bench")
    uv = str(Path(sys.executable).with_name("uv"))  # makes the peers' environments
    session.run("python", f"benchmarks/{session.posargs[0]}.py", *session.posargs[1:], env={"UV": uv})


def sync(session: nox.Session, *selection: str) -> None:
    """Bring the session's environment to exactly what uv.lock holds for the selection.

    Bytecode is kept, whatever the caller's environment says: without it, each start of a program compiles all sources.
    """
    session.env["PYTHONDONTWRITEBYTECODE"] = ""
    session.run_install(
        "uv", "sync", "--quiet", "--frozen", *selection,
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
    )  # fmt: skip


def sync_other_python(session: nox.Session, version: str, *selection: str) -> Path:
    """Bring an environment of this Python to what uv.lock holds, and return its folder of programs."""
    python = interpreter(version)
    if python is None:
        there = [each for each in PYTHONS if interpreter(each)]
        session.error(
            f"Python {version} is not on this machine, or does not start; there are {', '.join(there) or 'none'} of "
            f"{', '.join(PYTHONS)}: install it, for example with pyenv, or put its folder on the PATH"
        )
    folder = Path(session.virtualenv.location).with_name(f"{session.name}-{version}").absolute()
    session.env["PYTHONDONTWRITEBYTECODE"] = ""
    session.env["PATH"] = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    session.run_install(
        "uv", "sync", "--quiet", "--frozen", "--python", python, *selection,
        env={"UV_PROJECT_ENVIRONMENT": str(folder)},
    )  # fmt: skip
    return folder / "bin"


def names_a_path(arguments: list[str]) -> bool:
    return any(Path(argument.partition("::")[0]).exists() for argument in arguments)


def files_with_slow_tests() -> set[str]:
    """Three processes that collect all tests would take as long as a test of half a minute."""
    files = [path for folder in ("packages", "tests") for path in Path(folder).rglob("test_*.py")]
    return {str(path) for path in files if "mark.slow" in path.read_text(encoding="utf-8")}


def clean_environment(session: nox.Session, folder: Path, locked: Path, wheels: list[str]) -> Path:
    """Make an environment of these wheels and what they depend on, as locked; answer its folder of programs."""
    session.run("uv", "venv", "--quiet", "--clear", str(folder))
    session.run(
        *("uv", "pip", "install", "--quiet", "--python", str(folder), "--constraint", str(locked)),
        *wheels,
    )
    return folder / "bin"


def output_of(session: nox.Session, *command: Path | str, status: int = 0) -> str:
    """Run a program of another environment, which ends with this status, and return what it prints."""
    return str(session.run(*map(str, command), external=True, silent=True, success_codes=[status]))


def require_plugins(session: nox.Session, lpa: Path, names: set[str]) -> None:
    """Show the plugins and stop unless exactly these are there and in order."""
    session.run(str(lpa), "plugins", external=True)
    plugins = json.loads(output_of(session, lpa, "plugins", "--json"))
    if {plugin["name"] for plugin in plugins if not plugin["problem"]} != names or len(plugins) != len(names):
        session.error(f"lpa plugins should show {', '.join(sorted(names))}, none of them broken")


PROGRAMS = {"redis-server": "redis-server", "promtool": "prometheus"}
"""What the tests run beside Python -> Debian's package of it."""
SERVERS = {**PROGRAMS, "java": "openjdk-17-jre-headless", "mvn": "maven"}
"""What the tests on real servers run: Kafka's jars come by Maven."""
BROWSER = {"chromium": "chromium"}
"""What shows the console; Playwright drives it, and brings no browser of its own here."""
FLINK = {"curl": "curl", "javac": "openjdk-17-jdk-headless", "mvn": "maven"}
"""What the job on Flink is built and driven by."""


@contextmanager
def files_in_memory(session: nox.Session) -> Iterator[None]:
    """Keep temporary files in memory meanwhile, if there is room: tests wait for a disk a third of their time.

    What failed tests leave stays, to be looked at.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < MEMORY_BYTES:
        yield
        return
    folder = tempfile.mkdtemp(prefix="lpa-tests-", dir=memory)
    session.env["TMPDIR"] = folder
    try:
        yield
    except BaseException:
        print(f"temporary files are in {folder}: remove them when you have looked at them")
        raise
    shutil.rmtree(folder)


def require_programs(session: nox.Session, programs: Mapping[str, str] = PROGRAMS) -> None:
    """Make sure that the programs of the tests are there: Redis is a real one, Prometheus checks its configuration."""
    missing = [package for program, package in programs.items() if not shutil.which(program)]
    if not missing:
        return
    if not (shutil.which("apt-get") and os.geteuid() == 0):
        session.error(f"the tests need {', '.join(programs)}: apt-get install {' '.join(missing)}, or use brew install")
    session.run("apt-get", "update", "--quiet", external=True, silent=True)
    session.run(
        *("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *missing),
        env={"DEBIAN_FRONTEND": "noninteractive"},
        external=True,
        silent=True,
    )
