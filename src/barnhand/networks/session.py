"""onnxruntime sessions: one thread on the CPU, CUDA where it is present."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from barnhand.core.errors import ConfigurationError, ModelError
from barnhand.networks.digest import sha256_of

Array = npt.NDArray[Any]

_DTYPES: Mapping[str, npt.DTypeLike] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


class Device(StrEnum):
    """Where networks run."""

    AUTO = "auto"
    """CUDA when onnxruntime offers it, else the CPU."""
    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True)
class SessionOptions:
    """How a network's file is run."""

    device: Device = Device.AUTO
    """Where it runs."""
    threads: int = 1
    """CPU threads of one session. Several workers with one thread each beat one worker with several (measured: two
    threads under contention were slower than one)."""

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ConfigurationError(f"a network needs at least one thread, got {self.threads}")


@dataclass(frozen=True)
class Tensor:
    """Name, element type as onnxruntime writes it, and shape (a name or ``None`` where an axis is free)."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def size(self, axis: int) -> int | None:
        """Fixed size of an axis, or ``None`` where it is free."""
        value = self.shape[axis]
        return value if isinstance(value, int) and value > 0 else None


@dataclass(frozen=True)
class Signature:
    """What a network takes and gives, and the metadata written into its file."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> str:
        """``images(1, 3, 416, 416) -> output(1, 3549, 85)``."""

        def side(tensors: Sequence[Tensor]) -> str:
            return ", ".join(f"{t.name}({', '.join(str(v) for v in t.shape)})" for t in tensors)

        return f"{side(self.inputs)} -> {side(self.outputs)}"


class Session:
    """One loaded network. Thread-safe as onnxruntime's ``run`` is."""

    def __init__(self, path: Path, options: SessionOptions | None = None) -> None:
        """Load ``path``. Raises ``ModelError`` when it is missing or no ONNX, ``ConfigurationError`` without the device."""
        options = options or SessionOptions()
        if not path.is_file():
            raise ModelError(f"there is no network at {path}; `barnhand models list` shows which there are")
        providers = _providers(options.device)
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        settings.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        settings.log_severity_level = 3
        try:
            session = ort.InferenceSession(str(path), settings, providers=providers)
        except Exception as error:  # onnxruntime's exceptions share no other base
            raise ModelError(
                f"{path.name} is damaged or not an ONNX network; pull or copy it again ({_first_line(error)})"
            ) from error
        self.name = path.stem
        self.fingerprint = sha256_of(path)[:12]
        self.provider: str = session.get_providers()[0]
        if options.device is Device.CUDA and self.provider != "CUDAExecutionProvider":
            raise ConfigurationError("CUDA is asked for but does not start on this machine; set device to auto or cpu")
        self.signature = Signature(
            tuple(Tensor(t.name, t.type, tuple(t.shape)) for t in session.get_inputs()),
            tuple(Tensor(t.name, t.type, tuple(t.shape)) for t in session.get_outputs()),
            dict(session.get_modelmeta().custom_metadata_map),
        )
        self._session = session

    def run(self, batch: Array) -> list[Array]:
        """All outputs for ``batch``, the one input, in the order of the signature.

        Casts ``batch`` to the input's type; where the file fixes the first axis, runs it in pieces of that size, the
        last one filled up with its own last row.
        """
        spec = self.signature.inputs[0]
        batch = np.ascontiguousarray(batch, _DTYPES.get(spec.dtype, np.float32))
        fixed = spec.size(0)
        if fixed is None or len(batch) == fixed:
            return self._run(spec.name, batch)
        pieces = []
        for start in range(0, len(batch), fixed):
            piece = batch[start : start + fixed]
            count = len(piece)
            if count < fixed:
                piece = np.concatenate([piece, np.repeat(piece[-1:], fixed - count, axis=0)])
            pieces.append([output[:count] for output in self._run(spec.name, piece)])
        return [np.concatenate(outputs) for outputs in zip(*pieces, strict=True)]

    def _run(self, name: str, batch: Array) -> list[Array]:
        try:
            outputs = self._session.run(None, {name: batch})
        except Exception as error:  # onnxruntime's exceptions share no other base
            raise ModelError(f"network {self.name} failed on input {batch.shape}: {_first_line(error)}") from error
        return [np.asarray(output) for output in outputs]


def _providers(device: Device) -> list[str]:
    here = ort.get_available_providers()
    if device is Device.CPU or (device is Device.AUTO and "CUDAExecutionProvider" not in here):
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in here:
        raise ConfigurationError(
            "CUDA is asked for but this onnxruntime has none; install onnxruntime-gpu, or set device to auto or cpu"
        )
    return ["CUDAExecutionProvider", "CPUExecutionProvider"]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
