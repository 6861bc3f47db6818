"""Sweeps: stored, found again without images, and equal to the metrics called by hand."""

import shutil
import subprocess
from dataclasses import field, make_dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from study import runs
from study.controls import Blend, Fixed, PixelBlend, TunableConfig
from study.disk.records import ROOT
from study.images import datasets
from study.images.degradations import gaussian_noise
from study.measuring import metrics, sweep, sweep_files
from study.measuring.image_sweep import cut
from study.measuring.style_sweep import StyleSweep
from study.measuring.sweep import (
    DenoisingSweep,
    JointSweep,
    RealSweep,
    SuperResolutionSweep,
    average,
    leaders,
    measurable,
    measure,
    spread,
)
from study.tasks import base
from tunable_core.files import DamagedFile
from tunable_core.objectives import noise_target
from tunable_photo.resampling import Bicubic
from tunable_photo.resnet import ResNet, ResNetConfig

WHAT = DenoisingSweep(
    images="samples-test", sigmas=(5.0, 30.0), omegas=((0.0, 1.0), (0.3, 0.8)), crop=16
)


@pytest.fixture
def control():
    return TunableConfig().build(ResNetConfig(1, 4).build(), p=2)


@pytest.fixture
def no_measuring(monkeypatch):
    """Calling it makes any later measurement fail."""

    def refuse(*arguments, **settings):
        raise AssertionError("measured again")

    return lambda: monkeypatch.setattr(sweep, "measure", refuse)


def swept(control, what=WHAT):
    return sweep.sweep(control, what, label="tiny", progress=False)


@pytest.fixture
def kept(control, store):
    """A sweep in the store: its frame and its file."""
    frame = swept(control)
    (path,) = store.rglob("*.csv")
    return frame, path


# Runs kept without their weights


def test_of_a_run_without_weights_what_was_measured_is_all_that_is_measurable(config, store):
    run = runs.get(config, progress=False)
    assert measurable(run, WHAT)
    before = swept(run)
    runs.drop_weights(run)
    bare = runs.get(config, weights=False)
    assert measurable(bare, WHAT)
    pd.testing.assert_frame_equal(swept(bare), before)
    other = replace(WHAT, crop=20)
    assert not measurable(bare, other)
    with pytest.raises(runs.WithoutWeights):
        swept(bare, other)


# What is measured


def test_there_is_a_row_for_every_image_level_and_omega(control):
    frame = measure(control, WHAT, progress=False)
    assert len(frame) == 3 * 2 * 2
    assert len(frame[["image", "sigma", "omega_1", "omega_2"]].drop_duplicates()) == len(frame)
    assert set(frame["image"]) == set(datasets.describe("samples-test").ids)


def test_positions_beyond_the_range_are_measured_only_where_the_sweep_allows_them(control):
    beyond = replace(WHAT, omegas=((-0.25, 1.25),))
    with pytest.raises(ValueError, match=r"got -0.25 in position 1"):
        measure(control, beyond, progress=False)
    allowed = replace(beyond, extrapolate=True)
    assert measure(control, allowed, progress=False).omega_2.eq(1.25).all()
    assert "extrapolate" not in WHAT.settings()


