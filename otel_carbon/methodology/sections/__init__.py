"""The sections of the methodology page, a module each."""
