"""Rendered horses with exact ground truth: stills for training, gait sequences for measuring, and the demo footage."""
