"""Where settings stand and come from: files with line numbers, `--set`, the environment and other files."""
