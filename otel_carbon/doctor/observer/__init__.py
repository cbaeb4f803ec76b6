"""What runs inside the observed application: it notes metadata, changes nothing and never raises."""
