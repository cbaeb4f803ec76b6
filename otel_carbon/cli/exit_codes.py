"""What the exit code of every command means; scripts rely on these numbers."""

from __future__ import annotations

DONE = 0
ANSWER_IS_NO = 1
"""A check ran and failed."""
WRONG_USAGE = 2
"""Wrong usage or bad input; the message names the option, file, key or row."""
NOTHING_ESTIMATED = 3
"""Nothing could be estimated, or there are no data."""
UNDECIDED = 4
"""The question could not be decided."""
OUR_FAULT = 70
"""An unexpected error."""
INTERRUPTED = 130
