"""Export a network as one ONNX file, with its dials as an input or fixed."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import re
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.utils._pytree import tree_flatten_with_path, tree_leaves

from tunable_core.checks import needed
from tunable_core.files import write_atomically
from tunable_core.omega import OmegaLike
from tunable_core.tunable import Tunable

TOLERANCE = 1e-5
"""Largest difference allowed between the file and the network, in units of the largest output."""
NAMES = {0: "batch", 2: "height", 3: "width"}
"""The sizes of an image [B, C, H, W] that may vary in a file."""


class ExportError(ValueError):
    """A network cannot be exported, or the outputs of the file differ from the network's."""


def dials(net: nn.Module) -> int | None:
    """How many dials a network has; None for a plain one.

    Besides Tunable, networks with dials are those with an attribute num_objectives, their number, and
    at(omega), the network at one omega [p].
    """
    return net.p if isinstance(net, Tunable) else getattr(net, "num_objectives", None)


def export(
    net: nn.Module,
    path: str | Path,
    omega: OmegaLike | Literal["map"] | None = None,
    *,
    sample: Tensor | None = None,
    free: Collection[str] = tuple(NAMES.values()),
) -> Path:
    """Write a network as an ONNX file.

    net: a Tunable, another network with dials (see dials()) or a plain one; it is not changed.
    omega: None keeps the dials of a net that has them: the file takes `image` [B, C, H, W] and `omega`
        [p], both float32, and mixes the kernels at each call without checking the range of omega.
        "map" gives every pixel its own dials: the file's `omega` is [B, p, H, W], for networks that
        accept a map (pixels.per_pixel). An omega [p] fixes the dials, and the file holds an ordinary
        network with `image` alone.
    sample: an image [B, C, H, W] that net accepts, to trace it with; default [2, 3, 33, 50] or, for a
        network that takes no odd sides, [2, 3, 32, 48]. Odd sides make the trace include the padding.
    free: which of "batch", "height" and "width" may vary in the file; the others are fixed at the
        sample's. SwinIR needs ("height", "width"), since its code depends on the batch size.
    The file's output is called `output`; where the network gives a tuple, list or dict of tensors, the
    outputs are `output_KEY`, such as `output_0` or `output_logits`.
    The file is compared with the network in onnxruntime, to TOLERANCE, at several omegas and at all
    sizes near the sample's that the network accepts; only then is it written.
    Raises ExportError for a network that does not run on one image alone, that torch.export cannot
    trace, or whose file gives other outputs; ValueError for a bad omega, sample or free; ImportError
    without onnxscript or onnxruntime.
    """
    for package in ("onnxruntime", "onnxscript"):
        needed(package, "export needs", "'tunable-core[export]'")
    kind, axes, pixels = type(net).__name__, _axes(free), isinstance(omega, str)
    p = dials(net)
    if (pixels and omega != "map") or (p is None and omega is not None):
        raise ValueError(
            f'omega must be None, "map" or one omega [p], and None for a network without dials; got '
            f"{omega!r} for {kind}"
        )
    sizes = ", height, width" if pixels else ""
    turns = "none" if p is None else f"input [{'batch, ' * pixels}{p}{sizes}] in [0, 1]"
    if omega is not None and not pixels:
        net, p = cast(Any, net).at(omega), None
        turns = f"fixed at ({', '.join(f'{v:g}' for v in torch.as_tensor(omega).tolist())})"
    net = copy.deepcopy(net).cpu().eval()
    kinds = {parameter.dtype for parameter in net.parameters()} - {torch.float32}
    if kinds:
        raise ValueError(f"exported networks are float32; this one holds {kinds.pop()} (net.float())")

    def cases(image: Tensor) -> list[tuple[Tensor, ...]]:
        if p is None:
            return [(image,)]
        if pixels:
            return [(image, _noise(len(image), p, *image.shape[2:]))]
        return [(image, o) for o in (*torch.eye(p), torch.linspace(0.2, 0.9, p))]

    image = _sample(net, sample, axes, cases)
    inputs = cases(image)[-1]
    names = _output_names(net, inputs, kind)
    program = _file(net, inputs, kind, names, axes)
    program.model.metadata_props["omega"] = turns
    content = program.model_proto.SerializeToString()
    others = [x for x in _near(image, axes) if _takes(net, cases(x)[-1])]
    _compare(content, net, [case for x in (image, *others) for case in cases(x)], kind)
    write_atomically(Path(path), content)
    return Path(path)


def _axes(free: Collection[str]) -> dict[int, str]:
    unknown = [name for name in free if name not in NAMES.values()]
    if unknown or isinstance(free, str):
        raise ValueError(f"free must be some of {', '.join(NAMES.values())}; got {free!r}")
    return {axis: name for axis, name in NAMES.items() if name in free}


def _sample(
    net: nn.Module, sample: Tensor | None, free: dict[int, str], cases: Callable[[Tensor], list[tuple]]
) -> Tensor:
    batch = 2 if 0 in free else 1  # torch.export would fix a batch size of 1
    if sample is None:
        odd, even = (_noise(batch, 3, *sides) for sides in ((33, 50), (32, 48)))
        return odd if _takes(net, cases(odd)[-1]) else even
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
    """Images of sizes near the sample's, along the free axes."""
    batch, channels, height, width = image.shape
    others = [(1, width, height), *((batch, height + i, width + 4 - i) for i in range(1, 5))]
    shapes = {
        (b if 0 in free else batch, channels, h if 2 in free else height, w if 3 in free else width)
        for b, h, w in others
    }
    return [_noise(*shape) for shape in sorted(shapes - {tuple(image.shape)})]


