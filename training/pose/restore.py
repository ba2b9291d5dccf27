"""The torch network again from its int8 ONNX file, to train on where no checkpoint is left.

Weights come back rounded to the 8 bits they were deployed with. Batch norms were folded into their convolutions; they are
set up anew from what the convolutions answer to some crops, so that training starts at the deployed network's answers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as fn

from training.pose.model import MBConv, ModelOptions, PoseNet, coordinate_waves

Floats = npt.NDArray[np.float32]


class _Constants:
    """The constants of a QDQ graph in full precision."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._stored = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self._made = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}

    def value(self, name: str) -> Floats | None:
        """The constant of this name, dequantised where it is stored in integers; None where it is computed."""
        if name in self._stored:
            return np.asarray(self._stored[name], np.float32)
        node = self._made.get(name)
        if node is None or node.input[0] not in self._stored:
            return None
        whole, scale, zero = (self._stored[given] for given in node.input)
        axis = next((one.i for one in node.attribute if one.name == "axis"), 1)
        shape = [1] * whole.ndim
        if scale.ndim and scale.size > 1:
            shape[axis % whole.ndim] = -1
        return np.asarray(
            (whole.astype(np.float32) - zero.astype(np.float32).reshape(shape)) * scale.reshape(shape), np.float32
        )


def restore(path: Path, crops: Floats, size: int, options: ModelOptions | None = None) -> PoseNet:
    """The network of an exported file, in evaluation mode.

    `crops` (n, 3, S, S) RGB 0..255, shrunk to the `size` in pixels that is trained at, set the statistics of the batch norms.
    Raises ValueError where the file holds another network.
    """
    graph = onnx.load(str(path)).graph
    constants, model = _Constants(graph), PoseNet(options)
    by_name = {node.name: node for node in graph.node}
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, nn.Conv2d):
                _restore_conv(model, name, module, by_name, constants)
            elif isinstance(module, nn.Linear) and not name.endswith(".place"):
                _restore_linear(name, module, by_name, constants)
            elif isinstance(module, nn.LayerNorm):
                _, block, norm = name.split(".")
                node = by_name[f"/attention.{block}/{norm}/LayerNormalization"]
                module.weight.copy_(_tensor(constants, node.input[1], module.weight))
                module.bias.copy_(_tensor(constants, node.input[2], module.bias))
        for index, block in enumerate(model.attention):
            assert isinstance(block.place, nn.Linear)
            _restore_place(block.place, constants, f"/attention.{index}/place/Gemm_output_0")
    small = fn.interpolate(torch.from_numpy(crops), size=(size, size), mode="bilinear", align_corners=False)
    return _with_statistics(model.eval(), small)


def _tensor(constants: _Constants, name: str, like: Tensor) -> Tensor:
    value = constants.value(name)
    if value is None or value.size != like.numel():
        raise ValueError(f"the file has no constant {name} of {like.numel()} values: it is another network")
    return torch.from_numpy(value.reshape(tuple(like.shape)).copy())


def _restore_conv(
    model: PoseNet, name: str, conv: nn.Conv2d, by_name: dict[str, onnx.NodeProto], constants: _Constants
) -> None:
    parent = model.get_submodule(name.rpartition(".")[0])
    path = "/" + name.replace(".", "/")
    for index in range(len(model.backbone.blocks)):
        path = path.replace(f"/blocks/{index}/", f"/blocks.{index}/")
    if isinstance(parent, nn.Sequential):  # the exporter names a member of a Sequential after both
        path = "/" + "/".join(name.split(".")[:-1]) + "/" + ".".join(name.split(".")[-2:])
    node = by_name.get(f"{path}/Conv")
    if node is None and isinstance(
        parent, MBConv
    ):  # depthwise kernels that are trained are exported without their module's name
        node = by_name[f"{path.rpartition('/')[0]}/Conv"]
    if node is None:
        raise ValueError(f"the file has no convolution {path}: it is another network")
    conv.weight.copy_(_tensor(constants, node.input[1], conv.weight))
    if conv.bias is not None:
        conv.bias.copy_(_tensor(constants, node.input[2], conv.bias))
    elif isinstance(parent, nn.Sequential):
        norm = parent[1]
        assert isinstance(norm, nn.BatchNorm2d)
        norm.weight.fill_(1.0)
        norm.bias.copy_(_tensor(constants, node.input[2], norm.bias))


def _restore_linear(name: str, linear: nn.Linear, by_name: dict[str, onnx.NodeProto], constants: _Constants) -> None:
    parts = name.split(".")
    path = "/" + (f"{parts[0]}.{parts[1]}/{parts[2]}" if parts[0] == "attention" else name)
    if f"{path}/Gemm" in by_name:
        node = by_name[f"{path}/Gemm"]
        linear.weight.copy_(_tensor(constants, node.input[1], linear.weight))
        linear.bias.copy_(_tensor(constants, node.input[2], linear.bias))
        return
    turned = _tensor(constants, by_name[f"{path}/MatMul"].input[1], linear.weight.T)
    linear.weight.copy_(turned.T)
    for given in by_name[f"{path}/Add"].input:
        if (value := constants.value(given)) is not None:
            linear.bias.copy_(torch.from_numpy(value.copy()))


def _restore_place(place: nn.Linear, constants: _Constants, name: str) -> None:
    """The file holds the layer's answers for every cell; the layer is the least-squares solution for them."""
    value = next(
        (found for suffix in ("", "_DequantizeLinear_Output") if (found := constants.value(name + suffix)) is not None), None
    )
    if value is None:
        raise ValueError(f"the file has no constant {name}: it is another network")
    side = round(len(value) ** 0.5)
    waves = coordinate_waves(side, side, torch.device("cpu"))
    design = torch.cat([waves, torch.ones(len(waves), 1)], 1)
    solved = torch.linalg.lstsq(design, torch.from_numpy(value), driver="gelsd").solution
    place.weight.copy_(solved[:-1].T)
    place.bias.copy_(solved[-1])


def _with_statistics(model: PoseNet, crops: Tensor) -> PoseNet:
    """Batch norms that normalise and scale back again: the same function, ready to be trained."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    seen: dict[nn.BatchNorm2d, list[Tensor]] = {norm: [] for norm in norms}
    for norm in norms:
        assert norm.running_var is not None
        norm.running_var.fill_(1 - norm.eps)
    hooks = [norm.register_forward_pre_hook(lambda norm, given: seen[norm].append(given[0])) for norm in norms]
    with torch.no_grad():
        model.logits(crops.contiguous(memory_format=torch.channels_last))
        for hook in hooks:
            hook.remove()
        for norm in norms:
            values = torch.cat(seen[norm])
            mean, var = values.mean((0, 2, 3)), values.var((0, 2, 3), unbiased=False)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(var)
            norm.weight.copy_(torch.sqrt(var + norm.eps))
            norm.bias.add_(mean)
    return model