def test_every_value_is_that_of_the_metric_called_by_hand(control):
    frame = measure(control, WHAT, progress=False)
    images = datasets.load("samples-test")
    for row in frame.itertuples():
        clean = images[row.image]
        top, left = (side // 2 - 8 for side in clean.shape[1:])
        clean = clean[None, :, top : top + 16, left : left + 16].float() / 255
        degraded = gaussian_noise(clean, row.sigma, torch.Generator().manual_seed(0))
        with torch.no_grad():
            output = control(degraded, [row.omega_1, row.omega_2])
        rounded = torch.round(output.clamp(0, 1) * 255) / 255
        by_hand = {
            "psnr": metrics.psnr(output, clean),
            "psnr_eta": metrics.psnr(output, noise_target(clean, degraded, row.omega_2)),
            "psnr_8bit": metrics.psnr(rounded, clean),
            "kept": metrics.kept_fraction(output, clean, degraded),
        }
        for name, value in by_hand.items():
            assert getattr(row, name) == pytest.approx(value.item(), rel=1e-4, abs=1e-4), name


def test_the_noisy_input_itself_has_its_known_measures():
    class Through(torch.nn.Module):
        def forward(self, x):
            return x

    control = Blend(Through())
    frame = measure(control, replace(WHAT, crop=128, omegas=((0.0, 0.0),)), progress=False)
    assert frame["kept"].tolist() == pytest.approx([1] * len(frame), abs=1e-5)
    for sigma, psnr in frame.groupby("sigma")["psnr"].min().items():
        assert psnr >= -20 * torch.tensor(sigma / 255).log10().item() - 0.1  # clipping only adds


def test_without_noise_there_is_no_kept_fraction(control):
    frame = measure(control, replace(WHAT, sigmas=(0.0,)), progress=False)
    assert frame["kept"].isna().all()
    assert frame["psnr"].notna().all()


def test_every_second_image_is_every_second_image():
    names = list(dict.fromkeys(case.image for case in replace(WHAT, every=2).cases()))
    assert names == datasets.describe("samples-test").ids[::2]


def test_without_a_crop_images_are_whole():
    images = datasets.load("samples-test")
    for name, picture in ((case.image, case.clean) for case in replace(WHAT, crop=None).cases()):
        assert torch.equal((picture * 255).round().to(torch.uint8), images[name])


def test_a_crop_larger_than_an_image_is_refused(control):
    with pytest.raises(ValueError, match=r"a crop of 5000 .* larger than the image, \[512, 512\]"):
        measure(control, replace(WHAT, crop=5000), progress=False)


def test_a_control_is_given_back_in_its_mode(control):
    control.train()
    control.network.eval()
    measure(control, replace(WHAT, sigmas=(5.0,), every=3), progress=False)
    assert control.training
    assert not control.network.training


def test_missing_images_are_reported(control, store):
    with pytest.raises(datasets.MissingData, match="data set 'kodak'"):
        measure(control, replace(WHAT, images="kodak"), progress=False)


# Kept and found


def test_a_sweep_is_measured_once_and_found_again_without_the_images(
    control, kept, no_measuring, monkeypatch
):
    no_measuring()
    monkeypatch.setattr(datasets, "load", None)
    pd.testing.assert_frame_equal(swept(control), kept[0], check_exact=True)


def test_without_its_images_a_sweep_is_of_the_samples_and_says_so(control, kept, no_measuring):
    no_measuring()  # the samples were measured already
    with pytest.warns(UserWarning, match=r"no stored sweep of 'tiny' on 'kodak'.*embedded samples"):
        frame = swept(control, replace(WHAT, images="kodak"))
    pd.testing.assert_frame_equal(frame, kept[0], check_exact=True)
    assert frame.attrs["record"]["settings"]["images"] == "samples-test"


def test_a_kept_sweep_has_five_digits_of_what_was_measured(control, kept):
    measured = measure(control, WHAT, progress=False)
    pd.testing.assert_frame_equal(kept[0], measured, check_dtype=False, rtol=1e-4)


def test_a_kept_sweep_carries_its_record(kept):
    record = kept[0].attrs["record"]
    assert record["settings"]["sigmas"] == [5.0, 30.0]
    assert record["name"] == "tiny"
    assert {"weights", "seconds", "device", "versions", "sha256"} <= record.keys()


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "change",
    [
        {"sigmas": (5.0, 15.0)},
        {"omegas": ((0.0, 1.0), (0.4, 0.8))},
        {"every": 2},
        {"crop": 12},
        {"nu": 0.5},
        {"images": "samples"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_settings_are_another_sweep(control, change):
    assert sweep.key(control, replace(WHAT, **change)) != sweep.key(control, WHAT)


def test_other_weights_are_another_sweep(control):
    before = sweep.key(control, WHAT)
    with torch.no_grad():
        next(control.parameters())[0] += 1e-6
    assert sweep.key(control, WHAT) != before


def test_other_images_under_the_same_name_are_another_sweep(control, monkeypatch):
    before = sweep.key(control, WHAT)
    monkeypatch.setattr(datasets, "checksum", lambda name: "0" * 64)
    assert sweep.key(control, WHAT) != before


def test_another_setting_of_a_method_with_the_same_weights_is_another_sweep():
    network = ResNet(1, 4)
    keys = {sweep.key(Blend(network, nu=nu), WHAT) for nu in (0.5, 0.9)}
    assert len(keys) == 2


def test_networks_that_differ_in_their_config_alone_are_measured_one_by_one():
    plain, skipping = (ResNet(1, 4, image_skip=skip) for skip in (False, True))
    skipping.load_state_dict(plain.state_dict())
    assert sweep.key(Fixed(plain), WHAT) != sweep.key(Fixed(skipping), WHAT)


def test_a_field_that_was_added_later_leaves_earlier_keys_alone():
    network = ResNet(1, 4)
    before = field(default=1, metadata={"before": 1})
    earlier = make_dataclass("AnyConfig", [("blocks", int)], frozen=True)
    later = make_dataclass("AnyConfig", [("blocks", int), ("form", int, before)], frozen=True)

    def key(config):
        network.config = config
        return sweep.key(Fixed(network), WHAT)

    assert key(later(1)) == key(earlier(1))
    assert len({key(later(1)), key(later(2)), key(later(1, 2))}) == 3


def test_networks_without_weights_are_measured_one_by_one():
    assert sweep.key(Fixed(Bicubic()), WHAT) != sweep.key(Fixed(nn.Identity()), WHAT)


def test_a_blend_of_another_blend_is_another_sweep():
    network = ResNet(1, 4)
    keys = {sweep.key(PixelBlend(Blend(network, nu=nu)), WHAT) for nu in (0.5, 0.9)}
    assert len(keys) == 2


def test_a_run_and_its_control_are_measured_once(config, store, no_measuring):
    run = runs.get(config, progress=False)
    before = swept(run)
    no_measuring()
    pd.testing.assert_frame_equal(sweep.sweep(run.control, WHAT, progress=False), before)


def test_a_whole_number_is_the_same_setting_as_its_float(control):
    assert sweep.key(control, replace(WHAT, sigmas=(5, 30))) == sweep.key(control, WHAT)


def test_under_another_label_a_sweep_is_found(control, kept, no_measuring):
    no_measuring()
    pd.testing.assert_frame_equal(sweep.sweep(control, WHAT, label="other", progress=False), kept[0])


def test_a_sweep_has_its_run_in_its_name(config, store):
    sweep.sweep(runs.get(config, progress=False), WHAT, progress=False)
    (path,) = (store / "sweeps").rglob("*.csv")
    assert path.name.startswith(f"{config.name}-{WHAT.images}-")


def test_nothing_is_measured_to_find_a_sweep(config, store, no_measuring):
    no_measuring()
    with pytest.raises(FileNotFoundError, match=f"run '{config.name}' is not in the store"):
        sweep.find(config, WHAT)
    run = runs.get(config, progress=False)
    with pytest.raises(FileNotFoundError, match=f"'{config.name}' was not measured on 'samples-test'"):
        sweep.find(config, WHAT)
    with pytest.raises(FileNotFoundError, match=f"'{config.name}' was not measured on 'samples-test'"):
        sweep.find(run, WHAT)


def test_a_seed_whose_sweep_is_gone_takes_no_other_seeds_place(config, store):
    repeated = {}
    for seed in (0, 1, 2):
        other = replace(config, name=f"r{seed}", training=replace(config.training, seed=seed))
        run = runs.get(other, progress=False)
        swept(run)
        if seed:
            runs.drop_weights(run)
        repeated[seed] = runs.get(other, weights=False)
    before = sweep.by_seed(repeated, WHAT)
    sweep_files.place_of(repeated[1], WHAT).unlink()
    after = sweep.by_seed(repeated, WHAT)
    assert list(after) == [0, 2]
    for seed, frame in after.items():
        pd.testing.assert_frame_equal(frame, before[seed])


def test_what_is_measured_of_the_samples_is_not_part_of_the_repository(kept, store):
    file = Path("data") / kept[1].relative_to(store)
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs a clone and git")
    command = ["git", "-C", ROOT, "check-ignore", "--quiet", file]
    assert subprocess.run(command, check=False).returncode == 0


# Damage


def damaged(path, change):
    header, _, table = path.read_text().partition("\n")
    path.write_bytes(f"{header}\n".encode() + change(table.encode()))


CHANGES = {
    "a digit": lambda table: table[:-3] + (b"1" if table[-3:-2] != b"1" else b"2") + table[-2:],
    "a bit that makes it no text": lambda table: table[:-3] + b"\xff" + table[-2:],
    "a row less": lambda table: table[: table[:-1].rindex(b"\n") + 1],
    "cut short": lambda table: table[:-4],
    "empty": lambda table: b"",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_table_is_refused(control, kept, change):
    damaged(kept[1], CHANGES[change])
    with pytest.raises(DamagedFile, match=rf"{kept[1].name} .*delete it to measure it again"):
        swept(control)


@pytest.mark.parametrize("header", ["", "# {", "no header"])
def test_a_changed_header_is_refused(control, kept, header):
    table = kept[1].read_text().partition("\n")[2]
    kept[1].write_text(f"{header}\n{table}")
    with pytest.raises(DamagedFile, match="delete it to measure it again"):
        swept(control)


def test_a_changed_number_in_the_header_is_refused(control, kept):
    text = kept[1].read_text()
    kept[1].write_text(text.replace('"seconds": ', '"seconds": 1', 1))
    assert kept[1].read_text() != text
    with pytest.raises(DamagedFile, match="delete it to measure it again"):
        swept(control)


# Averages


def test_the_average_is_over_images_and_then_over_levels():
    rows = [
        ("a", 5.0, 0.0, 1.0, 10.0),
        ("b", 5.0, 0.0, 1.0, 20.0),
        ("c", 5.0, 0.0, 1.0, 30.0),
        ("a", 30.0, 0.0, 1.0, 60.0),  # counts as much as the three others
        ("a", 5.0, 1.0, 0.0, 7.0),
    ]
    frame = pd.DataFrame(rows, columns=["image", "sigma", "omega_1", "omega_2", "psnr"])
    means = average(frame)
    assert means.loc[(0.0, 1.0), "psnr"] == 40.0
    assert means.loc[(1.0, 0.0), "psnr"] == 7.0


def test_the_average_may_be_by_another_column(control):
    frame = measure(control, WHAT, progress=False)
    by_image = average(frame.assign(method="ours"), ["method", "image"])
    chosen = frame[frame["image"] == "coffee"]
    assert by_image.loc[("ours", "coffee"), "psnr"] == pytest.approx(chosen["psnr"].mean())
    assert set(by_image.columns) == {"psnr", "psnr_eta", "psnr_8bit", "kept"}


def test_the_spread_is_half_the_range_over_seeds():
    frames = [pd.DataFrame({"psnr": [30.0 + s, 31.0]}, index=["a", "b"]) for s in (0.0, 0.3, 0.1)]
    assert spread(frames)["psnr"].tolist() == pytest.approx([0.15, 0.0])


def test_a_difference_below_the_spreads_is_no_win():
    values = pd.DataFrame({"x": [30.0, 30.1, 29.0], "y": [1.0, 2.0, 3.0]}, index=["a", "b", "c"])
    spreads = pd.DataFrame({"x": [0.06, 0.06, 0.06], "y": [0.1, 0.1, 0.1]}, index=["a", "b", "c"])
    found = leaders(values, spreads)
    assert found["x"].tolist() == [True, True, False]
    assert found["y"].tolist() == [False, False, True]


def test_without_spreads_the_best_alone_leads():
    values = pd.DataFrame({"x": [30.0, 30.1]}, index=["a", "b"])
    assert leaders(values, values.iloc[:0])["x"].tolist() == [False, True]


KINDS = [
    WHAT,
    JointSweep("samples-test", sigmas=(5.0, 30.0), rhos=(0.0, 2.0, 4.0), crop=24),
    SuperResolutionSweep("samples-test", crop=24),
    StyleSweep("samples-test", styles=(), omegas=((1.0,),), crop=24),
]


@pytest.mark.parametrize("what", KINDS, ids=lambda what: type(what).__name__)
def test_every_case_is_counted_before_it_is_measured(what):
    for each in (what, replace(what, every=2)):
        assert len(each) == len(list(each.cases()))
    assert len(replace(what, every=2)) < len(what)


def test_a_pair_of_photographs_is_one_case_of_its_two_halves():
    pair = torch.randint(256, (6, 20, 24), dtype=torch.uint8)
    (case,) = RealSweep(crop=16).cases_of("a", cut(pair, 16))
    assert torch.equal(torch.cat([case.clean, case.degraded]) * 255, pair[:, 2:18, 4:20].float())


def test_a_field_that_a_sweep_got_later_leaves_earlier_keys_alone():
    assert set(RealSweep().settings()) == {"images", "omegas", "nu"}
    assert RealSweep(every=2).settings()["every"] == 2
    assert set(DenoisingSweep().settings()) == {"images", "omegas", "every", "crop", "sigmas", "nu"}


@pytest.mark.skipif(not datasets.available("nam"), reason="needs the nam images")
@pytest.mark.slow
def test_real_noise_is_measured_pair_by_pair_with_ssim():
    what = RealSweep(omegas=((1.0, 0.0), (0.0, 1.0)))
    frame = measure(Blend(nn.Conv2d(3, 3, 1)), what, progress=False)
    assert len(frame) == 2 * len(what)
    assert "sigma" not in frame
    at_fidelity = frame[frame.omega_1 == 1]
    assert (at_fidelity.psnr == at_fidelity.psnr_eta).all()
    assert (at_fidelity.ssim == at_fidelity.ssim_eta).all()
    mean = average(frame)
    assert list(mean.columns) == ["psnr", "psnr_eta", "psnr_8bit", "kept", "ssim", "ssim_eta"]


def test_missing_pairs_have_no_stand_in(monkeypatch, tmp_path, store):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    with pytest.raises(datasets.MissingData, match="nam"):
        sweep.sweep(Blend(nn.Conv2d(3, 3, 1)), RealSweep(), progress=False)


@pytest.mark.skipif(
    not (datasets.available("alexnet") and datasets.available("niqe")), reason="needs the weights"
)
@pytest.mark.slow
def test_the_joint_sweep_measures_every_combination():
    what = JointSweep(images="samples-test", sigmas=(5.0, 30.0), rhos=(0.0, 2.0), every=2, crop=192)
    frame = measure(Blend(nn.Identity()), what, progress=False)
    assert len(frame) == len(what) * len(what.omegas)
    assert set(zip(frame.sigma, frame.rho, strict=True)) == {(5, 0), (5, 2), (30, 0), (30, 2)}
    torch.testing.assert_close(torch.tensor(frame.kept.to_numpy()), torch.ones(len(frame)).double())
    sharp, soft = (frame[frame.rho == rho].detail.mean() for rho in (0.0, 2.0))
    assert sharp == pytest.approx(1, abs=0.05)
    assert soft < 0.5


JOINT = JointSweep(images="samples-test", sigmas=(15.0, 30.0), rhos=(0.0, 2.0), every=2, crop=32)


def test_the_dials_can_be_the_true_levels_of_each_case(control):
    frame = measure(control, replace(JOINT, true_levels=True, perceptual=False), progress=False)
    assert len(frame) == len(JOINT)
    assert (frame.omega_1 == frame.sigma / 30).all()
    assert (frame.omega_2 == frame.rho / 4).all()
    by_hand = replace(JOINT, sigmas=(15.0,), rhos=(2.0,), omegas=((0.5, 0.5),), perceptual=False)
    there = frame[(frame.sigma == 15) & (frame.rho == 2)].reset_index(drop=True)
    pd.testing.assert_frame_equal(there, measure(control, by_hand, progress=False))


def test_in_bfloat16_the_network_alone_is_coarser(control):
    exact = measure(control, replace(JOINT, perceptual=False), progress=False)
    coarse = measure(control, replace(JOINT, perceptual=False, bf16=True), progress=False)
    difference = (exact.psnr - coarse.psnr).abs()
    assert 0 < difference.max() < 0.05


def test_a_joint_sweep_warns_of_levels_outside_of_training(control, monkeypatch):
    monkeypatch.setattr(base, "_warned", set())
    with pytest.warns(UserWarning, match=r"rho = 5 lies outside \[0, 4\]"):
        measure(control, replace(JOINT, rhos=(5.0,), perceptual=False), progress=False)


@pytest.mark.usefixtures("store")
def test_without_the_weights_of_lpips_and_niqe_the_rest_is_measured_and_it_is_said(control):
    with pytest.warns(UserWarning, match=r"alexnet and niqe are not in .*DATASETS=\"alexnet niqe\""):
        frame = swept(control, JOINT)
    assert {"psnr", "kept", "detail"} <= set(frame)
    assert not {"lpips", "niqe"} & set(frame)
    assert frame.attrs["record"]["settings"]["perceptual"] is False


@pytest.mark.usefixtures("store")
def test_a_kept_joint_sweep_is_found_again_without_the_weights(control, no_measuring, monkeypatch):
    for metric in ("lpips", "niqe"):
        monkeypatch.setattr(metrics, metric, lambda *images: torch.zeros(1))
    monkeypatch.setattr(datasets, "available", lambda name: True)
    first = swept(control, JOINT)
    assert {"lpips", "niqe"} <= set(first)
    monkeypatch.setattr(datasets, "available", lambda name: name not in ("alexnet", "niqe"))
    no_measuring()
    pd.testing.assert_frame_equal(swept(control, JOINT), first, check_exact=True)


@pytest.mark.filterwarnings("ignore:sigma = 0 lies outside")
def test_the_kept_noise_of_a_joint_sweep_is_nan_where_there_is_none():
    what = replace(JOINT, sigmas=(0.0, 15.0), rhos=(1.0,), every=9, perceptual=False)
    frame = measure(Blend(nn.Identity()), what, progress=False)
    assert frame.loc[frame["sigma"] == 0, "kept"].isna().all()
    assert frame.loc[frame["sigma"] == 15, "kept"].notna().all()
