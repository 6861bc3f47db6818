"""Tasks: how pairs are degraded and which objectives the dials mix."""
