"""OTTL statements that read a span: its counts, operation, model, provider, and where it went.

`ok` in the cache turns false where a span is not plain enough: it then passes as it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL
from otel_carbon.exporting.guarded_spans import plain_dialect
from otel_carbon.exporting.ottl_text import (
    any_of,
    attribute,
    cache,
    first_of,
    is_one_of,
    literal,
    looked_up,
    matches,
    pattern_of_glob,
    put,
)
from otel_carbon.spans.profile import ERROR_KEY, NO_TEXTS
from otel_carbon.spans.providers import known_spellings, provider_name
from otel_carbon.spans.region import NO_PLACE, REGION_IN_HOST, SPAN_REGION_KEY, ZONE_OF_REGION
from otel_carbon.spans.role import AGGREGATE_OPERATIONS, CHAT, INFERENCE_OPERATIONS, INVOKE_AGENT, OTHER_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OK = cache("ok")
REASON = cache("reason")
"""Why there is no figure, empty where there is one."""
COUNTS = ("input", "output", "read", "write", "reasoning")
"""Counts as the cache names them, in the order of the dialects' fields."""
_FIELDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_PRIVATE_NAMES = r"^localhost$|\.(?:localhost|local|internal|svc|cluster\.local)$"
PRIVATE_NETWORKS = (
    *("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29", "192.0.2.0/24"),
    *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
    *("::/127", "fc00::/7", "fe80::/10", "2001:db8::/32"),
)
"""Addresses of one's own machines and networks, and those set aside for documents and tests."""
_GROUP = "(["
"""How the group with the region begins in the patterns of hosts."""
_WORDS = r"\S\s+\S"
_BEFORE_NAME = r"^.*\)| "
"""Of a region's name for people, `(US) East US 2`, what the clouds' own name leaves out."""


def fail(condition: str) -> str:
    """The statement that leaves a span alone when a condition holds."""
    return put(OK, "false", condition)


def count_statements() -> Iterator[str]:
    """Read the counts; spans whose parts exceed their totals have a basis of their own, and are left."""
    yield put(OK, "true")
    yield put(REASON, literal(""))
    for name, field in zip(COUNTS, _FIELDS, strict=True):
        count = cache(name)
        yield put(count, first_of(map(attribute, plain_dialect().keys[field])))
        out_of_range = any_of((f"not IsInt({count})", f"{count} < 0", f"{count} > {MAX_TOKENS_PER_CALL}"))
        yield fail(f"{count} != nil and {out_of_range}")
    yield put(cache("has_input"), "true", f"{cache('input')} != nil")
    yield put(cache("has_output"), "true", f"{cache('output')} != nil")
    for name in COUNTS:
        yield put(cache(name), "0", f"{cache(name)} == nil")
    some = any_of((f"{cache('has_input')} == true", f"{cache('has_output')} == true"))
    yield put(cache("counted"), "true", some)
    yield fail(f"{cache('counted')} == true and {cache('input')} == 0 and {cache('output')} == 0")
    yield put(cache("uncached"), f"{cache('input')} - {cache('read')} - {cache('write')}", f"{OK} == true")
    yield fail(any_of((f"{cache('uncached')} < 0", f"{cache('reasoning')} > {cache('output')}")))


def _text(name: str, keys: Iterable[str]) -> Iterator[str]:
    """Read the first text of some attributes that says something."""
    for key in keys:
        told = f"IsString({attribute(key)}) and not {is_one_of(attribute(key), NO_TEXTS)}"
        yield put(cache(name), attribute(key), f"{cache(name)} == nil and {told}")


def operation_statements() -> Iterator[str]:
    """Read the operation; unknown ones with a model and counts are some kind of chat."""
    dialect, operation = plain_dialect(), cache("operation")
    yield from _text("operation", dialect.keys["operation"])
    yield put(operation, f"ToLowerCase({operation})", f"{operation} != nil")
    for spelled, meant in sorted(dialect.operations.items()):
        yield put(operation, literal(meant), f"{operation} == {literal(spelled)}")
    not_inference = {*AGGREGATE_OPERATIONS, *OTHER_OPERATIONS, INVOKE_AGENT}
    yield fail(f"{operation} != nil and {is_one_of(operation, not_inference)}")
    named = f"{operation} != nil and {is_one_of(operation, INFERENCE_OPERATIONS)}"
    yield put(cache("is_inference"), "true", named)
    yield put(operation, literal(CHAT), f"{cache('is_inference')} == nil")


