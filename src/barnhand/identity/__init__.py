"""Who a horse is: what it looks like as a vector (``embedder``) and the horses that are known (``gallery``)."""
