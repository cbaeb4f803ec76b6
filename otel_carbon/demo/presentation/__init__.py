"""What the demo shows: the terminal's table and the page, both from the figures that arrived."""
