"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lpa_core.commands.output import console
from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.source_worker import StepListener
from lpa_core.sources.source import Source


@final
class Shown:
    """What a run tells while it sends."""

    def __init__(self, *, enabled: bool) -> None:
        screen = console(stderr=True)
        self._progress = Progress(
            TextColumn("sending"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=screen,
            transient=True,
            disable=not (enabled and screen.is_terminal),
        )
        self._task = self._progress.add_task("sending", total=None)

    def __enter__(self) -> Shown:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def sent(self, records: int, total: int) -> None:
        self._progress.update(self._task, completed=records, total=total)

    def watch(self, source: Source) -> StepListener:
        def listener(step: Step, range_: Range) -> None:
            if step is Step.FINISHED:
                self._progress.update(self._task, completed=range_.end, total=source.size)

        return listener
