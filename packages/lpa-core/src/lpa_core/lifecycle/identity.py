"""Who serves a session, as of its last signal.

Rules: docs/spec/lifecycle.md sections 3, 4.3 and 6, docs/spec/producers.md section 5.
"""

from __future__ import annotations

from typing import final

from lpa_core.argument_checks import shown_type
from lpa_core.errors import ContractError
from lpa_core.events.coercion import address
from lpa_core.lifecycle.attribution import Attribution, AttributionPolicy
from lpa_core.lifecycle.attribution_state import (
    UNATTRIBUTED,
    AttributionStatus,
    attributed,
    unattributed,
)
from lpa_core.lifecycle.capabilities import CapabilityIndex, Offer, url_key
from lpa_core.lifecycle.pipeline_model import PipelineModelMode, canonical_pipeline
from lpa_core.lifecycle.signals import Signal, first_non_blank


@final
class Identity:
    """Orchestrator, pipeline, model and GPU; one for the session and for its current segment.

    A signal is first asked for its ``attribution`` and then applied with it: in between the caller sees whether the
    orchestrator changes. ``orchestrator_address`` comes only from snapshots; it is canonical and in lower case.

    An attribution is kept for signals that nobody is found for, unless they name another URL than its own: such a
    signal is not the orchestrator's, and changes neither its URL nor its state.
    """

    __slots__ = (
        "_applied",
        "_capabilities",
        "_first_model",
        "_label",
        "_named",
        "_native",
        "_policy",
        "_sent_url",
        "_url",
        "_wallet",
        "confidence",
        "first_pipeline",
        "gpu_id",
        "has_model_change",
        "has_pipeline_change",
        "is_elsewhere",
        "method",
        "model_id",
        "orchestrator_address",
        "orchestrator_url",
        "orchestrators",
        "own_url",
        "pipeline",
        "shown_pipeline",
        "signal_state",
        "state",
    )

    def __init__(self, capabilities: CapabilityIndex, policy: AttributionPolicy, mode: PipelineModelMode) -> None:
        self._capabilities = capabilities
        self._policy = policy
        self._native = mode is PipelineModelMode.NATIVE_CORRECT
        self._applied: Offer | None = None
        self._label = ""
        self._named = ""
        self._wallet = ""
        """The address that the last signal named, as it came and as it is looked up."""
        self._sent_url = ""
        self._url = ""
        """The URL that the last signal named, as it came and as it is compared."""
        self._first_model = ""
        self.orchestrator_address = ""
        self.orchestrator_url = ""
        self.orchestrators: set[str] = set()
        """Every orchestrator that was ever attributed."""
        self.own_url = ""
        """The URL of the snapshot that was attributed last, as it is compared."""
        self.state = UNATTRIBUTED
        """That of the attribution; without one, that of the last signal that names somebody."""
        self.signal_state = UNATTRIBUTED
        """Why the last signal has no orchestrator, if it has none."""
        self.is_elsewhere = False
        """Whether the last signal names a URL that nobody is found for, and that is not the orchestrator's."""
        self.pipeline = ""
        self.first_pipeline = ""
        """What segments show: the first one stays."""
        self.shown_pipeline = ""
        """``first_pipeline``, unless it only repeats the model."""
        self.model_id = ""
        self.gpu_id = ""
        self.method = "none"
        self.confidence = 0.0
        self.has_model_change = False
        self.has_pipeline_change = False

    def attribution(self, signal: Signal) -> Attribution | None:
        """What ``signal`` is attributed to; None if nothing is found."""
        if signal.orchestrator_address != self._named:
            self._named = signal.orchestrator_address
            self._wallet = address(self._named)
        url = signal.orchestrator_url
        if url != self._sent_url:
            self._sent_url = url
            self._url = url_key(url)
        wallet = self._asked_wallet()
        if not wallet and not self._url:
            return None
        model, time = self._asked_model(signal), signal.signal_ts
        try:
            found: object = self._policy.select(self._capabilities, wallet, model, url, self.gpu_id, time)
        except Exception as error:  # whatever a third party's policy raises
            did = f"raised {type(error).__name__}: {' '.join(str(error).split())}"
            raise ContractError(self._policy, "select", did, "return an Attribution or None") from error
        if found is None or isinstance(found, Attribution):
            return found
        raise ContractError(self._policy, "select", f"returned {shown_type(found)}", "return an Attribution or None")

    def _asked_wallet(self) -> str:
        """A URL decides alone: the session's wallet stands in only for a signal that names nothing."""
        return self._wallet if self._url else self._wallet or self.orchestrator_address

    def _asked_model(self, signal: Signal) -> str:
        label = signal.pipeline
        return label if label and not label.isspace() else self.model_id

    def replaced_by(self, attribution: Attribution | None) -> bool:
        """Whether ``attribution`` names another orchestrator than the present one, and there is one."""
        if attribution is None or not self.orchestrator_address or attribution.offer is self._applied:
            return False
        return attribution.offer.canonical not in ("", self.orchestrator_address)

    def apply(self, signal: Signal, attribution: Attribution | None) -> None:
        """Take in ``signal`` with what it is attributed to."""
        label, before = signal.pipeline, self.orchestrator_address
        self.is_elsewhere = False
        if attribution is None:
            self._keep(signal)
            if label and (self._applied is not None or label != self._label):
                self._without_snapshot(first_non_blank(label))
            offer = None
        else:
            offer = attribution.offer
            self.method = attribution.method
            self.confidence = attribution.confidence
            self.own_url = url_key(offer.url)
            if offer is not self._applied or label != self._label:
                self._with_snapshot(offer, first_non_blank(label))
            if self.orchestrator_address:
                self.state = attributed(attribution, signal.signal_ts)
            self.signal_state = UNATTRIBUTED
        self._label = label
        self._applied = offer
        url = signal.orchestrator_url
        if url and not url.isspace():
            if not self.is_elsewhere:
                self.orchestrator_url = url
        elif offer is not None and (not self.orchestrator_url or self.orchestrator_address != before):
            self.orchestrator_url = first_non_blank(offer.url, self.orchestrator_url)

    def _keep(self, signal: Signal) -> None:
        """Keep what was attributed, and note why ``signal`` has nothing of its own, if that is to be told."""
        self.is_elsewhere = bool(self._url and self.orchestrator_address) and self._url != self.own_url
        if self.orchestrator_address and not self.is_elsewhere:
            return
        wallet = self._asked_wallet()
        if not wallet and not self._url:
            self.signal_state = UNATTRIBUTED
            return
        self.signal_state = unattributed(
            self._capabilities, wallet, self._asked_model(signal), signal.orchestrator_url, signal.signal_ts
        )
        if not self.orchestrator_address:
            self.state = self.signal_state
            self.method = "ambiguous" if self.state.status is AttributionStatus.AMBIGUOUS else "none"
            self.confidence = 0.0

    def _without_snapshot(self, label: str) -> None:
        if label and (self._native or not self.model_id):
            self.model_id = label
            self._note_model(label)
        if self._native:
            self._set_pipeline(label or self.pipeline)
        self.shown_pipeline = canonical_pipeline(self.first_pipeline, self.model_id)

    def _with_snapshot(self, offer: Offer, label: str) -> None:
        if label and (self._native or not self.model_id):
            self._note_model(label)
        offered = first_non_blank(offer.pipeline)
        if not self._native:
            offered = canonical_pipeline(offered, first_non_blank(offer.model_id))
        self._set_pipeline((label or self.pipeline or offered) if self._native else (offered or self.pipeline))
        self.model_id = first_non_blank(offer.model_id)
        self._note_model(self.model_id)
        self.gpu_id = first_non_blank(offer.gpu_id)
        if offer.canonical:
            self.orchestrator_address = offer.canonical
            self.orchestrators.add(offer.canonical)
        self.shown_pipeline = canonical_pipeline(self.first_pipeline, self.model_id)

    def _set_pipeline(self, pipeline: str) -> None:
        if self.pipeline and pipeline != self.pipeline:
            self.has_pipeline_change = True
        self.pipeline = pipeline
        self.first_pipeline = self.first_pipeline or pipeline

    def _note_model(self, model: str) -> None:
        name = model.strip().lower()
        if name and name != self._first_model:
            self.has_model_change = self.has_model_change or bool(self._first_model)
            self._first_model = self._first_model or name
