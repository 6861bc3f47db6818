"""Third-party backbones from spandrel: SwinIR, NAFNet (Sec. 4.1.1, Table 2) and Compact.

They are unchanged, except that SwinIR may end in a convolution of ours, see SwinIRConfig.upsampler.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from study.networks.torchvision_import import import_torchvision
from tunable_core.checks import check, is_count
from tunable_photo.resnet import BalancedConv2d

LIGHT, BALANCED = "pixelshuffledirect", "balanced"
NORMS = ("*norm*",)
"""Norms stay untuned in both, as in the authors' code; by name, since NAFNet has its own norm class."""


@dataclass(frozen=True)
class SwinIRConfig:
    """SwinIR (Liang et al., 2021); the defaults are the paper's for denoising."""

    embedding: int = 180
    """Channels."""
    depths: tuple[int, ...] = (6,) * 6
    """Attention layers in each residual group."""
    heads: int = 6
    """Attention heads of every layer."""
    window: int = 8
    """Side of an attention window, pixels."""
    scale: int = 1
    """Enlargement; 1 predicts a correction of the input."""
    upsampler: str = ""
    """"" for scale 1; else "pixelshuffle" (the paper's) or "pixelshuffledirect" (lightweight), and for
    scale 4 also two that give a constant image no grid: "nearest+conv", which repeats pixels, and
    "balanced", the lightweight one with a BalancedConv2d."""

    def __post_init__(self) -> None:
        shuffling = ("pixelshuffle", LIGHT)
        upsamplers = {1: ("", *shuffling), 4: (*shuffling, "nearest+conv", BALANCED)}
        fit = upsamplers.get(self.scale, shuffling)
        if self.scale not in (1, 2, 3, 4, 8) or self.upsampler not in fit:
            raise ValueError(
                f"SwinIR: scale must be 1, with no upsampler, or 2, 3, 4 or 8 with one of "
                f"{', '.join(shuffling)} (or nearest+conv or {BALANCED} for 4); got {self.scale} with "
                f"{self.upsampler!r}"
            )

    def build(self) -> nn.Module:
        """A network with fresh weights from torch's random state."""
        import_torchvision()
        from spandrel.architectures.SwinIR import SwinIR  # it imports torchvision

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.meshgrid")  # how spandrel calls it
            network = SwinIR(
                img_size=64,
                embed_dim=self.embedding,
                depths=list(self.depths),
                num_heads=[self.heads] * len(self.depths),
                window_size=self.window,
                mlp_ratio=2.0,
                drop_path_rate=0.0,
                upscale=self.scale,
                upsampler=LIGHT if self.upsampler == BALANCED else self.upsampler,
            )
        if self.upsampler == BALANCED:
            plain = network.upsample[0]
            balanced = BalancedConv2d(plain.in_channels, plain.out_channels, 3, padding=1)
            balanced.load_state_dict(plain.state_dict())
            balanced.block = self.scale**2
            network.upsample[0] = balanced
        network.register_forward_pre_hook(_check_window)
        network.config = self
        return network


@dataclass(frozen=True)
class CompactConfig:
    """SRVGGNetCompact, the small network of Real-ESRGAN (Wang et al., 2021): convolutions and PReLUs.

    It adds its output to the input, enlarged by repeating pixels. The defaults are those of
    realesr-general-x4v3, whose checkpoints Real-ESRGAN interpolates (its option -dn).
    """

    channels: int = 64
    """Channels of the features."""
    convolutions: int = 32
    """Number of convolutions between the first and the last."""
    scale: int = 4
    """Enlargement by a pixel shuffle; 1 predicts a correction of the input."""

    def __post_init__(self) -> None:
        rules = {
            f"{name} must be a whole number of at least 1": is_count(getattr(self, name))
            for name in ("channels", "convolutions", "scale")
        }
        check(self, rules)

    def build(self) -> nn.Module:
        """A network with fresh weights from torch's random state."""
        import_torchvision()
        from spandrel.architectures.Compact import Compact  # spandrel imports torchvision

        network = Compact(
            num_feat=self.channels, num_conv=self.convolutions, upscale=self.scale, act_type="prelu"
        )
        network.config = self
        return network


class Published(nn.Module):
    """A published super-resolution network for RGB, of any architecture that spandrel supports.

    path: its .safetensors or .pth file; nothing in it is executed. Spandrel pads images to sides that
    the network accepts, crops the output, and clips it to [0, 1].
    Raises ValueError for a file without such a network, or with another scale than the given one.
    """

    def __init__(self, path: str | Path, scale: int = 4) -> None:
        super().__init__()
        import_torchvision()
        from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError

        try:
            found = ModelLoader("cpu").load_from_file(path)
        except UnsupportedModelError as error:
            raise ValueError(f"{path} holds no network that spandrel supports: {error}") from error
        kind = getattr(found.architecture, "name", "?")
        if not isinstance(found, ImageModelDescriptor) or found.input_channels != 3:
            raise ValueError(f"{path} holds a {kind}, which does not take RGB images")
        if found.scale != scale:
            raise ValueError(
                f"{path} holds a {kind} of scale {found.scale}, not {scale} (pass scale={found.scale})"
            )
        self.descriptor, self.network = found, found.model.requires_grad_(False).eval()

    def forward(self, x: Tensor) -> Tensor:
        """x: [1, 3, H, W], RGB in [0, 1], to [1, 3, sH, sW] in [0, 1]."""
        return self.descriptor(x)


def _check_window(network: nn.Module, inputs: tuple) -> None:
    """Raise ValueError for an image that is too small to be padded to a window by reflection."""
    size, window = inputs[0].shape[-2:], network.window_size
    if 2 * min(size) <= window:
        raise ValueError(
            f"SwinIR with windows of {window} pixels needs images of {window // 2 + 1} pixels or more; "
            f"got {list(size)}"
        )


@dataclass(frozen=True)
class NAFNetConfig:
    """NAFNet (Chen et al., ECCV 2022); the defaults are the paper's, width 32."""

    width: int = 32
    """Channels at full resolution."""
    encoder: tuple[int, ...] = (2, 2, 4, 8)
    """Blocks at each resolution on the way down."""
    middle: int = 12
    """Blocks at the coarsest resolution."""
    decoder: tuple[int, ...] = (2, 2, 2, 2)
    """Blocks at each resolution on the way up."""

    def build(self) -> nn.Module:
        """A network with fresh weights from torch's random state."""
        import_torchvision()
        from spandrel.architectures.NAFNet import NAFNet  # it imports torchvision

        network = NAFNet(
            width=self.width,
            enc_blk_nums=list(self.encoder),
            middle_blk_num=self.middle,
            dec_blk_nums=list(self.decoder),
        )
        network.config = self
        return network
