"""Our numbers next to the paper's: each cell has the right images, method, metric and dials."""

import pandas as pd
import pytest
from stored import kept_sweep

from study import configs
from study.chapters.beside import beside, bold, every_cell, over_seeds, versus, wide
from study.claims.printed import PAPER, Cell, printed
from study.configs import measurements

BUDGET = configs.profile("laptop")
MIDDLE, CLEAN = (0.5, 0.5), (1.0, 0.0)


def means(*rows, by=("omega_1", "omega_2"), metrics=("psnr",)):
    """An averaged table; rows: the position, then the metrics."""
    return pd.DataFrame(rows, columns=[*by, *metrics]).set_index([*by])


@pytest.fixture
def cells():
    """Two of our methods on two sets, of which the paper prints one method on one set."""
    measured = {
        "kodak": {"tunable": means((*MIDDLE, 1.0), (*CLEAN, 2.0)), "film": means((*MIDDLE, 3.0))},
        "photos": {"tunable": means((*MIDDLE, 4.0))},
    }
    return beside("table1", measured, {"tunable": "Tunable"})


def test_ours_stands_beside_the_printed_cell_of_its_images_method_metric_and_dials(cells):
    paper = printed("table1")
    cell = {(row.images, row.method, row.metric, row.omega): row for row in cells.itertuples()}
    assert cell["kodak", "tunable", "psnr", MIDDLE].ours == 1.0
    assert (
        cell["kodak", "tunable", "psnr", MIDDLE].printed
        == paper[Cell("kodak", "Tunable", "psnr", MIDDLE)]
    )
    assert cell["kodak", "film", "psnr", MIDDLE].ours == 3.0
    assert pd.isna(cell["kodak", "film", "psnr", MIDDLE].printed)  # the paper has no FiLM
    assert pd.isna(cell["photos", "tunable", "psnr", MIDDLE].printed)  # nor these photographs
    assert pd.isna(cell["kodak", "tunable", "psnr_eta", CLEAN].ours)  # it was not measured


def test_a_printed_number_that_was_not_measured_stands_alone(cells):
    corner = cells[(cells.omega == (0.0, 1.0)) & (cells.metric == "psnr")]
    assert corner.method.tolist() == ["tunable"]
    assert corner.ours.isna().all()
    assert corner.printed.notna().all()


def test_the_table_has_ours_the_papers_and_the_difference(cells):
    table = versus(cells, "psnr").data
    assert list(table.index) == [
        ("kodak", "tunable", "ours"),
        ("kodak", "tunable", "paper"),
        ("kodak", "tunable", "difference"),
        ("kodak", "film", "ours"),
        ("photos", "tunable", "ours"),
    ]
    ours, paper, difference = table["(0.5, 0.5)"].head(3)
    assert (ours, difference) == (1.0, ours - paper)


def test_columns_can_be_any_heading_of_the_cells(cells):
    here = cells[(cells.metric == "psnr") & (cells.images == "kodak")].assign(place="one")
    here = here[here.omega == MIDDLE]
    assert wide(here, "ours", rows=("method",), columns="place").to_dict() == {
        "one": {"tunable": 1.0, "film": 3.0}
    }
    with pytest.raises(ValueError, match="duplicate"):
        wide(here, "ours", rows=("images",), columns="place")


def test_a_noise_level_is_part_of_the_place():
    frame = means((15.0, *CLEAN, 34.0), (25.0, *CLEAN, 31.0), by=("sigma", "omega_1", "omega_2"))
    cells = beside("table2a", {"kodak": {"fixed": frame}}, {"fixed": "SwinIR"})
    ours = cells[cells.metric == "psnr"].set_index("sigma").ours
    assert (ours[15], ours[25]) == (34.0, 31.0)
    assert pd.isna(ours[50])  # printed, and not measured


def test_bold_is_the_best_and_all_that_the_seeds_do_not_distinguish():
    values = pd.DataFrame({"a": [30.0, 29.8, 29.5, 29.9]}, index=[*"wxyz"])
    spreads = pd.DataFrame({"a": [0.1, 0.15, 0.1]}, index=[*"wxy"])  # z has one seed
    assert bold(values, spreads).a.to_dict() == {"w": True, "x": True, "y": False, "z": True}
    assert bold(-values, spreads, lower=True).a.to_dict() == {
        "w": True,
        "x": True,
        "y": False,
        "z": True,
    }


def test_over_seeds_a_cell_has_the_mean_and_half_the_range_and_no_range_for_one_seed():
    seeds = {0: (1.0, 34.0), 1: (1.2, 34.3), 2: (1.4, 34.1)}
    found = {
        "dni": {s: means((*MIDDLE, low), (*CLEAN, high)) for s, (low, high) in seeds.items()},
        "film": {0: means((*CLEAN, 33.0), (*MIDDLE, 2.0))},  # in another order
    }
    table = over_seeds(found, [MIDDLE, CLEAN], {"psnr": "PSNR"}, {"dni": "DNI"}).data
    assert table.loc[("PSNR", "DNI")].to_list() == ["1.20 ± 0.20", "34.13 ± 0.15"]
    assert table.loc[("PSNR", "film")].to_list() == ["2.00", "33.00"]


def test_every_printed_cell_of_our_methods_is_there_and_none_is_invented(store):
    cells = every_cell(BUDGET)
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
    cells = every_cell(BUDGET).dropna(subset="ours")
    assert set(cells.method) == {"Tunable"}
    assert set(cells.metric) == {"psnr"}
    at = cells.set_index("omega").ours
    assert at.to_dict() == {(0.0, 1.0): 26.0, (1.0, 0.0): 35.0}
    assert len(every_cell(BUDGET).attrs["records"]) == 1


def test_the_luma_of_table_5_and_the_noise_level_of_table_2_are_found(store):
    at = {"image": "one", "omega_1": [1.0], "omega_2": [0.0]}
    luma = pd.DataFrame({**at, "psnr": 20.0, "psnr_y": 30.0, "ssim_y": 0.8})
    put("SwinIR", "table5", "set5", luma)
    noise = pd.DataFrame({**at, "sigma": 25.0, "psnr": 31.0})
    put("SwinIR", "table2a", "kodak", noise)
    cells = every_cell(BUDGET).dropna(subset="ours").set_index(["table", "metric"]).ours
    assert cells["table5", "psnr"] == 30.0
    assert cells["table5", "ssim"] == 0.8
    assert cells["table2a", "psnr"] == 31.0
    assert len(cells) == 3
