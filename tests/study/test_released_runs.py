"""The released runs: each is found from its config, with or without data, and loads."""

import pytest

from study import configs, runs
from study.disk import records
from study.runs import keys

NAMES = [
    "ablation-4-kernels-8x32-seed0",
    "ablation-4-omegas-a-step-8x32-seed0",
    "ablation-annealed-omegas-8x32-seed0",
    "ablation-as-released-8x32-seed0",
    "ablation-equal-kernels-8x32-seed0",
    "ablation-half-of-the-layers-8x32-seed0",
    "ablation-phi-as-nn-linear-8x32-seed0",
    "ablation-phi-identity-8x32-seed0",
    "ablation-phi-se-8x32-seed0",
    "ablation-rank-4-8x32-seed0",
    "ablation-rank-4-annealed-omegas-8x32-seed0",
    "ablation-simplex-45-at-1-0-8x32-seed0",
    "ablation-simplex-no-corners-8x32-seed0",
    "ablation-uniform-15-at-each-corner-8x32-seed0",
    "ablation-uniform-45-at-1-0-8x32-seed0",
    "ablation-uniform-as-in-the-paper-8x32-seed0",
    "ablation-w-i-2-8x32-seed0",
    "compact-laptop-seed0",
    "denoising-cfsnet-8x32-seed0",
    "denoising-cfsnet-8x32-seed1",
    "denoising-cfsnet-8x32-seed2",
    "denoising-cfsnet-8x32-seed3",
    "denoising-dni-8x32-seed0",
    "denoising-dni-8x32-seed1",
    "denoising-dni-8x32-seed2",
    "denoising-dni-8x32-seed3",
    "denoising-dni-scratch-8x32-seed0",
    "denoising-dni-scratch-8x32-seed1",
    "denoising-dni-scratch-8x32-seed2",
    "denoising-dni-scratch-8x32-seed3",
    "denoising-dni-scratch-no-skip-8x32-seed0",
    "denoising-dynet-8x32-seed0",
    "denoising-dynet-8x32-seed1",
    "denoising-dynet-8x32-seed2",
    "denoising-dynet-8x32-seed3",
    "denoising-film-8x32-seed0",
    "denoising-film-8x32-seed1",
    "denoising-film-8x32-seed2",
    "denoising-low-rank-1-8x32-seed0",
    "denoising-low-rank-1-8x32-seed1",
    "denoising-low-rank-1-8x32-seed2",
    "denoising-low-rank-16-8x32-seed0",
    "denoising-low-rank-16-8x32-seed1",
    "denoising-low-rank-16-8x32-seed2",
    "denoising-low-rank-4-8x32-seed0",
    "denoising-low-rank-4-8x32-seed1",
    "denoising-low-rank-4-8x32-seed2",
    "denoising-soup-8x32-seed0",
    "denoising-soup-8x32-seed1",
    "denoising-soup-8x32-seed2",
    "denoising-tunable-eq9-16x64-seed0",
    "denoising-tunable-eq9-8x32-seed0",
    "denoising-tunable-eq9-8x32-seed1",
    "denoising-tunable-eq9-8x32-seed2",
    "denoising-tunable-eq9-8x32-seed3",
    "denoising-tunable-eq9-8x32-seed4",
    "denoising-tunable-fixed-16x64-seed0",
    "denoising-tunable-fixed-8x32-seed0",
    "denoising-tunable-fixed-8x32-seed1",
    "denoising-tunable-fixed-8x32-seed2",
    "denoising-tunable-fixed-8x32-seed3",
    "denoising-tunable-fixed-8x32-seed4",
    "joint-cresmd-8x32-seed0",
    "joint-cresmd-8x32-seed1",
    "joint-cresmd-8x32-seed2",
    "joint-cresmd-own-8x32-seed0",
    "joint-fixed-8x32-seed0",
    "joint-tunable-adapted-8x32-seed0",
    "joint-tunable-adapted-8x32-seed1",
    "joint-tunable-adapted-8x32-seed2",
    "joint-tunable-clean-8x32-seed0",
    "joint-tunable-literal-8x32-seed0",
    "nafnet-fixed-laptop-seed0",
    "nafnet-fixed-laptop-seed1",
    "nafnet-fixed-laptop-seed2",
    "nafnet-tunable-laptop-seed0",
    "nafnet-tunable-laptop-seed1",
    "nafnet-tunable-laptop-seed2",
    "photo-8x64-seed0",
    "sr-cfsnet-smooth-8x32-laptop-seed0",
    "sr-dni-scratch-smooth-8x32-laptop-seed0",
    "sr-dni-smooth-8x32-laptop-seed0",
    "sr-dni-smooth-8x32-laptop-seed1",
    "sr-dni-smooth-8x32-laptop-seed2",
    "sr-dynet-smooth-8x32-laptop-seed0",
    "sr-low-rank-4-smooth-8x32-laptop-seed0",
    "sr-soup-smooth-8x32-laptop-seed0",
    "sr-swinir-fixed-smooth-laptop-seed0",
    "sr-swinir-tunable-smooth-laptop-seed0",
    "sr-tunable-8x32-laptop-seed0",
    "sr-tunable-smooth-8x32-laptop-seed0",
    "sr-tunable-smooth-8x32-laptop-seed1",
    "sr-tunable-smooth-8x32-laptop-seed2",
    "style-dni-laptop-seed0",
    "style-film-laptop-seed0",
    "style-tunable-colours-seed0",
    "style-tunable-laptop-seed0",
    "swinir-fixed-laptop-seed0",
    "swinir-tunable-laptop-seed0",
]
CONFIGS = {c.name: c for b in ("laptop", "gpu") for c in configs.all_runs(configs.profile(b))}
BESIDE = [configs.style.keeping("tunable")]
"""Released, but not read by any chapter."""
CONFIGS |= {config.name: config for config in BESIDE}


@pytest.fixture(autouse=True)
def released(monkeypatch):
    """The runs of this repository, independently of the tests' store."""
    monkeypatch.setenv("TUNABLE_RUNS", str(records.ROOT / "data"))


def test_the_store_of_the_repository_holds_the_released_runs_and_no_other():
    folders = [path.parent.name for path in (runs.store() / "runs").glob("*/run.json")]
    assert sorted(folder.rpartition("-")[0] for folder in folders) == NAMES


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize("name", NAMES)
def test_a_released_run_is_found_from_its_config_and_loads(name):
    folder = runs.find(CONFIGS[name])
    assert folder is not None
    assert folder.name in [f"{name}-{key}" for key in keys.keys(CONFIGS[name])]
    run = runs.load(CONFIGS[name], folder)
    assert run.record["name"] == name
    assert (run.trained is None) == ("state" in run.record)


@pytest.mark.parametrize("name", NAMES)
def test_a_released_run_is_found_without_any_data(name, monkeypatch, tmp_path):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    assert runs.find(CONFIGS[name]) is not None