def model_statements() -> Iterator[str]:
    """Read the model that answered, else the one that was asked for."""
    model, dialect = cache("model"), plain_dialect()
    yield from _text("model", (*dialect.keys["response_model"], *dialect.keys["request_model"]))
    unclear = any_of((f"{model} == nil", f"{cache('counted')} == nil"))
    yield fail(f"{cache('is_inference')} == nil and {unclear}")
    yield fail(f"{model} != nil and HasPrefix({model}, {literal('arn:')})")
    yield put(model, f"ToLowerCase(Trim(TrimPrefix({model}, {literal('models/')})))", f"{model} != nil")


def failed_condition() -> str:
    """Whether the call failed."""
    return any_of((f"{attribute(ERROR_KEY)} != nil", "span.status.code == STATUS_CODE_ERROR"))


def host_statements() -> Iterator[str]:
    """Read the host of the server's address, in lower case and without what stands around it in a URL."""
    host = cache("host")
    yield from _text("host", plain_dialect().keys["address"])
    plain = matches(host, r"^[a-z0-9-]+(?:\.[a-z0-9-]+)*$")
    yield put(cache("adorned"), "true", f"{host} != nil and not {plain}")
    yield put(host, f"Trim({host})", f"{cache('adorned')} == true")
    for pattern, kept in (
        (r"^.*?://", ""),
        (r"/.*$", ""),
        (r"^.*@", ""),
        (r"^\[([^\]]*)\].*$", "$1"),
        (r"^([^:]*):[^:]*$", "$1"),
        (r"\.+$", ""),
    ):
        replaced = f"replace_pattern({host}, {literal(pattern)}, {literal(kept)})"
        yield f"{replaced} where {cache('adorned')} == true"
    yield put(host, f"ToLowerCase({host})", f"{cache('adorned')} == true")
    yield put(cache("private"), "true", f"{host} != nil and {matches(host, _PRIVATE_NAMES)}")
    in_network = f"IsInCIDR({host}, {literal(PRIVATE_NETWORKS)})"
    yield put(cache("private"), in_network, f"{host} != nil and {matches(host, r'^[0-9.]+$|:')}")


def provider_statements(known: Iterable[str]) -> Iterator[str]:
    """Tell the provider by the host of its API, else by the name given; `known` are names that tables have."""
    provider, host, spelled = cache("provider"), cache("host"), known_spellings()
    hosts = {pattern: name for pattern, name in spelled.hosts if "*" not in pattern}
    yield put(provider, looked_up(hosts, host), f"{host} != nil")
    for pattern, name in spelled.hosts:
        if "*" in pattern:
            elsewhere = f"{provider} == nil and {host} != nil and {matches(host, pattern_of_glob(pattern))}"
            yield put(provider, literal(name), elsewhere)
    yield from _text("spelled", plain_dialect().keys["provider"])
    by_name, unknown = cache("spelled"), f"{provider} == nil and {cache('spelled')} != nil"
    yield put(by_name, f"Split(ToLowerCase(Trim({by_name})), {literal('/')})[0]", unknown)
    exact = {name: provider_name(name) for name in (*spelled.exact, *known)}
    yield put(provider, looked_up(dict(sorted(exact.items())), by_name), unknown)
    for pattern, name in spelled.patterns:
        yield put(provider, literal(name), f"{unknown} and {matches(by_name, pattern_of_glob(pattern))}")
    yield put(provider, by_name, unknown)
    yield put(provider, literal(""), f"{provider} == nil")


def region_statements() -> Iterator[str]:
    """Read the region that the span names, else the one in the host's name."""
    region = cache("region")
    told = f"IsString({attribute(SPAN_REGION_KEY)}) and {attribute(SPAN_REGION_KEY)} != {literal('')}"
    yield put(region, attribute(SPAN_REGION_KEY), told)
    yield f"delete_key(span.cache, {literal('region')}) where {region} != nil and " + is_one_of(
        f"ToLowerCase({region})", NO_PLACE
    )
    for_people = f"{region} != nil and {matches(region, _WORDS)}"
    yield f"replace_pattern({region}, {literal(_BEFORE_NAME)}, {literal('')}) where {for_people}"
    for pattern in ZONE_OF_REGION.pattern.split("|"):
        yield f"replace_pattern({region}, {literal(pattern)}, {literal('$1')}) where {region} != nil"
    for host in REGION_IN_HOST:
        named = host.pattern.replace(_GROUP, "(?P<region>[")
        found = f"ExtractPatterns({cache('host')}, {literal(named)})[{literal('region')}]"
        yield put(region, found, f"{region} == nil and {cache('host')} != nil")
    yield put(region, f"ToLowerCase({region})", f"{region} != nil")
