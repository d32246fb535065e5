"""The folder of a run: what was decided and what is to be sent, on disk."""
