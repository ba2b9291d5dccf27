"""ONNX sessions, the model catalogue, weights on disk, and one adapter a model family (preprocess, infer, postprocess)."""
