{{/* A text as one word of a shell. */}}
{{- define "nlpserve.quoted" -}}
'{{ . | replace "'" "'\\''" }}'
{{- end -}}

{{/* Addresses that the NetworkPolicy lets in. */}}
{{- define "nlpserve.openAddresses" -}}
{{- range .Values.networkPolicy.from }}{{ with .ipBlock }}{{ .cidr }} {{ end }}{{ end -}}
{{- end -}}
