"""LiteLLM's proxy before the real model server: Google's API with a real model behind it.

It passes on how many tokens were read and written, and drops how many of them came from the cache, the name of the
model and the identifier of the response (LiteLLM 1.108). It tells usage in the last event of a stream only.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.clients import client_environment, client_program
from tests.support.model_server import MODEL_ALIAS
from tests.support.ports import free_ports
from tests.support.processes import start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.model_server import ModelServer

CLIENT, API_VERSION = "examples-litellm-proxy", "v1beta"
CUT_OFF_ANSWER_TOKENS = 400
"""An answer that is cut off must be longer than what is read of it."""
MODELS = {"gemini-2.5-flash": {}, "aborted-gemini": {"max_tokens": CUT_OFF_ANSWER_TOKENS}}
"""By names that `tests.clients.google_calls` asks for."""

_START_TIMEOUT_S = 180.0
_VARIABLES = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it is fetched
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",  # it listens on the loopback address only
}


@contextmanager
def running_google_gateway(model_server: ModelServer, folder: Path) -> Iterator[str]:
    """The address of a gateway, and as its path the version of Google's API that it speaks.

    The client asks for `v1` by itself from version 3 on, which the gateway does not know.
    """
    (port,) = free_ports(1)
    config = folder / "gateway.yaml"
    config.write_text(_config(model_server), encoding="utf-8")
    process = start(
        [client_program(CLIENT, "litellm"), f"--config={config}", "--host=127.0.0.1", f"--port={port}"],
        folder=folder,
        name="gateway",
        environment=client_environment(CLIENT, _VARIABLES),
    )
    try:
        process.wait_until_listening(port, timeout_s=_START_TIMEOUT_S)
        yield f"http://127.0.0.1:{port}/{API_VERSION}"
    finally:
        process.stop()


def _config(model_server: ModelServer) -> str:
    """JSON, which is YAML too."""
    server = {"model": f"openai/{MODEL_ALIAS}", "api_base": f"{model_server.url}/v1", "api_key": "none"}
    models = [{"model_name": name, "litellm_params": server | changed} for name, changed in MODELS.items()]
    return json.dumps({"model_list": models})
