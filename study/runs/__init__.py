"""Runs: trained once, stored with a record, found by their config."""

from study.runs.stored import (
    PARTS,
    Run,
    RunConfig,
    WithoutWeights,
    check_comparable,
    drop_weights,
    find,
    get,
    load,
    store,
)

__all__ = [
    "PARTS",
    "Run",
    "RunConfig",
    "WithoutWeights",
    "check_comparable",
    "drop_weights",
    "find",
    "get",
    "load",
    "store",
]
