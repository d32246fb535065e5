"""Dead letters and what became of them: the one rule by which health, triage and dashboards tell them apart."""
