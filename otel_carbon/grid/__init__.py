"""A table of the user's own with the carbon intensity of grids by the hour: its versions and its look-ups."""
