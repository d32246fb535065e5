"""Many minutes of steady load, with restarts and a backup between."""
