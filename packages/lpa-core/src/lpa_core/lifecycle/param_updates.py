"""Changes of a running stream's parameters (docs/spec/lifecycle.md section 10)."""

from __future__ import annotations

from typing import Final, final

from lpa_core.lifecycle.facts import ParamUpdate
from lpa_core.lifecycle.identity import Identity
from lpa_core.lifecycle.session import Session
from lpa_core.lifecycle.signals import Signal

UPDATE_TYPE: Final = "params_update"


@final
class ParamUpdates:
    """A row for each change, with the identity that the session has right after it."""

    __slots__ = ("_orchestrator_url", "_rows")

    def __init__(self) -> None:
        self._orchestrator_url = ""
        """The first that the session had: it stays."""
        self._rows: list[ParamUpdate] = []

    def apply(self, signal: Signal, session: Session, identity: Identity) -> None:
        if not self._orchestrator_url:
            self._orchestrator_url = identity.orchestrator_url
        if signal.ai_event_type and signal.ai_event_type.lower() == UPDATE_TYPE:
            self._rows.append(self._row(signal, session, identity))

    def _row(self, signal: Signal, session: Session, identity: Identity) -> ParamUpdate:
        """Of a signal that is elsewhere the orchestrator is not known."""
        here = not identity.is_elsewhere
        return ParamUpdate(
            org=session.org,
            update_ts=signal.signal_ts,
            workflow_session_id=session.session_id,
            stream_id=session.stream_id,
            request_id=session.request_id,
            pipeline=identity.first_pipeline,
            gateway=session.gateway,
            orchestrator_address=identity.orchestrator_address if here else "",
            orchestrator_url=self._orchestrator_url if here else signal.orchestrator_url,
            model_id=(identity.model_id or None) if here else None,
            gpu_id=(identity.gpu_id or None) if here else None,
            gpu_attribution_method=identity.method if here else "none",
            gpu_attribution_confidence=identity.confidence if here else 0.0,
            update_type=UPDATE_TYPE,
            message=signal.message,
            source_event_uid=signal.source_event_uid,
        )

    def take(self) -> list[ParamUpdate]:
        """The rows since the last time."""
        taken, self._rows = self._rows, []
        return taken
