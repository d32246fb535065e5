"""Jobs out of their events: a pure fold, whatever the order of the events. Rules: docs/spec/producers.md section 6."""
