"""What every start needs, whatever it writes into: the checks of ``lpa doctor`` that lpa-core brings."""

from __future__ import annotations

from collections.abc import Sequence

from lpa_core.doctor.start_check import StartCheck
from lpa_core.plugins.manager import PluginManager
from lpa_core.start_checks import claims, configuration, data_folder, installed, kafka, machine, source


def start_checks(plugins: PluginManager) -> Sequence[StartCheck]:
    """In the order in which they are shown: what others need comes first."""
    return (
        *configuration.checks(plugins),
        *installed.checks(plugins),
        *machine.CHECKS,
        *data_folder.CHECKS,
        *source.checks(plugins),
        *claims.checks(plugins),
        *kafka.CHECKS,
    )
