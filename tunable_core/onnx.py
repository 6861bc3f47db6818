"""Shipping a network as one ONNX file: its dials a live input, or fixed for good."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import re
import warnings
from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.utils._pytree import tree_leaves

from tunable_core.controls.base import Control
from tunable_core.files import write_atomically
from tunable_core.omega import OmegaLike, one_omega
from tunable_core.outputs import Listed, output_names
from tunable_core.tunable import Tunable

TOLERANCE = 1e-5
"""Largest difference allowed between the file and the network, in units of the largest output."""
NAMES = {0: "batch", 2: "height", 3: "width"}
"""The sizes of an image [B, C, H, W] that may stay free in a file."""


class ExportError(ValueError):
    """A network cannot be exported, or the file does not answer as the network does."""


class Fixed(nn.Module):
    """A control at one omega [p], for methods that have no plain network there."""

    def __init__(self, control: Control, omega: Tensor) -> None:
        super().__init__()
        self.control = control
        self.register_buffer("omega", omega)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, 3, H, W] to the output image; its values are not checked."""
        return self.control.tuned(x, self.omega)


def dials(net: nn.Module) -> int | None:
    """How many dials a network has; None for a plain one."""
    if isinstance(net, Tunable):
        return net.p
    return net.num_objectives if isinstance(net, Control) else None


def fixed(net: nn.Module, omega: OmegaLike) -> nn.Module:
    """The network with its dials fixed at omega [p]: plain where its method allows it, else a wrapper.

    Raises ValueError for an omega that is none, or for a network without dials.
    """
    p = dials(net)
    if p is None:
        raise ValueError(f"{type(net).__name__} has no dials to fix; leave omega out")
    omega = one_omega(omega, p)
    try:
        return net.at(omega)
    except NotImplementedError:
        return Fixed(net, omega.to(next(net.parameters()))).train(net.training)


def export(
    net: nn.Module,
    path: str | Path,
    omega: OmegaLike | None = None,
    *,
    sample: Tensor | None = None,
    free: Collection[str] = tuple(NAMES.values()),
) -> Path:
    """Write a network as an ONNX file.

    net: a Tunable, a Control or a plain network; it is left as it is.
    omega: None keeps the dials of a net that has them: the file takes `image` [B, C, H, W] and `omega`
        [p], both float32, and mixes the kernels itself at each call; the range of omega is the caller's
        to check. An omega [p] fixes them, and the file holds an ordinary network with `image` alone.
    sample: an image [B, C, H, W] that net accepts, to trace it with; default [2, 3, 33, 50] or, for a
        network that takes no odd sides, [2, 3, 32, 48]. Odd sides show how the network pads.
    free: of "batch", "height" and "width" those that stay free; the others are the sample's. SwinIR's
        code counts on the batch, so ("height", "width") there.
    The file's output is called `output`; where the network gives a tuple, list or dict of tensors, the
    outputs are `output_KEY`, such as `output_0` or `output_logits`.
    The file is compared with the network in onnxruntime, at several omegas and all sizes near the
    sample's that the network takes, to TOLERANCE, and put in place only then, whole.
    Raises ExportError for a network that does not run on one image alone, that torch.export cannot
    trace, or whose file answers differently; ValueError for a bad omega, sample or free; ImportError
    without onnxscript or onnxruntime.
    """
    _check_installed()
    kind, free = type(net).__name__, _axes(free)
    net = copy.deepcopy(net if omega is None else fixed(net, omega)).cpu().eval()
    kinds = {p.dtype for p in net.parameters()} - {torch.float32}
    if kinds:
        raise ValueError(f"exported networks are float32; this one holds {kinds.pop()} (net.float())")
    p = dials(net)
    omegas = [()] if p is None else [(o,) for o in (*torch.eye(p), torch.linspace(0.2, 0.9, p))]
    image = _sample(net, sample, free, omegas[-1])
    inputs = (image, *omegas[-1])
    names = _output_names(net, inputs, kind)
    if names != ["output"]:
        net = Listed(net)
    content = _converted(_traced(net, inputs, kind, free), kind, names, _turns(p, omega), free)
    if _difference(content, net, [inputs]) == float("inf"):
        raise ExportError(f"{kind}: the file fails in onnxruntime on the sample; nothing was written")
    images = [x for x in _near(image, free) if x is image or _takes(net, x, omegas[-1])]
    difference = _difference(content, net, [(x, *o) for x in images for o in omegas])
    if difference == float("inf"):
        raise ExportError(
            f"{kind}: what the network does at other sizes of images fails in the file (trace it with a "
            f"sample= that the network has to pad); nothing was written"
        )
    if not difference <= TOLERANCE:  # also refuses NaN
        raise ExportError(
            f"{kind}: the exported file differs from the network by {difference:.2g} of its largest "
            f"output, more than {TOLERANCE:g}; nothing was written"
        )
    write_atomically(Path(path), content)
    return Path(path)


def _check_installed() -> None:
    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"export needs the package {error.name}: pip install 'tunable-core[export]'"
        ) from error


def _axes(free: Collection[str]) -> dict[int, str]:
    unknown = [name for name in free if name not in NAMES.values()]
    if unknown or isinstance(free, str):
        raise ValueError(f"free must be some of {', '.join(NAMES.values())}; got {free!r}")
    return {axis: name for axis, name in NAMES.items() if name in free}


