"""The benchmark measures what it documents; the times themselves are not tested."""

import math
from dataclasses import replace

import pandas as pd
import pytest
import torch

from study.measuring import bench, overhead, pixels
from study.measuring.overhead import LayerGrid
from tunable_core.files import DamagedFile
from tunable_core.layers import TunableConv2d
from tunable_photo.resnet import ResNet, ResNetConfig

TINY = LayerGrid(kernel=(3,), p=(1, 2), channels=(4,), side=8)


def test_actions_are_taken_in_turns():
    calls = []
    actions = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    times = overhead.alternate(actions, rounds=3)
    assert calls == ["a", "b"] * 5  # two rounds warm up
    assert set(times) == {"a", "b"}


def test_a_case_stops_when_its_time_is_up():
    calls = []
    overhead.alternate({"a": lambda: calls.append(1)}, rounds=10**9, seconds=0)
    assert len(calls) == 5  # two of them to warm up


def test_warming_up_takes_nothing_of_the_time(monkeypatch):
    clock, calls = [0.0], []

    def action():  # compiles at first
        calls.append(1)
        clock[0] += 100 if len(calls) <= 2 else 1

    monkeypatch.setattr(overhead.time, "perf_counter", lambda: clock[0])
    assert overhead.alternate({"a": action}, seconds=5) == {"a": 1000}
    assert len(calls) == 2 + 6


def test_the_grid_of_figure_3_is_the_papers():
    cases = LayerGrid().cases()
    assert len(cases) == 3 * 8 * 7 * 2 * 2
    assert {case[1] for case in cases} == set(range(1, 9))


def test_every_case_of_a_grid_is_measured():
    table = overhead.layers(TINY, rounds=1, progress=False)
    assert list(zip(table.k, table.p, table.c, table.work, table.precision, strict=True)) == TINY.cases()
    assert (table.plain > 0).all()
    torch.testing.assert_close(
        torch.tensor(table.overhead.to_numpy()),
        torch.tensor(100 * (table.tunable / table.plain - 1).to_numpy()),
    )
    assert (table.live.notna() == (table.work == "forward")).all()


def test_the_ways_to_serve_one_omega_per_sample_agree(close):
    layer = TunableConv2d(3, 5, 3, padding=1, p=2)
    x, omega = torch.rand(4, 3, 8, 8), torch.rand(4, 2)
    expected = layer(x, omega)
    close(overhead._grouped(layer)(x, omega), expected)
    close(overhead._mapped(layer)(x, omega), expected)


def test_samples_are_measured_for_every_number_of_distinct_omegas():
    table = overhead.per_sample(batch=4, channels=4, side=8, rounds=1)
    assert table.distinct.tolist() == [1, 2, 4] * 2


def test_a_dial_per_pixel_is_measured_beside_the_plain_network_of_each_layout():
    table = pixels.cost(ResNet(1, 4), batch=8, patch=8, rounds=1)
    cases = table.set_index(["work", "case"])
    for layout in ("default layout", "channels_last"):
        work = f"forward of 2 images of 8 x 8, float32, {layout}"
        plain, mapped = cases.loc[(work, "plain")], cases.loc[(work, "a dial per pixel")]
        assert plain.ratio == 1
        assert mapped.ratio == mapped.ms / plain.ms


def test_ratios_are_to_the_plain_network():
    table = overhead.network(ResNet(1, 4), batch=2, patch=8, side=16, rounds=1).set_index(
        ["work", "case"]
    )
    for work in ("training step, bf16", "forward 16 x 16, float32"):
        assert table.loc[(work, "plain"), "ratio"] == 1
        expected = table.loc[(work, "tunable"), "ms"] / table.loc[(work, "plain"), "ms"]
        assert table.loc[(work, "tunable"), "ratio"] == pytest.approx(expected)


def test_what_dials_launch_does_not_grow_with_the_depth():
    def added(network):
        """Operators that dials add to a forward pass and to a training step."""
        count = overhead.operators(network, side=8).set_index(["work", "case"]).operators
        return count.xs("tunable", level="case") - count.xs("plain", level="case")

    assert (added(ResNet(9, 4)) == added(ResNet(2, 4))).all()


@pytest.mark.parametrize("side", [1, 3])
def test_a_layer_alone_costs_one_operator_for_its_weight_and_one_for_its_bias(side):
    count = overhead.operators(torch.nn.Conv2d(3, 3, side, padding=side // 2), side=8).set_index(
        ["work", "case"]
    )
    forward = count.operators["forward, float32"]
    phi = 3  # its weights times omega, their sum, its bias
    assert forward["tunable"] - forward["plain"] == 2 + phi


def test_unchanged_dials_cost_no_operator_at_all():
    count = overhead.operators(ResNet(1, 4), side=8).set_index(["work", "case"]).operators
    forward = count["forward, float32"]
    assert forward["live, same omega"] == forward["plain"] < forward["tunable"]


@pytest.mark.slow
def test_two_processes_are_compared_with_one():
    table = overhead.with_processes(ResNet(1, 4), batch=2, patch=8, rounds=3)
    assert table.processes.tolist() == [1, 2]
    assert table.speedup[0] == 1
    assert table.speedup[1] == pytest.approx(table.ms[0] / table.ms[1])
    assert table.efficiency[1] == pytest.approx(table.speedup[1] / 2)


def test_a_measurement_is_printed_kept_and_found_again(monkeypatch, store, capsys):
    monkeypatch.setattr(bench, "SIZES", {"tiny": (ResNetConfig(1, 4), 2, 16)})
    monkeypatch.setattr("sys.argv", ["bench", "network", "--seconds", "0"])
    bench.main()
    table = bench.find("network")
    assert set(table["size"]) == {"tiny"}
    assert "training step" in capsys.readouterr().out
    assert table.attrs["record"]["part"] == "network"
    assert bench.find("layers") is None


def test_prose_leaves_the_digest_of_the_code_and_a_number_changes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "WRAPPER", ("module",))
    (tmp_path / "tunable_core").mkdir()
    place = tmp_path / "tunable_core" / "module.py"

    def digest(text: str) -> str:
        place.write_text(text)
        return bench.wrapper()

    first = digest(
        'def f(x):\n    """Doc."""\n    if x:\n        raise ValueError("no")\n    return 1\n'
    )
    other = (
        'def f(x):\n    """New."""\n    if x:  # why\n        raise ValueError("yes")\n    return 1\n'
    )
    assert digest(other) == first
    assert digest(other.replace("return 1", "return 2")) != first


