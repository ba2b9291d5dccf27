"""From a torch model to fp32 ONNX, to statically quantised int8 ONNX, with BarnHand's metadata."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from training.common.narrow import narrow


def export_fp32(
    model: nn.Module,
    example: torch.Tensor,
    path: Path,
    *,
    input_name: str,
    output_names: Sequence[str],
    opset: int = 17,
    free: Mapping[str, Mapping[int, str]] | None = None,
) -> None:
    """Trace `model` in evaluation mode with a dynamic first axis, and others where `free` names them, and check the graph."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model = model.eval()
    axes = {name: {0: "n", **(free or {}).get(name, {})} for name in (input_name, *output_names)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter announces its successor, and what it folds
        torch.onnx.export(
            model,
            (example,),
            str(path),
            input_names=[input_name],
            output_names=list(output_names),
            dynamic_axes=axes,
            opset_version=opset,
            dynamo=False,
        )
    onnx.checker.check_model(onnx.load(str(path)))


class _Batches(CalibrationDataReader):  # type: ignore[misc]
    """Feeds calibration batches one at a time."""

    def __init__(self, input_name: str, batches: Iterable[npt.NDArray[np.float32]]) -> None:
        self._name = input_name
        self._batches: Iterator[npt.NDArray[np.float32]] = iter(batches)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


def quantise_int8(
    source: Path,
    target: Path,
    *,
    input_name: str,
    batches: Iterable[npt.NDArray[np.float32]],
    keep_fp32: Sequence[str] = (),
    op_types: Sequence[str] = ("Conv", "MatMul", "Gemm", "Add", "Mul", "Concat", "Resize", "MaxPool", "Clip", "Relu"),
    method: CalibrationMethod = CalibrationMethod.MinMax,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Static QDQ int8: per-channel symmetric weights that no processor saturates, uint8 activations with ranges from `batches`.

    Nodes whose name matches one of the `keep_fp32` patterns (as in shells) stay in fp32. Shapes are inferred and batch
    norms folded first.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        names = [node.name for node in onnx.load(str(prepared)).graph.node]
        excluded = [name for name in names if any(fnmatch(name, pattern) for pattern in keep_fp32)]
        quantize_static(
            str(prepared),
            str(target),
            _Batches(input_name, batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(op_types),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=excluded,
            calibrate_method=method,
            extra_options=dict(extra or {}),
        )
    narrow(target)


def write_metadata(path: Path, values: Mapping[str, str]) -> None:
    """Set `metadata_props` of the model at `path`, keeping others that are there."""
    model = onnx.load(str(path))
    merged = {entry.key: entry.value for entry in model.metadata_props} | dict(values)
    del model.metadata_props[:]
    for key in sorted(merged):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, merged[key]
    onnx.save(model, str(path))


def open_session(path: Path, threads: int = 1) -> ort.InferenceSession:
    """A CPU session as the runtime opens it: `threads` threads, all graph optimisations."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def median_cpu_ms(session: ort.InferenceSession, feeds: Mapping[str, npt.NDArray[Any]], repeats: int = 50) -> float:
    """Median processor time of one run in milliseconds: what the wall time would be on a machine with nothing else to do."""
    times = []
    for index in range(repeats + 5):
        start = time.process_time()
        session.run(None, dict(feeds))
        if index >= 5:
            times.append((time.process_time() - start) * 1e3)
    return float(np.median(times))


def median_latency_ms(session: ort.InferenceSession, feeds: Mapping[str, npt.NDArray[Any]], repeats: int = 50) -> float:
    """Median wall time of one run in milliseconds, after five runs to warm up."""
    times = []
    for index in range(repeats + 5):
        start = time.perf_counter()
        session.run(None, dict(feeds))
        if index >= 5:
            times.append((time.perf_counter() - start) * 1e3)
    return float(np.median(times))
