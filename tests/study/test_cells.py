"""Printed cells beside ours: each with the sweep of its own method, metric and dials."""

import pandas as pd
from stored import kept_sweep

from study import configs
from study.claims.cells import beside_printed
from study.claims.printed import PAPER
from study.configs import measurements

BUDGET = configs.profile("laptop")


def test_every_printed_cell_of_our_methods_is_there_and_none_is_invented(store):
    cells = beside_printed(BUDGET)
    rebuilt = {name: configs for name, (configs, _) in measurements.tables(BUDGET).items()}
    printed = {name: pd.read_csv(PAPER / f"{name}.csv") for name in rebuilt}
    expected = {name: int(frame.method.isin(rebuilt[name]).sum()) for name, frame in printed.items()}
    assert cells.groupby("table").size().to_dict() == expected
    assert cells.ours.isna().all()
    assert cells.attrs["records"] == []


def put(method, table, images, frame):
    """A stored sweep of the run that stands for a printed method."""
    configs, sweep_of = measurements.tables(BUDGET)[table]
    kept_sweep(configs[method], sweep_of(images), frame)


def test_a_cell_is_the_mean_at_its_dials(store):
    frame = pd.DataFrame(
        {
            "image": ["one", "two", "one"],
            "sigma": 5.0,
            "omega_1": [1.0, 1.0, 0.0],
            "omega_2": [0.0, 0.0, 1.0],
            "psnr": [34.0, 36.0, 26.0],
        }
    )
    put("Tunable", "table1", "kodak", frame)
    cells = beside_printed(BUDGET).dropna(subset="ours")
    assert set(cells.method) == {"Tunable"}
    assert set(cells.metric) == {"psnr"}
    at = cells.set_index(["omega_1", "omega_2"]).ours
    assert at.to_dict() == {(0.0, 1.0): 26.0, (1.0, 0.0): 35.0}
    assert len(beside_printed(BUDGET).attrs["records"]) == 1


def test_the_luma_of_table_5_and_the_noise_level_of_table_2_are_found(store):
    at = {"image": "one", "omega_1": [1.0], "omega_2": [0.0]}
    luma = pd.DataFrame({**at, "psnr": 20.0, "psnr_y": 30.0, "ssim_y": 0.8})
    put("SwinIR", "table5", "set5", luma)
    noise = pd.DataFrame({**at, "sigma": 25.0, "psnr": 31.0})
    put("SwinIR", "table2a", "kodak", noise)
    cells = beside_printed(BUDGET).dropna(subset="ours").set_index(["table", "metric"]).ours
    assert cells["table5", "psnr"] == 30.0
    assert cells["table5", "ssim"] == 0.8
    assert cells["table2a", "psnr"] == 31.0
    assert len(cells) == 3
