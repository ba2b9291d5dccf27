"""BarnHand watches horses through a stable's cameras."""
