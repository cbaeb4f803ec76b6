from __future__ import annotations

import resource
import subprocess
import sys

RAISED = """
import resource
from otel_carbon.collector.open_files import raise_open_file_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
raise_open_file_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    done = subprocess.run([sys.executable, "-c", RAISED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "(200, 200)\n"
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
