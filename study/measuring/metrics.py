"""Image metrics: [B, 3, H, W] images in [0, 1] to one number per image, [B].

All raise ValueError for images that are not an RGB batch, differ in size, are too small, contain NaN or
infinity, or exceed [0, 1] by more than noise explains (as images in [0, 255] or [-1, 1] do).
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from study.images.degradations import high_pass
from study.measuring import niqe as naturalness
from study.networks.torchvision_import import import_torchvision
from study.tasks import weights

LPIPS_LEAST = 31
"""Smallest side in pixels that AlexNet's pooling allows."""
BLOCK = 16
"""Side in pixels of the areas whose means distinguish noise from a wrong range."""


def psnr(output: Tensor, target: Tensor, *, clip: bool = True, crop: int = 0) -> Tensor:
    """Peak signal-to-noise ratio in dB, peak 1, over all pixels and channels: [B].

    clip: clip both images to [0, 1] first (the convention of Table 1, in floating point, no rounding);
    crop: border in pixels left out. Equal images give inf.
    """
    output, target = checked("psnr", crop=crop, output=output, target=target)
    if clip:
        output, target = output.clamp(0, 1), target.clamp(0, 1)
    error = (output.double() - target.double()).square().flatten(1).mean(1)
    return (-10 * torch.log10(error)).float()


def ssim(output: Tensor, target: Tensor, *, crop: int = 0) -> Tensor:
    """Structural similarity in [-1, 1]: 11 x 11 Gaussian of sigma 1.5, mean over RGB: [B].

    Wang et al. 2004 through scikit-image, images clipped to [0, 1], K1 = 0.01, K2 = 0.03.
    """
    from skimage.metrics import structural_similarity  # it takes half a second, and few sweeps have SSIM

    output, target = checked("ssim", least=11, crop=crop, output=output, target=target)
    images = [x.clamp(0, 1).double().cpu().numpy() for x in (output, target)]
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    values = [
        structural_similarity(a, b, data_range=1.0, channel_axis=0, **settings)
        for a, b in zip(*images, strict=True)
    ]
    return torch.from_numpy(np.array(values, dtype=np.float32))


def kept_fraction(output: Tensor, clean: Tensor, degraded: Tensor) -> Tensor:
    """Share f of the noise that the output keeps: [B].

    Least-squares slope of (output - clean) on (degraded - clean), nothing clipped. It is 1 for the
    noisy input, 0.9 for full noise preservation, and a little over 0 for a good denoiser, whose error
    is correlated with the noise. Raises ValueError if there is no noise.
    """
    output, clean, degraded = checked("kept_fraction", output=output, clean=clean, degraded=degraded)
    noise = (degraded.double() - clean.double()).flatten(1)
    power = noise.square().sum(1)
    if (power == 0).any():
        raise ValueError("kept_fraction needs a noisy input; degraded equals clean")
    kept = (output.double() - clean.double()).flatten(1)
    return ((kept * noise).sum(1) / power).float()


def detail_gain(output: Tensor, clean: Tensor) -> Tensor:
    """Strength of the clean image's detail in the output: [B].

    Least-squares slope of the output's high pass (degradations.high_pass) on the clean image's, nothing
    clipped. It is 1 for the clean image, less for a blurred one, 1 + gamma for one sharpened by gamma;
    noise does not change its expected value. Raises ValueError for a flat image.
    """
    output, clean = checked("detail_gain", least=5, output=output, clean=clean)
    a, b = (high_pass(image).flatten(1).double() for image in (output, clean))
    power = b.square().sum(1)
    if (power < 1e-12).any():
        raise ValueError("detail_gain needs an image with detail; clean is flat")
    return ((a * b).sum(1) / power).float()


def lpips(output: Tensor, target: Tensor) -> Tensor:
    """Perceptual distance of Zhang et al. 2018, version 0.1 with AlexNet, 0 for equal images: [B].

    Over the whole image, clipped to [0, 1] first; no gradient. AlexNet comes from weights.py, which
    raises datasets.MissingData if it is missing.
    """
    output, target = checked("lpips", least=LPIPS_LEAST, output=output, target=target)
    network = _lpips_network(output.device)
    with torch.no_grad(), torch.autocast(output.device.type, enabled=False):
        return network(*(2 * x.float().clamp(0, 1) - 1 for x in (output, target))).flatten()


@functools.cache
def _lpips_network(device: torch.device) -> torch.nn.Module:
    """The network with AlexNet's convolutions, built once per device; random states are not changed."""
    convolutions = weights.load("alexnet")
    import_torchvision()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"torchvision\.models")  # lpips uses its old arguments
        from lpips import LPIPS

        network = LPIPS(net="alex", pnet_rand=True, verbose=False)
    own = network.net.state_dict()  # "slice2.3.weight" is layer 3 of AlexNet
    network.net.load_state_dict({key: convolutions[key.partition(".")[2]] for key in own})
    return network.requires_grad_(False).eval().to(device)


