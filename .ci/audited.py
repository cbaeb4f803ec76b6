"""Judge a report of pip-audit: fails on known vulnerabilities, and says so when no advisory could be had."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(report: Path) -> int:
    """Print what was found; 1 when a package has a known vulnerability."""
    packages = json.loads(report.read_text(encoding="utf-8"))["dependencies"]
    skipped = [each for each in packages if "skip_reason" in each]
    if len(skipped) == len(packages):
        sys.stdout.write("not run: needs a package index that serves advisories\n")
        return 0
    found = [
        f"{each['name']} {each['version']}: {problem['id']}, mended in {', '.join(problem['fix_versions']) or 'none'}"
        for each in packages
        for problem in each.get("vulns", ())
    ]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.stdout.write(f"{len(packages) - len(skipped)} packages audited, {len(found)} vulnerabilities\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
