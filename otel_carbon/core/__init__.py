"""Pure arithmetic on sourced factors: no I/O, no clock, no logging, nothing installed."""