def niqe(output: Tensor) -> Tensor:
    """Naturalness without a reference, 0 or more, lower is better, about 3 for photographs: [B].

    Mittal et al. 2013, see niqe.py: Y, rounded, blocks of 96 x 96. The model comes from weights.py,
    which raises datasets.MissingData if it is missing.
    """
    (output,) = checked("niqe", least=naturalness.BLOCK, output=output)
    with torch.no_grad(), torch.autocast(output.device.type, enabled=False):
        return naturalness.distance(output, _niqe_model()).float()


@functools.cache
def _niqe_model() -> dict[str, Tensor]:
    return weights.load("niqe")


def checked(metric: str, *, least: int = 1, crop: int = 0, **images: Tensor) -> list[Tensor]:
    """The images without a border of `crop` pixels, checked for a metric.

    A network's output may overshoot [0, 1], but values of 100 or more are taken for grey levels.
    """
    shapes = {name: list(image.shape) for name, image in images.items()}
    for name, image in images.items():
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"{name} must be [B, 3, H, W]; got shape {shapes[name]}")
    if len({tuple(shape) for shape in shapes.values()}) > 1:
        listed = " and ".join(map(str, shapes.values()))
        raise ValueError(f"images must have one shape; got {listed} (crop the larger one)")
    beyond = []
    for name, image in images.items():
        values = image.abs() if image.is_complex() else image
        low, high = (v.item() for v in values.aminmax()) if image.numel() else (0, 0)
        if not math.isfinite(high - low):
            raise ValueError(f"the {name} holds NaN or infinity, so the metric is undefined")
        reach = max(-low, high)
        if reach > (100 if name == "output" else 4):
            raise ValueError(f"images must be in [0, 1]; the {name} reaches {reach:g} (divide by 255?)")
        if not image.is_floating_point():
            raise ValueError(f"{name} must be floating-point; got {image.dtype} (x.float() / 255)")
        if low < 0 or high > 1:
            beyond.append(name)
    _check_areas(images, beyond)
    size = shapes[name][-2:]
    if crop and min(size) <= 2 * crop:
        raise ValueError(f"a crop of {crop} leaves nothing of {size}")
    size = [side - 2 * crop for side in size]
    if min(size) < least:
        raise ValueError(
            f"{metric} needs images of at least {least} x {least}; got {size} (take larger crops)"
        )
    return [x[..., crop : x.shape[-2] - crop, crop : x.shape[-1] - crop] for x in images.values()]


def _check_areas(images: dict[str, Tensor], beyond: Sequence[str]) -> None:
    """Refuse images of which whole areas, not only single pixels, are outside [0, 1]: as in [-1, 1].

    beyond: the names of those with pixels outside.
    """
    way = "more than noise explains (from [-1, 1]: (x + 1) / 2)"
    for name in beyond:
        image = images[name]
        if name == "output":
            if _from_minus_1_to_1(image, images.get("target", images.get("clean"))):
                raise ValueError(f"images must be in [0, 1]; the output lies in [-1, 1], {way}")
        elif (excess := _beyond_noise(image).max().item()) > 0:
            raise ValueError(
                f"images must be in [0, 1]; a whole area of the {name} is {excess:.2g} outside, {way}"
            )


def _beyond_noise(image: Tensor) -> Tensor:
    """How far an area of each image is outside [0, 1] beyond what noise explains, else 0: [B].

    Noise can change a pixel by any amount, but the mean of n pixels only by about its standard
    deviation over sqrt(n). The mean of an area of BLOCK x BLOCK may exceed the range by 5 such standard
    errors, from the area's own deviation and at least that of sigma = 75, plus 0.05 for the undershoot
    of resampling. Images in [-1, 1] have dark areas far below 0; without them they are not detected.
    """
    side = min(BLOCK, *image.shape[-2:])
    x = image.detach().float()
    mean = F.avg_pool2d(x, side)
    deviation = (F.avg_pool2d(x.square(), side) - mean.square()).clamp(min=0).sqrt()
    excess = torch.maximum(-mean, mean - 1)
    noise = 0.05 + 5 * deviation.clamp(min=75 / 255) / side
    return torch.where(excess > noise, excess, 0).flatten(1).amax(1)


def _from_minus_1_to_1(output: Tensor, reference: Tensor | None) -> bool:
    """Whether an output is certainly in [-1, 1]; a poor network's output may have any range.

    With a reference: (output + 1) / 2 is much closer to it than the output, and than its mean colour.
    Without one: the output stays within [-1, 1] and has an area with a mean below -0.5.
    """
    x = output.detach().float()
    if reference is None:
        dark = F.avg_pool2d(x, min(BLOCK, *x.shape[-2:])).amin() < -0.5
        return bool(dark and x.abs().max() <= 1)
    y = reference.detach().float()
    moved, given = (((a - y) ** 2).flatten(1).mean(1) for a in ((x + 1) / 2, x))
    better = moved < torch.minimum(given, y.flatten(1).var(1)) / 2
    return bool((better & (_beyond_noise(x) > 0)).any())
