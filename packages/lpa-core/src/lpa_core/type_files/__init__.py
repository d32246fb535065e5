"""Event types in TOML files: read into the declarations that a Python plugin makes, proposed, and written."""
