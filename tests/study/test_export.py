"""Export to one file, with the dials as an input or fixed; its outputs agree with the network's."""

import copy
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime.quantization import quantize_dynamic
from torch import nn

import tunable_core
from study.controls import DNIConfig, TunableConfig
from study.controls.blend import Blend
from study.networks.third_party import NAFNetConfig, SwinIRConfig
from tunable_core import Tunable
from tunable_core import onnx as shipping
from tunable_core.onnx import ExportError
from tunable_photo.resnet import ResNetConfig

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("exporter")]

OMEGA = [0.3, 0.8]


def trained(model):
    """The model as if trained: no bias, and no weight of its phi, at its initial value."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def network():
    return ResNetConfig(1, 4).build()


class File:
    """An exported file, the network it was made of, and how the two are asked."""

    def __init__(self, path, model, omega=None):
        self.path, self.model, self.omega = path, model, omega
        shipping.export(model, path, omega)
        self.content = path.read_bytes()
        self.graph = onnx.load_from_string(self.content).graph
        self.session = onnxruntime.InferenceSession(self.content, providers=["CPUExecutionProvider"])

    def __call__(self, *inputs):
        names = [node.name for node in self.session.get_inputs()]
        feed = {name: value.numpy() for name, value in zip(names, inputs, strict=True)}
        return torch.from_numpy(self.session.run(None, feed)[0])

    def inputs(self):
        return {node.name: (node.type, node.shape) for node in self.session.get_inputs()}

    def stored(self):
        return {tensor.name: tuple(tensor.dims) for tensor in self.graph.initializer}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture(scope="module")
def live(folder):
    return File(folder / "live.onnx", trained(TunableConfig().build(network(), 2)))


@pytest.fixture(scope="module")
def fixed(folder, live):
    return File(folder / "fixed.onnx", live.model.network, OMEGA)


def same(output, expected):
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-5)


# What the file answers


@pytest.mark.parametrize("shape", [(1, 3, 17, 40), (3, 3, 64, 9)])
@pytest.mark.parametrize("omega", [[1.0, 0.0], [0.0, 0.0], OMEGA])
@torch.no_grad()
def test_a_live_file_answers_as_the_control_at_any_size_and_omega(live, shape, omega):
    image = torch.rand(shape)
    same(live(image, torch.tensor(omega)), live.model(image, omega))


@pytest.mark.parametrize("enlargement", ["shuffle", "balanced", "mean", "nearest"])
@torch.no_grad()
def test_a_live_file_enlarges_as_its_network_does(folder, enlargement):
    plain = ResNetConfig(1, 4, image_skip=True, scale=4, enlargement=enlargement).build()
    file = File(folder / f"{enlargement}.onnx", trained(TunableConfig().build(plain, 2)))
    image = torch.rand(1, 3, 9, 14)
    assert file(image, torch.tensor(OMEGA)).shape == (1, 3, 36, 56)
    same(file(image, torch.tensor(OMEGA)), file.model(image, OMEGA))


@torch.no_grad()
def test_the_live_dial_turns(live):
    image = torch.rand(1, 3, 16, 16)
    one, other = (live(image, torch.tensor(omega)) for omega in ([1.0, 0.0], [0.0, 1.0]))
    assert (one - other).abs().max() > 1e-3


def test_a_live_file_takes_an_image_and_the_dials_in_float32(live):
    assert live.inputs() == {
        "image": ("tensor(float)", ["batch", 3, "height", "width"]),
        "omega": ("tensor(float)", [2]),
    }


def test_the_kernels_are_mixed_inside_a_live_file(live):
    stored = live.stored()
    banks = [dims[-2:] for dims in stored.values()]
    assert (2, 4 * 3 * 3 * 3) in banks  # of the first layer, a row for each kernel
    kernels = {node.input[1] for node in live.graph.node if node.op_type == "Conv"}
    assert len(kernels) == 4
    assert not kernels & stored.keys()


@pytest.mark.parametrize("shape", [(1, 3, 17, 40), (3, 3, 64, 9)])
@torch.no_grad()
def test_a_fixed_file_answers_as_the_network_at_its_omega(fixed, shape):
    image = torch.rand(shape)
    same(fixed(image), fixed.model(image, OMEGA))


def test_a_fixed_file_is_a_plain_network(fixed):
    assert list(fixed.inputs()) == ["image"]
    assert all(len(dims) < 5 for dims in fixed.stored().values())
    kernels = {node.input[1] for node in fixed.graph.node if node.op_type == "Conv"}
    assert kernels <= fixed.stored().keys()


def test_a_file_says_what_became_of_the_dials(live, fixed):
    summary = [
        {entry.key: entry.value for entry in onnx.load_from_string(file.content).metadata_props}
        for file in (live, fixed)
    ]
    assert summary == [{"omega": "input [2] in [0, 1]"}, {"omega": "fixed at (0.3, 0.8)"}]


def test_a_file_is_valid_and_names_no_source_file(live, fixed):
    for file in (live, fixed):
        onnx.checker.check_model(file.content, full_check=True)
        assert str(Path(tunable_core.__file__).parent).encode() not in file.content
        assert b"stack_trace" not in file.content


MAPS = {
    "enlarges": nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)),
    "strided": nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ConvTranspose2d(8, 6, 4, 2, padding=1, groups=2)
    ),
}


@pytest.mark.parametrize("name", MAPS)
@torch.no_grad()
def test_a_map_of_dials_is_a_live_input_of_any_size(tmp_path, name):
    """tests/photo/test_editors.py has a ResNet."""
    model = trained(Tunable(MAPS[name], p=2))
    shipping.export(model, tmp_path / "map.onnx", "map")
    session = onnxruntime.InferenceSession(tmp_path / "map.onnx")
    assert {node.name: node.shape for node in session.get_inputs()} == {
        "image": ["batch", 3, "height", "width"],
        "omega": ["batch", 2, "height", "width"],
    }
    for shape in ((1, 20, 12), (3, 9, 64)):
        image, omega = (torch.rand(shape[0], channels, *shape[1:]) for channels in (3, 2))
        output = session.run(None, {"image": image.numpy(), "omega": omega.numpy()})[0]
        same(torch.from_numpy(output), model(image, omega))


@pytest.mark.parametrize(("net", "omega"), [(network(), "map"), (Tunable(network(), p=2), "pixels")])
def test_only_networks_with_dials_are_exported_with_a_map(tmp_path, net, omega):
    with pytest.raises(ValueError, match='omega must be None, "map" or one omega'):
        shipping.export(net, tmp_path / "net.onnx", omega)


@torch.no_grad()
def test_a_control_without_a_plain_network_is_exported_at_an_omega_too(tmp_path):
    control = Blend(trained(network()))
    image = torch.rand(1, 3, 20, 30)
    same(File(tmp_path / "blend.onnx", control, OMEGA)(image), control(image, OMEGA))


PADDED = {
    "swinir": (SwinIRConfig(12, (2,), heads=2, window=4), ("height", "width")),
    "nafnet": (NAFNetConfig(4, (1,), 1, (1,)), tuple(shipping.NAMES.values())),
}
"""tests/browser/test_live_page.py has the style network."""


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize("name", PADDED)
@torch.no_grad()
def test_networks_that_pad_are_exported_with_live_dials_and_any_size(tmp_path, name):
    config, free = PADDED[name]
    model = trained(Tunable(config.build(), p=2))
    shipping.export(model, tmp_path / "net.onnx", free=free)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    omega = torch.tensor(OMEGA)
    for sides in ((17, 40), (64, 9), (24, 36)):  # with two borders, one and none
        image = torch.rand(3 if "batch" in free else 1, 3, *sides)
        output = session.run(None, {"image": image.numpy(), "omega": omega.numpy()})[0]
        same(torch.from_numpy(output), model(image, omega))


class ImageByImage(nn.Module):
    """A network with a loop over the images of its batch, which an export unrolls."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return torch.cat([self.conv(image[None]) for image in x])


