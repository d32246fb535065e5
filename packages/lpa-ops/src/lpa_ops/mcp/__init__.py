"""``lpa mcp``: what commands and pages show, as tools for an agent (Model Context Protocol)."""
