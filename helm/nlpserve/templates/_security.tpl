{{/* What the restricted Pod Security Standard asks of a pod, and of a container below. */}}
{{- define "nlpserve.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ include "nlpserve.user" . }}
runAsGroup: {{ include "nlpserve.user" . }}
fsGroup: {{ include "nlpserve.user" . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "nlpserve.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
