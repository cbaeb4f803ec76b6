// Calls as the Node SDK exports them: `node node_sdk.mjs grpc|proto|json none|gzip ENDPOINT COUNT`.
import { SpanKind } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const [kind, compression, endpoint, count] = process.argv.slice(2);
const exporters = { grpc: GrpcExporter, proto: ProtoExporter, json: JsonExporter };
const url = kind === "grpc" ? endpoint : `${endpoint}/v1/traces`;
const exporter = new exporters[kind]({ url, compression });
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
const tracer = provider.getTracer("opentelemetry.instrumentation.genai.openai");

for (let number = 0; number < Number(count); number++) {
  const span = tracer.startSpan("chat gpt-4o-mini", {
    kind: SpanKind.CLIENT,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o-mini",
      "gen_ai.response.model": "gpt-4o-mini",
      "gen_ai.response.id": `chatcmpl-${number}`,
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 800,
      "gen_ai.usage.output_tokens": 300,
      "server.address": "api.openai.com",
    },
  });
  span.end();
}
await provider.shutdown();
