{{/* Paths that lead to a model, as a JSON list of `type` and `path`. Metrics and the probes are not among
them. Prefixes match whole path elements. */}}
{{- define "nlpserve.paths" -}}
{{- $paths := list
  (dict "type" "Prefix" "path" (printf "/v1/models/%s" .))
  (dict "type" "Prefix" "path" (printf "/v2/models/%s" .)) -}}
{{- if eq . "intent" -}}
{{- $paths = concat $paths (list (dict "type" "Exact" "path" "/api/intent") (dict "type" "Exact" "path" "/api/intent/")) -}}
{{- else if eq . "emotion" -}}
{{- $paths = append $paths (dict "type" "Exact" "path" "/") -}}
{{- end -}}
{{- toJson $paths -}}
{{- end -}}
