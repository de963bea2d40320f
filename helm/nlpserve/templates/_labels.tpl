{{/* All pods of the release. */}}
{{- define "nlpserve.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* All pods that serve a model. */}}
{{- define "nlpserve.modelsSelector" -}}
{{ include "nlpserve.selector" . }}
app.kubernetes.io/component: model
{{- end -}}

{{/* Pods of one model, from `root` and `model`; of one Deployment with `track`. */}}
{{- define "nlpserve.modelSelector" -}}
{{ include "nlpserve.modelsSelector" .root }}
nlpserve/model: {{ .model | quote }}
{{- with .track }}
nlpserve/track: {{ . }}
{{- end }}
{{- end -}}

{{/* Labels and annotations of an object's metadata, from `root`; `labels` and `annotations` are its own. */}}
{{- define "nlpserve.metadata" -}}
{{- $labels := deepCopy .root.Values.commonLabels -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $labels "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") -}}
{{- $own := default dict .labels -}}
{{- $selector := include "nlpserve.selector" .root | fromYaml -}}
labels:
  {{- mergeOverwrite $labels $own $selector | toYaml | nindent 2 }}
{{- with mergeOverwrite (deepCopy .root.Values.commonAnnotations) (default dict .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The pods of `helm test`. */}}
{{- define "nlpserve.testSelector" -}}
{{ include "nlpserve.selector" . }}
app.kubernetes.io/component: test
{{- end -}}
