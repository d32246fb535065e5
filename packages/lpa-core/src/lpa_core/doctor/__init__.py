"""Start checks: what one is, and how ``lpa doctor`` runs them."""
