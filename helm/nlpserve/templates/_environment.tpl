{{/* Variables that the chart sets, as a YAML list, from `model` and `settings`. Each value below is a
setting of the service: maxTexts becomes NLPSERVE_MAX_TEXTS. */}}
{{- define "nlpserve.environment" -}}
{{- $settings := .settings -}}
{{- $shutdown := pick $settings.shutdown "drainSeconds" "shutdownSeconds" -}}
- name: NLPSERVE_MODELS
  value: {{ include "nlpserve.artifact" . | quote }}
{{- range $name, $value := merge (omit $settings.batching "threads") $settings.limits $shutdown }}
- name: {{ printf "NLPSERVE_%s" (snakecase $name | upper) }}
  value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- /* The runtime and numpy's BLAS would start a thread for each core of the node. A field of the pod would be
rounded up: 1.5 cores are two threads, which are throttled. */}}
{{- $cpu := include "nlpserve.cpu" $settings | int }}
{{- $threads := $settings.batching.threads }}
{{- if and (not $threads) (gt $cpu 1000) (mod $cpu 1000) }}{{ $threads = div $cpu 1000 }}{{ end }}
{{- range $name := list "NLPSERVE_THREADS" "OMP_NUM_THREADS" }}
{{- if $threads }}
- name: {{ $name }}
  value: {{ $threads | quote }}
{{- else if $cpu }}
- name: {{ $name }}
  valueFrom:
    resourceFieldRef:
      containerName: server
      resource: {{ empty (default dict $settings.resources.limits).cpu | ternary "requests.cpu" "limits.cpu" }}
{{- end }}
{{- end }}
- name: NLPSERVE_PREDICTIONS_LOG
  value: {{ $settings.predictionLog.mode | quote }}
- name: NLPSERVE_PREDICTIONS_LOG_FILE
  value: "-"
{{- if eq $settings.predictionLog.mode "hash" }}
- name: NLPSERVE_PREDICTIONS_LOG_KEY
  valueFrom:
    secretKeyRef:
      name: {{ $settings.predictionLog.existingSecret | quote }}
      key: {{ $settings.predictionLog.key | quote }}
{{- end }}
- name: NLPSERVE_DRIFT_DOCUMENTS_PER_SECOND
  value: {{ $settings.drift.documentsPerSecond | quote }}
- name: NLPSERVE_DRIFT_WINDOW_SECONDS
  value: {{ $settings.drift.windowSeconds | quote }}
{{- if $settings.apiKeys.existingSecret }}
- name: NLPSERVE_API_KEYS_FILE
  value: {{ printf "/secrets/%s" $settings.apiKeys.key | quote }}
{{- end }}
{{- end -}}
