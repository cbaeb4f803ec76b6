"""`otel-carbon demo`: thirty days of sample traffic through the real pipeline."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from otel_carbon.cli.console import Console
from otel_carbon.cli.extras import needs_extra

DEFAULT_PORT = 9464


@click.command()
@click.option(
    "--out",
    "out_dir",
    type=click.Path(path_type=Path, file_okay=False),
    default="otel-carbon-demo",
    show_default=True,
    metavar="DIR",
    help="Where the page goes; made when absent.",
)
@click.option("--no-serve", is_flag=True, help="End when the page is written, on a terminal too.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="N",
    help="Port of /metrics on localhost; a free one is taken when it is in use, or when it is 0.",
)
@click.option(
    "--send-to",
    "backend_url",
    metavar="URL",
    help="Send traffic to the collector there until told to stop, by OTLP/HTTP; writes no page.",
)
def demo(out_dir: Path, port: int, backend_url: str | None, *, no_serve: bool) -> int:
    """Play sample traffic through the real pipeline; needs no key and no network.

    Writes a table to standard output and a page to DIR; on a terminal /metrics stays up until Ctrl-C.

    Example: otel-carbon demo --out demo --no-serve
    """
    if backend_url is not None:
        if not backend_url.startswith(("http://", "https://")):
            raise click.BadParameter(f"{backend_url} is no http:// or https:// URL", param_hint="'--send-to'")
        with needs_extra("demo"):
            from otel_carbon.demo.live import send_until_told
        return send_until_told(backend_url, Console(sys.stdout, sys.stderr))
    with needs_extra("demo"):
        from otel_carbon.demo.run import run_demo
    return run_demo(out_dir, serve=not no_serve, console=Console(sys.stdout, sys.stderr), port=port)
