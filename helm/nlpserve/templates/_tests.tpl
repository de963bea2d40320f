{{/* Kinds that the release holds and Kubernetes does not bring, as a JSON list of group/version/Kind. */}}
{{- define "nlpserve.foreignKinds" -}}
{{- $kinds := list -}}
{{- range include "nlpserve.models" . | fromJson -}}
{{- if eq .autoscaling.mode "keda" }}{{ $kinds = append $kinds "keda.sh/v1alpha1/ScaledObject" }}{{ end -}}
{{- end -}}
{{- if .Values.httpRoute.enabled }}{{ $kinds = append $kinds "gateway.networking.k8s.io/v1/HTTPRoute" }}{{ end -}}
{{- if .Values.serviceMonitor.enabled }}{{ $kinds = append $kinds "monitoring.coreos.com/v1/ServiceMonitor" }}{{ end -}}
{{- if .Values.prometheusRule.enabled }}{{ $kinds = append $kinds "monitoring.coreos.com/v1/PrometheusRule" }}{{ end -}}
{{- uniq $kinds | toJson -}}
{{- end -}}

{{/* Its log is shown, and it goes when it succeeded: an uninstall leaves nothing. */}}
{{- define "nlpserve.testMetadata" -}}
{{- $annotations := dict
  "helm.sh/hook" "test"
  "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded"
  "helm.sh/hook-output-log-policy" "hook-succeeded,hook-failed" -}}
{{- $labels := include "nlpserve.testSelector" . | fromYaml -}}
{{- include "nlpserve.metadata" (dict "root" . "labels" $labels "annotations" $annotations) -}}
{{- end -}}

{{/* Seconds that a pod of the rollout's test may take: for each disruption a target that settles slowly, and
the load's Job up to its own deadline, which is twice its time and a start. */}}
{{- define "nlpserve.rolloutTestSeconds" -}}
{{- with .Values.rolloutTest -}}
{{- mul (len .disruptions) (add (mul 2 (int64 .seconds)) 540) -}}
{{- end -}}
{{- end -}}

{{- define "nlpserve.rolloutTestName" -}}
{{ include "nlpserve.fullname" . }}-rollout-test
{{- end -}}

{{- define "nlpserve.rolloutTestImage" -}}
{{- $image := .Values.rolloutTest.image -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}

{{- define "nlpserve.testPod" -}}
restartPolicy: Never
enableServiceLinks: false
securityContext:
  {{- include "nlpserve.podSecurity" . | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "nlpserve.testContainer" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "nlpserve.containerSecurity" . | nindent 2 }}
resources:
  requests: {cpu: 10m, memory: 64Mi}
  limits: {cpu: 500m, memory: 256Mi}
{{- end -}}

{{/* Volume with the API keys, from the model's `apiKeys`. */}}
{{- define "nlpserve.keysVolume" -}}
- name: api-keys
  secret:
    secretName: {{ .existingSecret | quote }}
    items:
      - key: {{ .key | quote }}
        path: {{ .key | quote }}
{{- end -}}
