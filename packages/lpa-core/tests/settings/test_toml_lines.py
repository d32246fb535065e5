"""The line of each name in a TOML file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lpa_core.settings.toml_lines import lines_of

TEXT = """# a comment
[a]
one = 1

two = '''
[b]
three = 3
'''
[a."b.c"]  # a name with a dot
inline = { four = 4, five = [
  5,
] }
[[list]]
x = 1
[[list]]
x = 2
[a.d]
six.seven = 6
"""


def test_names_stand_where_they_are_first_written() -> None:
    assert lines_of(TEXT) == {
        ("a",): 2,
        ("a", "one"): 3,
        ("a", "two"): 5,
        ("a", "b.c"): 9,
        ("a", "b.c", "inline"): 10,
        ("a", "b.c", "inline", "four"): 10,
        ("a", "b.c", "inline", "five"): 10,
        ("list",): 13,
        ("a", "d"): 17,
        ("a", "d", "six"): 18,
        ("a", "d", "six", "seven"): 18,
    }


def test_without_headers_a_table_stands_where_its_first_value_does() -> None:
    assert lines_of("[a]\n# nothing\n[b]\n\nx = 1\n", headers=False) == {("b",): 5, ("b", "x"): 5}


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=20))
def test_every_table_and_key_has_its_own_line(layout: list[tuple[int, bool]]) -> None:
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for number, (blank, long) in enumerate(layout):
        lines += ["# [no.header]"] * blank
        expected[f"t{number}",] = len(lines) + 1
        expected[f"t{number}", "key"] = len(lines) + 2
        lines += [f"[t{number}]", *(["key = [", "  1,", "]"] if long else ["key = 1"])]
    assert lines_of("\n".join(lines)) == expected
