{{/* Name of everything that is installed; 40 characters leave room for what is appended. */}}
{{- define "otel-carbon.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* What pods are found by: a dict of root and component. */}}
{{- define "otel-carbon.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "otel-carbon.labels" -}}
{{ include "otel-carbon.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* An image by digest, else by tag: a dict of image and the tag by default. */}}
{{- define "otel-carbon.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .tag) -}}
{{- end -}}
{{- end }}

{{/* The component that clients send to. */}}
{{- define "otel-carbon.entrance" -}}
{{- ternary "front" "collector" .Values.front.enabled -}}
{{- end }}

{{- define "otel-carbon.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "otel-carbon.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Where pods may run: a dict of the values of a component. */}}
{{- define "otel-carbon.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .topologySpreadConstraints }}
topologySpreadConstraints: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* collector.yaml: what the chart needs, with collector.config merged over it. */}}
{{- define "otel-carbon.collectorConfig" -}}
{{- $backend := .Values.backend.endpoint -}}
{{- $exporters := dict "prometheus" (dict "endpoint" "0.0.0.0:9464") -}}
{{- if $backend -}}
{{- $_ := set $exporters "otlp_http" (dict "endpoint" $backend "sending_queue" (dict "storage" "file_storage")) -}}
{{- end -}}
{{- $protocols := dict "grpc" (dict "endpoint" "0.0.0.0:4317") "http" (dict "endpoint" "0.0.0.0:4318") -}}
{{- $queue := dict "directory" "/var/lib/otel-carbon/queue" "max_size_bytes" (int64 .Values.collector.queue.maxSizeBytes) -}}
{{- $traces := dict "receivers" (list "otlp") "processors" (list "memory_limiter" "carbon") "exporters" (keys $exporters | sortAlpha) -}}
{{- $config := dict
  "receivers" (dict "otlp" (dict "protocols" $protocols))
  "processors" (dict "memory_limiter" (dict "limit_percentage" 80) "carbon" .Values.collector.carbon)
  "exporters" $exporters
  "extensions" (dict "health_check" (dict "endpoint" "0.0.0.0:13133") "file_storage" $queue)
  "service" (dict "extensions" (list "health_check" "file_storage") "pipelines" (dict "traces" $traces))
-}}
{{- toYaml (mergeOverwrite $config (deepCopy .Values.collector.config)) -}}
{{- end }}

{{/* Configuration of the official Collector: deploy/otelcol/before.yaml with the pods that count as targets. */}}
{{- define "otel-carbon.frontConfig" -}}
{{- $headless := printf "%s-collector.%s.svc" (include "otel-carbon.name" .) .Release.Namespace -}}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "0.0.0.0:4317"}
      http: {endpoint: "0.0.0.0:4318"}
processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 20}
exporters:
  load_balancing:
    routing_key: service
    protocol:
      otlp:
        tls: {insecure: true}
        # What is acknowledged here has been taken by a pod that counts, and a front that ends loses nothing.
        sending_queue: {enabled: false}
    resolver:
      # Fixed names: a pod that restarts keeps its services, and while it is away their clients are asked to try again.
      static:
        hostnames:
          {{- range $number := until (int .Values.collector.replicas) }}
          - {{ printf "%s-collector-%d.%s:4317" (include "otel-carbon.name" $) $number $headless }}
          {{- end }}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [load_balancing]}
{{- end }}
