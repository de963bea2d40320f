{{/* A text as one word of a shell. */}}
{{- define "nlpserve.quoted" -}}
'{{ . | replace "'" "'\\''" }}'
{{- end -}}
