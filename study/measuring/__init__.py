"""Measurements: sweeps over dials, metrics, the behaviour of dials, the cost of tuning."""