def test_a_network_that_depends_on_the_batch_is_refused_and_the_refusal_says_so(tmp_path):
    model = Tunable(ImageByImage(), p=2)
    refusal = r"depends on the batch of the image \(pass free=\('height', 'width'\) to fix it"
    with pytest.raises(ExportError, match=refusal) as raised:
        shipping.export(model, tmp_path / "net.onnx")
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


@torch.no_grad()
def test_a_plain_network_is_exported_with_a_sample_of_its_channels(tmp_path):
    plain, image = nn.Conv2d(1, 2, 3, padding=1), torch.rand(1, 1, 20, 30)
    shipping.export(plain, tmp_path / "plain.onnx", sample=image)
    session = onnxruntime.InferenceSession(tmp_path / "plain.onnx")
    image = torch.rand(3, 1, 9, 12)
    same(torch.from_numpy(session.run(None, {"image": image.numpy()})[0]), plain(image))


@pytest.mark.parametrize("form", ["live", "fixed"])
@torch.no_grad()
def test_both_forms_go_through_torch_export(form):
    model = trained(Tunable(network(), p=2))
    module, omega = (model, (torch.tensor(OMEGA),)) if form == "live" else (model.at(OMEGA), ())
    free = {0: torch.export.Dim("batch"), 2: torch.export.Dim("height"), 3: torch.export.Dim("width")}
    shapes = (free, *(None for _ in omega))
    program = torch.export.export(module, (torch.rand(2, 3, 16, 24), *omega), dynamic_shapes=shapes)
    image = torch.rand(1, 3, 20, 12)
    same(program.module()(image, *omega), model(image, OMEGA))


