"""Runtime of tunable against plain convolutions (Fig. 3), and of ways to serve one omega per sample.

Also the speedup of a training by a second process.

All times of one case are measured in turns in one process, so that drifts of the machine cancel; only
ratios of their medians are compared.
"""

from __future__ import annotations

import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from tqdm.auto import tqdm

from study.networks.precision import bf16
from study.training import processes
from tunable_core.layers import TunableConv2d
from tunable_core.live import Live
from tunable_core.tunable import Tunable

Action = Callable[[], object]
CASE = ("k", "p", "c", "work", "precision", "compiled")
"""The fields that identify a case of Fig. 3."""


@dataclass(frozen=True)
class LayerGrid:
    """The cases of Fig. 3: a convolution with c input and c output channels on one image."""

    kernel: tuple[int, ...] = (3, 5, 7)
    """Kernel size k."""
    p: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    """Number of dials and of kernels."""
    channels: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256)
    """Channels c."""
    side: int = 128
    """Height and width of the input, pixels."""
    work: tuple[str, ...] = ("forward", "forward + backward")
    """The work that is timed."""
    precision: tuple[str, ...] = ("float32", "bf16")
    """Precision of the convolution; kernels are always mixed in float32."""
    compiled: bool = False
    """Whether torch.compile is used."""

    def cases(self) -> list[tuple]:
        """(k, p, c, work, precision) of every case, grouped by figure."""
        figures = itertools.product(self.work, self.precision)
        sizes = list(itertools.product(self.kernel, self.p, self.channels))
        return [(*size, *figure) for figure in figures for size in sizes]


def alternate(
    actions: dict[str, Action], *, rounds: int = 5000, seconds: float = 1.0, device: str = "cpu"
) -> dict[str, float]:
    """Median milliseconds of each action, see in_turns()."""
    times = in_turns(actions, rounds, seconds, device)
    return {name: statistics.median(values) for name, values in times.items()}


def in_turns(
    actions: dict[str, Action], rounds: int, seconds: float, device: str
) -> dict[str, list[float]]:
    """Milliseconds of each action, measured in turns after two rounds of warm-up.

    Stops after `rounds` rounds or `seconds` seconds, but not before 3 rounds. On "cuda" times are
    measured by CUDA events.
    """
    times: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 2):
        if number == 2:
            began = time.perf_counter()  # do not count the compilation
        for name, action in actions.items():
            elapsed = _cuda_time(action) if device == "cuda" else _cpu_time(action)
            if number >= 2:
                times[name].append(elapsed)
        if number >= 4 and time.perf_counter() - began > seconds:
            break
    return times


def _cpu_time(action: Action) -> float:
    clock = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - clock)


def _cuda_time(action: Action) -> float:
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    action()
    stop.record()
    stop.synchronize()
    return start.elapsed_time(stop)


