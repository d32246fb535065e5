"""What a cluster may be called."""

from __future__ import annotations

import pytest

from lpa_core.sinks.sink import SinkMisconfigured
from lpa_sinks.schema.cluster import statements_on_cluster


@pytest.mark.parametrize("name", ["prod-cluster", "prod.eu", "a_cluster", "{cluster}", "1st"])
def test_failure_22_a_cluster_is_named_as_the_server_names_it(name: str) -> None:
    assert all(f"ON CLUSTER `{name}`" in statement for statement in statements_on_cluster((), "d", name))


@pytest.mark.parametrize("name", ["", "a b", "a`b", "a'b", "a;b", "{a}{b}", "a\n"])
def test_what_no_cluster_is_called_is_refused(name: str) -> None:
    with pytest.raises(SinkMisconfigured, match="--cluster"):
        statements_on_cluster((), "d", name)
