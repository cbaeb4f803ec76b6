"""Bodies as they arrive, in any pieces: decompressed, framed and searched, without keeping what was said."""
