"""What lies on disk: sealed records."""
