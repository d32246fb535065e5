import pytest

pytest.register_assert_rewrite("lpa_core.testing.sink_suite")
