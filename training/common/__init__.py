"""What the trainers share: seeds, checkpoints, logs, crops and the ONNX export."""