class Operators(TorchDispatchMode):
    """Collects in `called` the names of the operators of forward and backward passes, except views.

    Each is a launch on a GPU; for small work the number of launches determines the time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.called: list[str] = []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        if not operator.is_view:
            self.called.append(operator.overloadpacket.__name__)
        return operator(*args, **(kwargs or {}))


def layers(
    grid: LayerGrid,
    *,
    rounds: int = 5000,
    seconds: float = 1.0,
    device: str = "cpu",
    progress: bool = True,
    landed: list[dict] | None = None,
    keep: Callable[[], object] = lambda: None,
) -> pd.DataFrame:
    """Times of one convolution as plain, tunable and Live layer, for every case of a grid.

    landed: rows of an earlier call, whose cases are not measured again. New rows are added to it, and
    keep() is called after each.
    Columns: k, p, c, work, precision, compiled, device; runs, how many times each was timed; medians in
    milliseconds of plain, tunable (kernels mixed at every call) and live (mixed only when omega
    changes; forward only); overhead and live_overhead, in per cent of plain.
    """
    landed = [] if landed is None else landed
    known = {tuple(row[name] for name in CASE): row for row in landed}
    rows = []
    for case in tqdm(grid.cases(), desc="layers", disable=not progress):
        row = known.get((*case, grid.compiled))
        if row is None:
            times = in_turns(_layer_actions(*case, grid, device), rounds, seconds, device)
            ms = {name: statistics.median(values) for name, values in times.items()}
            row = (
                dict(zip(CASE, (*case, grid.compiled), strict=True))
                | {"device": device, "runs": len(times["plain"]), **ms}
                | {"overhead": 100 * (ms["tunable"] / ms["plain"] - 1)}
                | {"live_overhead": 100 * (ms["live"] / ms["plain"] - 1) if "live" in ms else None}
            )
            landed.append(row)
            keep()
        rows.append(row)
    return pd.DataFrame(rows)


def _layer_actions(k, p, c, work, precision, grid: LayerGrid, device: str) -> dict[str, Action]:
    tunable = TunableConv2d(c, c, k, padding=k // 2, p=p).to(device)
    omega = [0.5] * p  # dials are plain numbers on the CPU
    plain = tunable.at(omega)
    x = torch.rand(1, c, grid.side, grid.side, device=device)
    x = x.contiguous(memory_format=torch.channels_last)
    if grid.compiled:
        torch.compiler.reset()  # after 8 shapes it would stop compiling
        plain, tunable = torch.compile(plain), torch.compile(tunable)

    def timed(call: Callable[[], Tensor], parameters: Sequence[Tensor]) -> Action:
        def action() -> None:
            with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
                if work == "forward":
                    with torch.inference_mode():
                        call()
                    return
                output = call()
            torch.autograd.grad(output.float().sum(), parameters)

        return action

    actions = {
        "plain": timed(lambda: plain(x), list(plain.parameters())),
        "tunable": timed(lambda: tunable(x, omega), list(tunable.parameters())),
    }
    if work == "forward" and not grid.compiled:
        live = Live(tunable)
        actions["live"] = timed(lambda: live(x, omega), [])
    return actions


def per_sample(
    *, batch: int = 8, channels: int = 32, side: int = 128, rounds=200, seconds=2.0, device="cpu"
) -> pd.DataFrame:
    """Times of three ways to give every sample its own omega, for 1, 2, 4, ... distinct omegas.

    dense: one forward pass per distinct omega, as in Tunable; grouped: one convolution with a group
    per sample, as in the authors' code; vmap: torch.func.vmap over samples and kernels. Columns:
    precision, distinct, and milliseconds of each way.
    """
    layer = TunableConv2d(channels, channels, 3, padding=1, p=2).to(device)
    x = torch.rand(batch, channels, side, side, device=device)
    x = x.contiguous(memory_format=torch.channels_last)
    rows = []
    for precision, distinct in itertools.product(
        ("float32", "bf16"), [2**i for i in range(batch.bit_length()) if 2**i <= batch]
    ):
        omega = torch.linspace(0, 1, distinct, device=device).repeat_interleave(batch // distinct)
        omega = torch.stack([omega, 1 - omega], 1)
        calls = {"dense": layer, "grouped": _grouped(layer), "vmap": _mapped(layer)}
        actions = {name: _inference(call, x, omega, precision, device) for name, call in calls.items()}
        ms = alternate(actions, rounds=rounds, seconds=seconds, device=device)
        rows.append({"precision": precision, "distinct": distinct, **ms})
    return pd.DataFrame(rows)


def _inference(call, x: Tensor, omega: Tensor, precision: str, device: str) -> Action:
    def action() -> None:
        on = precision == "bf16"
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=on):
            call(x, omega)

    return action


def _grouped(layer: Tunable) -> Callable[[Tensor, Tensor], Tensor]:
    def call(x: Tensor, omega: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        mixed = [layer.mix(row) for row in omega]
        weight = torch.cat([m["weight"] for m in mixed])
        bias = torch.cat([m["bias"] for m in mixed])
        joined = x.reshape(1, batch * channels, height, width)
        output = F.conv2d(joined, weight, bias, padding=1, groups=batch)
        return output.view(batch, -1, height, width)

    return call


def _mapped(layer: Tunable) -> Callable[[Tensor, Tensor], Tensor]:
    def one(image: Tensor, weights: dict[str, Tensor]) -> Tensor:
        return functional_call(layer.module, weights, (image[None],))[0]

    def call(x: Tensor, omega: Tensor) -> Tensor:
        mixed = [layer.mix(row) for row in omega]
        return vmap(one)(x, {n: torch.stack([m[n] for m in mixed]) for n in layer.tuned})

    return call


def network(
    plain: nn.Module, *, batch: int, patch: int, side: int = 256, rounds=50, seconds=20.0, device="cpu"
) -> pd.DataFrame:
    """Times of a whole network: a training step, a forward pass, and a change of omega.

    Columns: work, case, milliseconds ms, and ratio to the plain network.
    """
    tunable = Tunable(plain, 2).to(device)
    omega, other = [0.7, 0.3], [0.3, 0.7]  # plain numbers; training draws them on the device
    plain = plain.to(device)
    x = torch.rand(batch, 3, patch, patch, device=device)
    x = x.contiguous(memory_format=torch.channels_last)
    image = torch.rand(1, 3, side, side, device=device).contiguous(memory_format=torch.channels_last)
    budget = {"rounds": rounds, "seconds": seconds, "device": device}
    drawn = torch.tensor(omega, device=device)
    steps = alternate({"plain": _step(plain, x), "tunable": _step(tunable, x, drawn)}, **budget)
    fixed, live = tunable.at(omega), Live(tunable)
    with torch.inference_mode():
        forward = alternate(
            {
                "plain": lambda: plain(image),
                "tunable": lambda: tunable(image, omega),
                "live, same omega": lambda: live(image, omega),
                "at(omega)": lambda: fixed(image),
            },
            **budget,
        )
        turns = itertools.cycle([omega, other])
        turn = alternate(
            {"mixing": lambda: tunable.mix(drawn), "live": lambda: live.tune(next(turns))}, **budget
        )
    rows = [("training step, bf16", case, ms, ms / steps["plain"]) for case, ms in steps.items()]
    what = f"forward {side} x {side}, float32"
    rows += [(what, case, ms, ms / forward["plain"]) for case, ms in forward.items()]
    rows += [("a turn of the dials", case, ms, ms / forward["plain"]) for case, ms in turn.items()]
    return pd.DataFrame(rows, columns=["work", "case", "ms", "ratio"])


def operators(plain: nn.Module, side: int = 32) -> pd.DataFrame:
    """Number of operators, except views, of a forward pass of a plain, a tunable and a Live network and
    of a training step, on the CPU. A GPU adds copies to check dials that are stored on it.

    Columns: work, case, operators, and ratio to the plain network.
    """
    tunable, omega = Tunable(plain, 2), torch.tensor([0.7, 0.3])
    live, image = Live(tunable), torch.rand(1, 3, side, side)
    live.tune(omega)
    forward = {
        "plain": lambda: plain(image),
        "tunable": lambda: tunable(image, omega),
        "live, same omega": lambda: live(image, omega),
    }
    step = {"plain": _step(plain, image), "tunable": _step(tunable, image, omega)}
    rows = []
    for work, actions in {"forward, float32": forward, "training step, bf16": step}.items():
        counts = {}
        for case, action in actions.items():
            with torch.set_grad_enabled(actions is step), Operators() as seen:
                action()
            counts[case] = len(seen.called)
        rows += [(work, case, count, count / counts["plain"]) for case, count in counts.items()]
    return pd.DataFrame(rows, columns=["work", "case", "operators", "ratio"])


def with_processes(
    plain: nn.Module, *, batch: int, patch: int, count: int = 2, rounds=50
) -> pd.DataFrame:
    """Times of a training step on the CPU by one process and by several, of one thread each.

    Several processes share one batch and average gradients, as under torchrun. Columns: processes,
    milliseconds ms, speedup over one, and efficiency, which is speedup per process.
    """
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(
            _rank, (count, Path(folder), plain, batch, patch, rounds), nprocs=count
        )
        times = json.loads((Path(folder) / "times.json").read_text())
    table = pd.DataFrame({"processes": [1, count], "ms": [times["one"], times["all"]]})
    table["speedup"] = table.ms[0] / table.ms
    return table.assign(efficiency=table.speedup / table.processes)


def _rank(
    rank: int, count: int, folder: Path, plain: nn.Module, batch: int, patch: int, rounds: int
) -> None:
    """One process of with_processes: in turns, the first works alone, then all work."""
    torch.set_num_threads(1)
    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=count)
    x = torch.rand(batch, 3, patch, patch).contiguous(memory_format=torch.channels_last)
    omega = torch.tensor([0.7, 0.3])
    alone, shared = Tunable(plain, 2), Tunable(plain, 2)
    alone_step = _step(alone, x, omega)
    shared_step = _step(shared, x[processes.rows(batch)], omega, average=True)

    def one() -> None:
        if rank == 0:
            alone_step()
        processes.meet()

    times = alternate({"one": one, "all": shared_step}, rounds=rounds, seconds=float("inf"))
    if rank == 0:
        (folder / "times.json").write_text(json.dumps(times))
    dist.destroy_process_group()


def _step(model: nn.Module, x: Tensor, *omega: Tensor, average: bool = False) -> Action:
    """A whole step as in the training loop: bf16 forward, backward, clip, fused AdamW.

    average: average gradients over all processes.
    """
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.0, fused=True)

    def step() -> None:
        with bf16(x.device):
            output = model(x, *omega)
        (output.float() - x).abs().mean().backward()
        if average:
            processes.gradients(list(model.parameters()))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step
