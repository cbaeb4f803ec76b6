"""Run the cells of a notebook in a real kernel, in the order given, as someone does who runs cells again.

Takes `{"cells": {NAME: SOURCE}, "order": [NAME, ...]}` on standard input; fails when a cell does.
"""

from __future__ import annotations

import json
import sys

import nbformat
from nbclient import NotebookClient


def main() -> None:
    """Run the notebook that standard input describes."""
    asked = json.load(sys.stdin)
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(asked["cells"][name]) for name in asked["order"]]
    client = NotebookClient(notebook, kernel_name="python3", timeout=60, ipython_hist_file="")
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
    for cell in notebook.cells:
        for output in cell.outputs:
            sys.stdout.write(output.get("text", ""))


if __name__ == "__main__":
    main()
