from pathlib import Path

import numpy as np
import pytest
from tests.networks import known

from barnhand.core.errors import ConfigurationError, ModelError
from barnhand.networks.session import Device, Session, SessionOptions


def test_it_tells_what_goes_in_and_out_and_what_the_file_says(tmp_path: Path) -> None:
    session = Session(known.barnhand_detector(tmp_path / "net.onnx", metadata={"barnhand.version": "7"}))
    assert session.signature.describe() == "images(n, 3, 64, 64) -> boxes(n, 3, 4), scores(n, 3)"
    assert session.signature.metadata["barnhand.version"] == "7"
    assert session.signature.inputs[0].size(0) is None
    assert session.signature.inputs[0].size(2) == 64
    assert session.name == "net"


@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("pictures", [1, 2, 5])
def test_a_fixed_batch_is_run_in_pieces(tmp_path: Path, batch: int, pictures: int) -> None:
    session = Session(known.yolox(tmp_path / "net.onnx", batch=batch))
    inputs = np.random.default_rng(0).integers(0, 256, (pictures, 3, 64, 64)).astype(np.float32)
    inputs[:, 0, 10:50, 10:50], inputs[:, 2, 10:50, 10:50] = 255, 0
    (output,) = session.run(inputs)
    assert output.shape == (pictures, 84, 85)
    for i in range(pictures):
        (alone,) = session.run(inputs[i : i + 1])
        np.testing.assert_array_equal(output[i], alone[0])


def test_inputs_are_cast_to_what_the_file_wants(tmp_path: Path) -> None:
    session = Session(known.yolov5(tmp_path / "net.onnx"))
    (output,) = session.run(np.zeros((1, 3, 64, 64), np.float64))
    assert output.dtype == np.float16


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no network at .*nothing\.onnx"):
        Session(tmp_path / "nothing.onnx")


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x08\x09\x12\x04junk"])
def test_a_damaged_file_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"net\.onnx is damaged or not an ONNX network"):
        Session(path)


def test_a_cut_file_says_so(tmp_path: Path) -> None:
    path = known.yolox(tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match="damaged"):
        Session(path)


def test_an_input_of_the_wrong_shape_says_so(tmp_path: Path) -> None:
    session = Session(known.barnhand_detector(tmp_path / "net.onnx"))
    with pytest.raises(ModelError, match=r"network net failed on input \(1, 3, 32, 32\)"):
        session.run(np.zeros((1, 3, 32, 32), np.float32))


def test_the_cpu_is_what_auto_falls_back_to(tmp_path: Path) -> None:
    path = known.stranger(tmp_path / "net.onnx")
    assert Session(path, SessionOptions(device=Device.CPU)).provider == "CPUExecutionProvider"
    assert Session(path).provider in {"CPUExecutionProvider", "CUDAExecutionProvider"}


def test_cuda_without_cuda_says_what_to_do(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(ConfigurationError, match="install onnxruntime-gpu, or set device to auto or cpu"):
        Session(known.stranger(tmp_path / "net.onnx"), SessionOptions(device=Device.CUDA))


def test_no_threads_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="at least one thread, got 0"):
        SessionOptions(threads=0)
