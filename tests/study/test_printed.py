"""The paper's cells and our numbers for them, on made-up measurements."""

import pandas as pd
import pytest

from study.claims.printed import PAPER, Cell, printed, value
from study.claims.verdicts import CLEAN

MIDDLE = (0.5, 0.5)


def means(*rows, by=("omega_1", "omega_2"), metrics=("psnr",)):
    """An averaged table; rows: the position, then the metrics."""
    return pd.DataFrame(rows, columns=[*by, *metrics]).set_index([*by])


@pytest.mark.parametrize("name", ["table1", "table2a", "table2b", "table3", "table4", "table5"])
def test_every_printed_cell_is_there_once(name):
    frame = pd.read_csv(PAPER / f"{name}.csv")
    assert sorted(printed(name).values()) == sorted(frame.value)


def test_a_network_without_dials_is_printed_at_fidelity():
    assert printed("table2a")[Cell("kodak", "SwinIR", "psnr", CLEAN, 25)] > 30


def test_table_5_is_of_the_luma():
    frame = means((*CLEAN, 20.0, 30.0), metrics=("psnr", "psnr_y"))
    cell = Cell("set5", "fixed", "psnr", CLEAN)
    assert value("table5", cell, frame) == 30.0
    assert value("table4", cell, frame) == 20.0


def test_a_noise_level_is_looked_up_beside_the_dials():
    frame = means((15.0, *CLEAN, 34.0), (25.0, *CLEAN, 31.0), by=("sigma", "omega_1", "omega_2"))
    assert value("table2a", Cell("kodak", "fixed", "psnr", CLEAN, 25), frame) == 31.0
    assert pd.isna(value("table2a", Cell("kodak", "fixed", "psnr", CLEAN, 50), frame))


@pytest.mark.parametrize("frame", [None, means((*MIDDLE, 1.0)), means((*CLEAN, 1.0), metrics=("ssim",))])
def test_a_cell_that_was_not_measured_is_nan(frame):
    assert pd.isna(value("table1", Cell("kodak", "tunable", "psnr", CLEAN), frame))
