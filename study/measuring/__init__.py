"""Measurements: sweeps over dials, metrics, how a dial behaves, what tuning costs."""
