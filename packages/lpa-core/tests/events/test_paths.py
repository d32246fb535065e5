"""How a column says where its value is."""

from __future__ import annotations

import pytest

from lpa_core.events.paths import PathStep, of_envelope, steps


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("state", [PathStep("state")]),
        ("a.b.c", [PathStep("a"), PathStep("b"), PathStep("c")]),
        (
            "stats.tracks[type=video].jitter",
            [PathStep("stats"), PathStep("tracks", "type", "video"), PathStep("jitter")],
        ),
        ("tracks[url=https://a.b/c].x", [PathStep("tracks", "url", "https://a.b/c"), PathStep("x")]),
        ("content-type.first name", [PathStep("content-type"), PathStep("first name")]),
    ],
)
def test_a_path_is_steps(path: str, expected: list[PathStep]) -> None:
    assert list(steps(path)) == expected


@pytest.mark.parametrize(
    "path", ["", ".", "a.", ".a", "a..b", "a[", "a[b]", "a[b=].c", "a[b=c]", "a[b=c]d", "a$b", "$a"]
)
def test_what_is_no_path_is_named(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        steps(path)


def test_only_a_path_from_the_root_is_of_the_envelope() -> None:
    assert of_envelope("$.gateway") == "gateway"
    assert of_envelope("gateway") is None
    with pytest.raises(ValueError, match=r"\$\.data: an envelope has|'\$\.data': an envelope has"):
        of_envelope("$.data")
