"""Sessions out of signals: a pure fold, in event-time order. Rules: docs/spec/lifecycle.md sections 1 to 12."""