def _sample(net: nn.Module, sample: Tensor | None, free: dict[int, str], omega: tuple) -> Tensor:
    batch = 2 if 0 in free else 1  # a batch of 1 that is free would be kept as 1
    if sample is None:
        odd, even = (_noise(batch, 3, *sides) for sides in ((33, 50), (32, 48)))
        return odd if _takes(net, odd, omega) else even
    if sample.ndim != 4 or not sample.is_floating_point() or not sample.numel():
        raise ValueError(
            f"sample must be a floating-point image [B, C, H, W]; got {sample.dtype} "
            f"{list(sample.shape)}"
        )
    sample = sample.detach().cpu().float()
    return sample.repeat(2, 1, 1, 1) if len(sample) < batch else sample


def _noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def _near(image: Tensor, free: dict[int, str]) -> list[Tensor]:
    """The sample, and images of other sizes that are free."""
    batch, channels, height, width = image.shape
    others = [(1, width, height), *((batch, height + i, width + 4 - i) for i in range(1, 5))]
    shapes = {
        (b if 0 in free else batch, channels, h if 2 in free else height, w if 3 in free else width)
        for b, h, w in others
    }
    return [image, *(_noise(*shape) for shape in sorted(shapes - {tuple(image.shape)}))]


def _takes(net: nn.Module, image: Tensor, omega: tuple) -> bool:
    try:
        with _quietly(), torch.no_grad():
            net(image, *omega)
    except Exception:  # whatever its code raises for a size that it does not take
        return False
    return True


def _output_names(net: nn.Module, inputs: tuple[Tensor, ...], kind: str) -> list[str]:
    try:
        with _quietly():
            return output_names(net, inputs)
    except Exception as error:  # whatever its code raises
        raise ExportError(
            f"{kind} cannot be exported with the sample, an image {list(inputs[0].shape)}: "
            f"'{_first_line(error)}' (pass sample= an image that it takes; the file of a network has no "
            f"other inputs but its dials, and one output or several)"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _turns(p: int | None, omega: OmegaLike | None) -> str:
    """What a reader of the file should know of its dials."""
    if p is not None:
        return f"input [{p}] in [0, 1]"
    if omega is None:
        return "none"
    return "fixed at (" + ", ".join(f"{value:g}" for value in torch.as_tensor(omega).tolist()) + ")"


def _traced(
    net: nn.Module, inputs: tuple[Tensor, ...], kind: str, free: dict[int, str]
) -> ExportedProgram:
    shapes = (dict.fromkeys(free, Dim.DYNAMIC), *(None for _ in inputs[1:]))
    try:
        with _quietly(), torch.no_grad():
            return torch.export.export(net, inputs, dynamic_shapes=shapes, strict=False)
    except Exception as error:  # torch.export raises many kinds
        form = "with live dials" if len(inputs) > 1 else "as a plain network"
        reason = f"torch.export says '{_first_line(error)}'"
        if type(error).__name__ == "GuardOnDataDependentSymNode":
            reason = "its way through the network depends on the value of a dial"
        elif "Constraints violated" in reason:
            bound = {int(axis) for axis in re.findall(r"size\(\)\[(\d)\]", reason)} & set(free) or free
            rest = tuple(name for axis, name in free.items() if axis not in bound)
            reason = f"its code counts on the {' and '.join(free[axis] for axis in bound)} of the image"
            reason += f" (free={rest} keeps the sample's)"
        raise ExportError(f"{kind} cannot be exported {form}: {reason}") from error


def _converted(
    traced: ExportedProgram, kind: str, names: list[str], turns: str, free: dict[int, str]
) -> bytes:
    """The ONNX file, without the traces of source files that torch leaves in every node."""
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    inputs = len(traced.graph_signature.user_inputs)
    try:
        with _quietly():
            program = torch.onnx.export(
                traced,
                dynamo=True,
                verbose=False,
                input_names=["image", "omega"][:inputs],
                output_names=names,
                dynamic_shapes=(free, None)[:inputs] if free else None,
            )
    except Exception as error:  # torch.onnx raises many kinds
        cause = error.__cause__ or error
        raise ExportError(f"{kind} cannot be converted to ONNX: '{_first_line(cause)}'") from error
    ClearMetadataAndDocStringPass()(program.model)
    program.model.metadata_props["omega"] = turns
    return program.model_proto.SerializeToString()


def _difference(content: bytes, net: nn.Module, cases: list[tuple[Tensor, ...]]) -> float:
    """Largest difference of file and network on these inputs, in units of the largest output."""
    from onnxruntime import InferenceSession, SessionOptions

    session, options = None, SessionOptions()
    options.log_severity_level = 4  # failures are reported as an infinite difference
    apart = []
    for inputs in cases:
        with torch.no_grad():
            outputs = tree_leaves(net(*inputs))
        try:
            session = session or InferenceSession(content, options, providers=["CPUExecutionProvider"])
            names = [node.name for node in session.get_inputs()]
            found = session.run(None, {n: v.numpy() for n, v in zip(names, inputs, strict=True)})
        except Exception:  # onnxruntime has a dozen of its own
            return float("inf")
        for value, expected in zip(found, outputs, strict=True):
            if value.shape != tuple(expected.shape):
                return float("inf")
            expected = expected.double()
            largest = (torch.from_numpy(value).double() - expected).abs().max()
            apart.append(largest / expected.abs().max().clamp(1))
    return torch.stack(apart).max().item()  # NaN where one is


@contextlib.contextmanager
def _quietly():
    """Without the exporter's notes to its own developers; errors still come through."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
