"""Registers lpa-replay with the plugin manager. It brings no hooks yet."""
