"""Carries a plan out, or goes on with a run that was interrupted."""
