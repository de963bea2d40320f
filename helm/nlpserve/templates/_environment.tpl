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
{{- /* The runtime and numpy's BLAS would start a thread for each core of the node. */}}
{{- range $name := list "NLPSERVE_THREADS" "OMP_NUM_THREADS" }}
{{- if $settings.batching.threads }}
- name: {{ $name }}
  value: {{ $settings.batching.threads | quote }}
{{- else if ne (include "nlpserve.cpu" $settings) "0" }}
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
