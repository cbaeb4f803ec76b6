"""Serve real model weights over HTTP until standard input closes; prints the address as one JSON line."""

from __future__ import annotations

import json
import sys

import xllamacpp

MODEL_ALIAS = "smollm2-135m"
SLOTS = 2
CONTEXT_TOKENS_PER_SLOT = 2048
THREADS = 2
LONGEST_ANSWER_TOKENS = 8
"""Where the request sets no limit."""


def start_server(weights_path: str) -> xllamacpp.Server:
    """Start the model server on a loopback port chosen by the operating system."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights_path
    parameters.model_alias = [MODEL_ALIAS]
    parameters.n_ctx = SLOTS * CONTEXT_TOKENS_PER_SLOT
    parameters.n_parallel = SLOTS
    parameters.n_predict = LONGEST_ANSWER_TOKENS
    parameters.cpuparams.n_threads = THREADS
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.endpoint_metrics = True
    return xllamacpp.Server(parameters)


def main() -> None:
    """Serve until the parent closes our input, also when the parent was killed."""
    server = start_server(sys.argv[1])
    sys.stdout.write(json.dumps({"address": server.listening_address}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
