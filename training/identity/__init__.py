"""The appearance network: training, evaluation and export of horse-embedder."""
