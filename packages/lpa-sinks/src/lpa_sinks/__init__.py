"""ClickHouse and chDB sinks, the schema they write to, and the archive."""
