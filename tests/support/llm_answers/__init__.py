"""What providers' APIs answer, shape by shape, with token counts that a test decides."""
