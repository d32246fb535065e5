"""GPU temperatures, a sink that writes files of JSON lines, and a failure classifier: an example of a plugin."""
