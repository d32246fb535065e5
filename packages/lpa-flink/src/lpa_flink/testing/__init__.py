"""What tests of the job use instead of a cluster."""
