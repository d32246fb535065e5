"""Event models, validation, dedup stores, plugin hooks and the runner of lpa."""
