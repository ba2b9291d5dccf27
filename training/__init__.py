"""Training of BarnHand's networks. Nothing under `src/` imports this package; only it needs torch."""
