"""The files in deploy/: linted, held against schemas, rendered, and started with the programs that they are for."""
