"""Settings of every test, in the packages and across them."""

import functools
import gc
import signal
from collections.abc import Iterator

import pytest
import structlog
import typed_settings.cls_utils
from hypothesis import settings
from services.share import is_in_share

# What tests share is in no test modules, yet their asserts should show values. Before any test imports one.
pytest.register_assert_rewrite("lpa_core.testing", "lpa_sinks.testing", "lpa_ops.testing")

# A shell that starts a command in the background has it ignore interrupts, and so do all that it starts: tests
# interrupt processes of theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["lpa_sinks.testing.engine", "lpa_ops.testing.run_report"]

# Each time that settings are loaded, it parses the sources of their classes for texts that nobody shows. A command of a
# person does so once, the tests some thousand times.
typed_settings.cls_utils._get_attr_docs = functools.cache(typed_settings.cls_utils._get_attr_docs)

# How loaded the machine is says nothing about the code: no deadline. Said here, because Hypothesis takes a profile
# of its own where CI is set, which tries the same examples for ever.
settings.register_profile("lpa", deadline=None, print_blob=True)
settings.load_profile("lpa")


LONG = ("tests/test_terminal.py", "tests/test_interrupts.py")
"""Of the quick tests, those that would leave the other processes idle if they began last."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = set(cases_of_other_shares(items))
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def cases_of_other_shares(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Each test, or file, begins to count at another case: of what all tests have in common, a file has every case."""
    counted: dict[str, int] = {}
    for item in sorted(items, key=lambda item: item.nodeid):  # whatever order this run shuffles them into
        several = cases_of(item)
        if several:
            if several not in counted:
                counted[several] = len(counted)
            if not is_in_share(counted[several]):
                yield item
            counted[several] += 1


def cases_of(item: pytest.Item) -> str:
    """What has cases of which this is one: its test, or its file. Nothing, if it is in each share."""
    if item.get_closest_marker("each_share") is not None:
        return ""
    test = item.nodeid.partition("[")[0]
    if item.get_closest_marker("in_shares") is not None:
        return test
    long = any(item.get_closest_marker(marker) is not None for marker in ("slow", "integration", "flink"))
    return test.partition("::")[0] if long else ""


def pytest_collection_finish() -> None:
    """What was collected is no garbage; a job that tidies up before it starts need not walk over it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command sets up logging, to a stream that is closed when its test has ended."""
    yield
    structlog.reset_defaults()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--services",
        choices=("local", "compose"),
        default="",
        help="where integration tests find servers: child processes, or a running docker compose",
    )
