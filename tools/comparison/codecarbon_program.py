"""Run by a Python that has CodeCarbon: what it tells of calls with short answers, and of as many with long ones.

The environment says where the API is (`API`), and how many calls there are of each (`CALLS`).
"""

from __future__ import annotations

import json
import os
import urllib.request
from importlib.metadata import version

from codecarbon import OfflineEmissionsTracker

CALLS = int(os.environ["CALLS"])
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call() -> int:
    """One call; the output tokens that its answer tells."""
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Name a town."}]}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{os.environ['API']}/v1/chat/completions", data=body, headers=headers)  # noqa: S310 - loopback
    with OPENER.open(request) as answer:
        return int(json.load(answer)["usage"]["completion_tokens"])


told = {}
for answers in ("short", "long"):
    tracker = OfflineEmissionsTracker(
        country_iso_code="USA", measure_power_secs=1, save_to_file=False, log_level="error", allow_multiple_runs=True
    )
    tracker.start()
    output_tokens = sum(call() for _ in range(CALLS))
    tracker.stop()
    told[answers] = {"output_tokens": output_tokens, "energy_kwh": tracker.final_emissions_data.energy_consumed}
print(json.dumps({"version": version("codecarbon"), "told": told}))
