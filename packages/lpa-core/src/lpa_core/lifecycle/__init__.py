"""Sessions out of signals: a pure fold, in event-time order. Rules: spec/lifecycle.md."""
