"""Real servers to test against, each a child process on loopback with its data in a temporary folder."""
