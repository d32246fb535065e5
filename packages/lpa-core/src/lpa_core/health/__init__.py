"""Health checks: what one is, how they are run, and how a running job keeps up with them."""
