"""Token usage of services that are counted from their metrics: which metrics, what has been added, whose it is."""
