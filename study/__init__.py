"""The reproduction of the paper: data, runs, measurements, verdicts; built on tunable_core."""
