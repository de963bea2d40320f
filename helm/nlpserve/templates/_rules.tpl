{{/* Rules that record a model's numbers, as a YAML list: the alerts join them by namespace and model. */}}
{{- define "nlpserve.modelRules" -}}
{{- $labels := dict "namespace" .root.Release.Namespace "model" .model -}}
{{- $latency := .settings.objectives.latency -}}
{{- $bucket := toString $latency.seconds -}}
{{- if not (contains "." $bucket) }}{{ $bucket = printf "%s.0" $bucket }}{{ end -}}
{{- $autoscaling := .settings.autoscaling -}}
{{- $most := ternary .settings.replicas $autoscaling.maxReplicas (eq $autoscaling.mode "none") -}}
- record: nlpserve:availability_objective:ratio
  expr: vector({{ .settings.objectives.availability }})
  labels: {{ $labels | toJson }}
- record: nlpserve:latency_objective:ratio
  expr: vector({{ $latency.share }})
  labels: {{ merge (dict "le" $bucket) $labels | toJson }}
- record: nlpserve:queue_limit:texts
  expr: vector({{ include "nlpserve.concurrencyCap" .settings }})
  labels: {{ $labels | toJson }}
- record: nlpserve:most_pods:count
  expr: vector({{ int64 $most }})
  labels: {{ $labels | toJson }}
{{- with .settings.capacity }}
- record: nlpserve:pod_capacity:texts_per_second
  expr: vector({{ . }})
  labels: {{ $labels | toJson }}
{{- end }}
{{- end -}}

{{/* Rule that says which Deployment is whose, from `root` and a workload. */}}
{{- define "nlpserve.deploymentRule" -}}
- record: nlpserve:deployment:info
  expr: vector(1)
  labels: {{ dict "namespace" .root.Release.Namespace "model" .model "deployment" .name "track" .track | toJson }}
{{- end -}}
