"""Recovery: a plan against the live state, carried out step by step, and proved at the end."""
