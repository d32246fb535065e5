"""What was rejected in the last hour, and why."""
