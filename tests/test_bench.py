"""The benchmark: it measures what it says; how fast things are is for its table, not for a test."""

import json

import pandas as pd

from tunable_core import bench
from tunable_core.networks import ResNetConfig


def test_actions_are_taken_in_turns():
    calls = []
    actions = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    times = bench.alternate(actions, rounds=3, label="turns")
    assert calls == ["a", "b"] * 5  # two rounds warm up
    assert set(times) == {"a", "b"}


def test_the_table_is_printed_and_kept(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "SIZES", {"tiny": (ResNetConfig(1, 4), 2, 16)})
    output = tmp_path / "bench.json"
    command = ["bench", "--sizes", "tiny", "--rounds", "1", "--output", str(output)]
    monkeypatch.setattr("sys.argv", command)
    bench.main()
    rows = pd.DataFrame(json.loads(output.read_text())["rows"])
    assert (rows[rows.case == "plain"]["ratio to plain"] == 1).all()
    assert set(rows.case) == {"plain", "tunable", "at(omega)", "changing omega"}
    assert "ratio to plain" in capsys.readouterr().out
