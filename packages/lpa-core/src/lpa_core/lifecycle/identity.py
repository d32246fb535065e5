"""Who serves a session, as of its last signal (docs/spec/lifecycle.md sections 3, 4.3 and 6)."""

from __future__ import annotations

from typing import final

from lpa_core.argument_checks import shown_type
from lpa_core.errors import ContractError
from lpa_core.events.coercion import address
from lpa_core.lifecycle.attribution import Attribution, AttributionPolicy
from lpa_core.lifecycle.capabilities import CapabilityIndex, Offer
from lpa_core.lifecycle.pipeline_model import PipelineModelMode, canonical_pipeline
from lpa_core.lifecycle.signals import Signal, TraceType, first_non_blank

_CLOSED = TraceType.CLOSED.value


@final
class Identity:
    """Orchestrator, pipeline, model and GPU; one for the session and for its current segment.

    A signal is first asked for its ``attribution`` and then applied with it: in between the caller sees whether the
    orchestrator changes. ``orchestrator_address`` comes only from snapshots; it is canonical and in lower case.
    """

    __slots__ = (
        "_applied",
        "_capabilities",
        "_first_model",
        "_label",
        "_named",
        "_native",
        "_policy",
        "_wallet",
        "confidence",
        "first_pipeline",
        "gpu_id",
        "has_model_change",
        "has_pipeline_change",
        "method",
        "model_id",
        "orchestrator_address",
        "orchestrator_url",
        "orchestrators",
        "pipeline",
        "shown_pipeline",
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
        self._first_model = ""
        self.orchestrator_address = ""
        self.orchestrator_url = ""
        self.orchestrators: set[str] = set()
        """Every orchestrator that was ever attributed."""
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
        """What ``signal`` is attributed to; None if nothing is found and what was known stays."""
        if signal.orchestrator_address != self._named:
            self._named = signal.orchestrator_address
            self._wallet = address(self._named)
        wallet = self._wallet or self.orchestrator_address
        if not wallet:
            return None
        url = signal.orchestrator_url
        if not url and signal.trace_type == _CLOSED:
            url = self.orchestrator_url
        label = signal.pipeline
        model = label if label and not label.isspace() else self.model_id
        try:
            found: object = self._policy.select(self._capabilities, wallet, model, url, self.gpu_id, signal.signal_ts)
        except Exception as error:  # whatever a third party's policy raises
            did = f"raised {type(error).__name__}: {' '.join(str(error).split())}"
            raise ContractError(self._policy, "select", did, "return an Attribution or None") from error
        if found is None or isinstance(found, Attribution):
            return found
        raise ContractError(self._policy, "select", f"returned {shown_type(found)}", "return an Attribution or None")

    def replaced_by(self, attribution: Attribution | None) -> bool:
        """Whether ``attribution`` names another orchestrator than the present one, and there is one."""
        if attribution is None or not self.orchestrator_address or attribution.offer is self._applied:
            return False
        return attribution.offer.canonical not in ("", self.orchestrator_address)

    def apply(self, signal: Signal, attribution: Attribution | None) -> None:
        label = signal.pipeline
        if attribution is None:
            if label and (self._applied is not None or label != self._label):
                self._without_snapshot(first_non_blank(label))
            offer = None
        else:
            offer = attribution.offer
            self.method = attribution.method
            self.confidence = attribution.confidence
            if offer is not self._applied or label != self._label:
                self._with_snapshot(offer, first_non_blank(label))
        self._label = label
        self._applied = offer
        url = signal.orchestrator_url
        if url and not url.isspace():
            self.orchestrator_url = url
        elif offer is not None and not self.orchestrator_url:
            self.orchestrator_url = first_non_blank(offer.url)

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
