"""The collector beside other collectors: one interleaved run, report-only."""