def _takes(net: nn.Module, inputs: tuple[Tensor, ...]) -> bool:
    try:
        with _quietly(), torch.no_grad():
            net(*inputs)
    except Exception:  # any error: the network does not accept this size
        return False
    return True


def _output_names(net: nn.Module, inputs: tuple[Tensor, ...], kind: str) -> list[str]:
    """Names of the outputs: "output", or "output_KEY" for each tensor of a structure."""
    try:
        with _quietly(), torch.no_grad():
            found = {_named(path): value for path, value in tree_flatten_with_path(net(*inputs))[0]}
        for name, value in found.items():
            if not isinstance(value, Tensor | None):
                raise TypeError(
                    f"its {name} is a {type(value).__name__}, where a file needs a tensor, or a tuple, "
                    f"list or dict of tensors"
                )
    except Exception as error:  # its code may raise anything
        raise ExportError(
            f"{kind} cannot be exported with the sample, an image {list(inputs[0].shape)}: "
            f"'{_first_line(error)}' (pass as sample= an image that it accepts; an exported network has "
            f"no inputs but the image and its dials)"
        ) from error
    return [name for name, value in found.items() if value is not None]


def _named(path: tuple) -> str:
    keys = [getattr(k, "key", getattr(k, "idx", getattr(k, "name", k))) for k in path]
    return "_".join(["output", *map(str, keys)])


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _file(
    net: nn.Module, inputs: tuple[Tensor, ...], kind: str, names: list[str], free: dict[int, str]
) -> Any:
    """The ONNX program, without the source locations that torch writes into every node."""
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass, CommonSubexpressionEliminationPass

    shapes = tuple(free if x.ndim == 4 else None for x in inputs)
    dynamic = tuple(s if s is None else dict.fromkeys(s, Dim.DYNAMIC) for s in shapes)
    try:
        with _quietly(), torch.no_grad():
            traced = torch.export.export(net, inputs, dynamic_shapes=dynamic, strict=False)
    except Exception as error:  # torch.export raises many kinds
        form = "with live dials" if len(inputs) > 1 else "as a plain network"
        reason = f"torch.export says '{_first_line(error)}'"
        if type(error).__name__ == "GuardOnDataDependentSymNode":
            reason = "its control flow depends on the value of a dial"
        elif "Constraints violated" in reason:
            bound = {int(axis) for axis in re.findall(r"size\(\)\[(\d)\]", reason)} & set(free) or free
            rest = tuple(name for axis, name in free.items() if axis not in bound)
            reason = f"its code depends on the {' and '.join(free[axis] for axis in bound)} of the image"
            reason += f" (pass free={rest} to fix it at the sample's)"
        raise ExportError(f"{kind} cannot be exported {form}: {reason}") from error
    try:
        with _quietly():
            program: Any = torch.onnx.export(
                traced,
                dynamo=True,
                optimize=False,
                verbose=False,
                input_names=["image", "omega"][: len(inputs)],
                output_names=names,
                dynamic_shapes=shapes if free else None,
            )
            CommonSubexpressionEliminationPass()(program.model)  # makes optimize() ten times faster
            program.optimize()
    except Exception as error:  # torch.onnx raises many kinds
        reason = _first_line(error.__cause__ or error)
        raise ExportError(f"{kind} cannot be converted to ONNX: '{reason}'") from error
    ClearMetadataAndDocStringPass()(program.model)
    return program


def _compare(content: bytes, net: nn.Module, cases: list[tuple[Tensor, ...]], kind: str) -> None:
    """Refuse a file that fails, or gives other outputs, for inputs that the network accepts."""
    from onnxruntime import InferenceSession, SessionOptions

    session, options, largest = None, SessionOptions(), torch.zeros((), dtype=torch.float64)
    options.log_severity_level = 4  # failures become an ExportError
    for inputs in cases:
        with torch.no_grad():
            outputs = [leaf for leaf in tree_leaves(net(*inputs)) if leaf is not None]
        try:
            session = session or InferenceSession(content, options, providers=["CPUExecutionProvider"])
            names = [node.name for node in session.get_inputs()]
            found = session.run(None, {n: v.numpy() for n, v in zip(names, inputs, strict=True)})
        except Exception:  # onnxruntime raises a dozen kinds
            found = []
        if [value.shape for value in found] != [tuple(value.shape) for value in outputs]:
            raise ExportError(
                f"{kind}: the file fails in onnxruntime on an image {list(inputs[0].shape)}, which the "
                f"network accepts (if it pads that image, pass a sample= that it pads too); nothing was "
                f"written"
            )
        for value, expected in zip(found, outputs, strict=True):
            expected = expected.double()
            difference = (torch.from_numpy(value).double() - expected).abs().max()
            largest = torch.maximum(largest, difference / expected.abs().max().clamp(1))  # keeps NaN
    if not largest <= TOLERANCE:  # also refuses NaN
        raise ExportError(
            f"{kind}: the exported file differs from the network by {largest.item():.2g} of its largest "
            f"output, more than {TOLERANCE:g}; nothing was written"
        )


@contextlib.contextmanager
def _quietly():
    """Silence the exporter's messages to its own developers; errors are still raised."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
