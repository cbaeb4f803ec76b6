// Vercel's AI SDK 6 in Node, through the collector.
//
//     npm install ai@6 @ai-sdk/openai@3 @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto
//     otel-carbon collector --config docs/examples/collector.yaml
//     node docs/examples/vercel_ai_sdk.mjs
//
// The SDK writes two spans: one for the function, one for the call below it. The collector logs both; the call has the
// footprint, the function above repeats its tokens and has none.
import { openai } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { generateText } from "ai";

const telemetry = new NodeSDK({ serviceName: "geographer", traceExporter: new OTLPTraceExporter() });
telemetry.start();

const { text } = await generateText({
  model: openai("gpt-4o-mini"),
  prompt: "Name a town by the sea.",
  experimental_telemetry: { isEnabled: true, recordInputs: false, recordOutputs: false },
});
console.log(text);
await telemetry.shutdown();