# Networks of several outputs


class Several(nn.Module):
    """A dict of a tensor and a list, with nothing in one place."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        y = self.layer(x)
        return {"logits": y, "aux": [2 * y, None, y.mean((2, 3))]}


@torch.no_grad()
def test_a_structure_of_outputs_is_exported_under_the_names_of_its_keys(tmp_path):
    model = trained(Tunable(Several(), p=2))
    shipping.export(model, tmp_path / "several.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "several.onnx")
    image = torch.rand(3, 3, 17, 20)
    names = [node.name for node in session.get_outputs()]
    assert names == ["output_logits", "output_aux_0", "output_aux_2"]
    found = session.run(None, {"image": image.numpy(), "omega": np.float32(OMEGA)})
    expected = model(image, OMEGA)
    for value, truth in zip(found, (expected["logits"], *expected["aux"][::2]), strict=True):
        same(torch.from_numpy(value), truth)


@dataclass
class Answer:
    logits: torch.Tensor


class Wrapped(Several):
    def forward(self, x):
        return Answer(self.layer(x))


class Prompted(Several):
    def forward(self, x, timestep):
        return self.layer(x) + timestep


@pytest.mark.parametrize(
    ("plain", "summary"),
    [
        (Wrapped(), "its output is a Answer, where a file needs a tensor"),
        (Prompted(), "missing 1 required positional argument: 'timestep'"),
        (nn.Embedding(10, 4), "Expected tensor for argument #1 'indices' .* Long"),
        (nn.Conv2d(4, 4, 3), r"image \[2, 3, 32, 48\]: .*to have 4 channels"),
    ],
    ids=["a class", "several inputs", "integers", "channels"],
)
@pytest.mark.parametrize("form", ["plain", "live", "fixed"])
def test_what_a_file_cannot_hold_is_refused_with_the_reason(tmp_path, plain, summary, form):
    net = plain if form == "plain" else Tunable(plain, p=2)
    with pytest.raises(ExportError, match=f"cannot be exported with the sample.*{summary}") as raised:
        shipping.export(net, tmp_path / "net.onnx", OMEGA if form == "fixed" else None)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


# Quantisation


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("form", ["live", "fixed"])
@torch.no_grad()
def test_a_file_can_be_quantised_as_the_book_says(tmp_path, form, live, fixed):
    """Case 19: without the type of operator, kernels that are mixed at each call are refused.

    Without reduce_range, processors that lack VNNI saturate sums of products of 8 bits.
    """
    file = {"live": live, "fixed": fixed}[form]
    options = {"op_types_to_quantize": ["MatMul"]} if form == "live" else {}
    small = tmp_path / "small.onnx"
    quantize_dynamic(file.path, small, reduce_range=True, **options)
    stored = onnx.load(small).graph.initializer
    assert any(tensor.data_type in (onnx.TensorProto.INT8, onnx.TensorProto.UINT8) for tensor in stored)
    session = onnxruntime.InferenceSession(small, providers=["CPUExecutionProvider"])
    image = torch.rand(1, 3, 20, 24)
    feed = {"image": image.numpy(), "omega": np.float32(OMEGA)}
    names = [node.name for node in session.get_inputs()]
    output = torch.from_numpy(session.run(None, {name: feed[name] for name in names})[0])
    expected = live.model(image, OMEGA)
    assert (output - expected).square().mean().sqrt() < 0.05 * expected.std()


# What is written


class Otherwise(nn.Module):
    """A convolution that answers in a file as itself, and elsewhere with `more` at some heights."""

    def __init__(self, more, heights):
        super().__init__()
        self.layer, self.more, self.heights = nn.Conv2d(3, 3, 1), more, heights

    def forward(self, x):
        y = self.layer(x)
        if torch.compiler.is_exporting():
            return y
        return y + self.more * (x.shape[2] in self.heights)


def test_a_file_that_answers_differently_is_not_written(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"old")
    refusal = r"Otherwise: the exported file differs from the network by \d.* nothing was written"
    with pytest.raises(ExportError, match=refusal):
        shipping.export(Otherwise(1.0, range(100)), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_nan_at_one_size_is_a_difference(tmp_path):
    with pytest.raises(ExportError, match=r"Otherwise: .* differs from the network by nan"):
        shipping.export(Otherwise(float("nan"), [34]), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_a_network_is_left_as_it_was(tmp_path, fixed):
    model = copy.deepcopy(fixed.model).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    shipping.export(model, tmp_path / "net.onnx", OMEGA)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_nothing_is_printed(tmp_path, fixed, capfd):
    shipping.export(fixed.model, tmp_path / "net.onnx", OMEGA)
    assert capfd.readouterr() == ("", "")


# Refusals


def test_a_control_whose_path_depends_on_a_dial_is_refused_live(tmp_path, capfd):
    control = DNIConfig().build(network(), 2)
    with pytest.raises(
        ExportError, match=r"DNI cannot be exported with live dials: its control flow .* a dial"
    ):
        shipping.export(control, tmp_path / "net.onnx")
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_a_network_of_one_size_is_refused(tmp_path):
    class OneSize(nn.Module):
        def forward(self, x):
            return x + torch.zeros(32, 48)

    with pytest.raises(
        ExportError,
        match=r"OneSize cannot be exported .* \(pass free=\('batch',\) to fix it at the sample's\)",
    ):
        shipping.export(OneSize(), tmp_path / "net.onnx")


def test_a_file_for_some_sizes_alone_is_refused(tmp_path):
    """Traced without a border, it would be wrong for every image that needs one."""

    class Bordered(nn.Module):
        def forward(self, x):
            height = x.shape[2]
            if height % 4:
                x = nn.functional.pad(x, (0, 0, 0, -height % 4))
            return nn.functional.avg_pool2d(x, (4, 1))

    path, even = tmp_path / "net.onnx", torch.rand(2, 3, 32, 48)
    refusal = r"fails in onnxruntime on an image .* \(if it pads that image, pass a sample="
    with pytest.raises(ExportError, match=refusal):
        shipping.export(Bordered(), path, sample=even)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("free", ["height", ("width", "depth")])
def test_sizes_that_an_image_does_not_have_are_refused(tmp_path, free):
    with pytest.raises(ValueError, match="free must be some of batch, height, width; got"):
        shipping.export(network(), tmp_path / "net.onnx", free=free)


@torch.no_grad()
def test_the_sizes_of_the_sample_are_kept_when_asked(tmp_path):
    plain, image = nn.Conv2d(3, 2, 3), torch.rand(1, 3, 9, 12)
    shipping.export(plain, tmp_path / "net.onnx", sample=image, free=())
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    assert session.get_inputs()[0].shape == [1, 3, 9, 12]
    same(torch.from_numpy(session.run(None, {"image": image.numpy()})[0]), plain(image))


@pytest.mark.parametrize("package", ["onnxruntime", "onnxscript"])
def test_a_missing_package_is_named_with_the_way_to_get_it(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ImportError, match=rf"needs the package {package}: pip install 'tunable-core\[ex"
    ):
        shipping.export(network(), tmp_path / "net.onnx")


def test_a_network_in_another_precision_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"float32; this one holds torch.float64 \(net.float\(\)\)"):
        shipping.export(network().double(), tmp_path / "net.onnx")


def test_dials_of_a_plain_network_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"omega must be .* None for a network without dials; got"):
        shipping.export(network(), tmp_path / "net.onnx", OMEGA)


def test_an_omega_out_of_range_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"got 1\.3 in position 2"):
        shipping.export(Tunable(network(), p=2), tmp_path / "net.onnx", [0.2, 1.3])


def test_a_sample_that_is_no_image_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"sample must be .* \[B, C, H, W\]; got torch.float32 \[3, 8\]"
    ):
        shipping.export(network(), tmp_path / "net.onnx", sample=torch.rand(3, 8))
