"""One frozen Settings for the whole of BarnHand, read from the environment (``BARNHAND_…``)."""
