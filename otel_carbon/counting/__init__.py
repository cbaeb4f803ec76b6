"""Each inference once: which spans are one call, decided from bounded memory."""