def test_a_measurement_of_other_code_is_stale(monkeypatch, store):
    bench.write("layers", pd.DataFrame({"overhead": [1.0]}), "cpu")
    table = bench.find("layers")
    assert not bench.stale(table)
    monkeypatch.setattr(bench, "wrapper", lambda: "of other sources")
    assert bench.stale(table)
    monkeypatch.undo()
    del table.attrs["record"]["wrapper"]
    assert bench.stale(table)


@pytest.fixture
def cases(monkeypatch, store):
    """Fig. 3 of two tiny cases, compiled and not; the list of the layers that were timed."""
    timed, actions = [], overhead._layer_actions
    monkeypatch.setattr(bench, "GRID", replace(TINY, work=("forward",), precision=("float32",)))
    monkeypatch.setattr(torch, "compile", lambda module: module)  # which takes seconds

    def counted(*case):
        if len(timed) == 3:
            timed.clear()
            raise KeyboardInterrupt
        timed.append(case[:3])
        return actions(*case)

    monkeypatch.setattr(overhead, "_layer_actions", counted)
    return timed


def test_an_interrupted_measurement_resumes_where_it_stopped(cases):
    with pytest.raises(KeyboardInterrupt):
        bench.measure("layers", 0.0, "cpu")
    table = bench.measure("layers", 0.0, "cpu")
    assert cases == [(3, 2, 4)]  # the last alone
    assert list(zip(table.compiled, table.p, strict=True)) == [
        (False, 1),
        (False, 2),
        (True, 1),
        (True, 2),
    ]
    assert (table.runs == 3).all()
    bench.write("layers", table, "cpu")
    assert [path.name for path in bench.path("layers").parent.iterdir()] == ["layers-cpu.json"]


@pytest.mark.parametrize("what", ["seconds", "code"])
def test_under_other_conditions_it_begins_anew(cases, monkeypatch, what):
    with pytest.raises(KeyboardInterrupt):
        bench.measure("layers", 0.0, "cpu")
    if what == "code":
        monkeypatch.setattr(bench, "code", lambda: {"core": "another"})
    with pytest.raises(KeyboardInterrupt):  # the fourth case again
        bench.measure("layers", 1e-9 if what == "seconds" else 0.0, "cpu")


def test_what_is_left_of_an_interrupted_measurement_may_be_damaged_and_is_named(cases):
    with pytest.raises(KeyboardInterrupt):
        bench.measure("layers", 0.0, "cpu")
    place = bench.path("layers").with_suffix(".part")
    place.write_text(place.read_text()[:-9])
    with pytest.raises(DamagedFile, match=r"layers-cpu\.part is damaged"):
        bench.measure("layers", 0.0, "cpu")


@pytest.mark.parametrize(("device", "seconds"), [("cuda", math.inf), ("cpu", 1.0)])
def test_layers_on_a_gpu_take_the_5000_runs_of_the_paper(monkeypatch, store, device, seconds):
    asked = []
    monkeypatch.setattr(bench, "measure", lambda *words: asked.append(words) or pd.DataFrame({"a": [1]}))
    monkeypatch.setattr(bench, "write", lambda *words, **more: None)
    monkeypatch.setattr("sys.argv", ["bench", "layers", "--device", device])
    bench.main()
    assert asked == [("layers", seconds, device)]


def test_a_damaged_measurement_is_named(store):
    path = bench.path("layers")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(DamagedFile, match=r"layers-cpu\.json is damaged"):
        bench.find("layers")


def test_an_unknown_part_is_refused():
    with pytest.raises(
        ValueError, match="network, layers, samples, pixels, processes, waiting or class; got 'leyers'"
    ):
        bench.measure("leyers", 0.0, "cpu")


def test_the_share_of_a_step_spent_waiting_is_measured_both_ways(monkeypatch):
    monkeypatch.setattr(bench, "SIZES", {"tiny": (ResNetConfig(1, 4), 2, 48)})
    table = bench.measure("waiting", 0.0, "cpu")
    assert table.task.tolist() == ["Denoising", "DenoisingDeblurring", "SuperResolution"]
    assert ((table[["asked", "ahead"]] > 0) & (table[["asked", "ahead"]] < 1)).all(axis=None)
    assert (table.speedup > 0).all()
