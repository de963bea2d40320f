{{/* Settings that contradict each other stop the rendering with a sentence that says what to change. */}}
{{- define "nlpserve.checks" -}}
{{- $models := include "nlpserve.models" . | fromJson -}}
{{- if not $models }}{{ fail "models: none is enabled; leave at least one on" }}{{ end -}}
{{- range $workload := include "nlpserve.workloads" . | fromJsonArray -}}
{{- $where := printf "models.%s" $workload.model -}}
{{- if eq $workload.track "canary" }}{{ $where = printf "%s.canary" $where }}{{ end -}}
{{- range $check := list "times" "limits" "resources" "threads" "replicas" "autoscaling" "artifact" "secrets" "environment" -}}
{{- with include (printf "nlpserve.check.%s" $check) $workload | trim -}}
{{- fail (printf "\n%s.%s" $where .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $model, $settings := $models -}}
{{- if hasKey $models (printf "%s-keda" $model) -}}
{{- fail (printf "\nmodels.%s-keda: KEDA's autoscaler of the model %s would have the name of this one's: rename one of them" $model $model) -}}
{{- end -}}
{{- with include "nlpserve.check.canary" (dict "root" $ "model" $model "canary" $settings.canary "exposed" $settings.exposed "models" $models) | trim -}}
{{- fail (printf "\nmodels.%s.%s" $model .) -}}
{{- end -}}
{{- end -}}
{{- range $check := list "routes" "rolloutTest" -}}
{{- with include (printf "nlpserve.check.%s" $check) $ | trim }}{{ fail (printf "\n%s" .) }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "nlpserve.check.times" -}}
{{- $deadline := .settings.limits.deadlineSeconds -}}
{{- $timeout := .settings.requestTimeoutSeconds -}}
{{- $shutdown := .settings.shutdown -}}
{{- $end := addf $shutdown.preStopSeconds $shutdown.drainSeconds (mulf 2 $shutdown.shutdownSeconds) -}}
{{- if ge (float64 $deadline) (float64 $timeout) -}}
limits.deadlineSeconds ({{ $deadline }}) must be below requestTimeoutSeconds ({{ $timeout }}), or clients give up before they are told to come back: lower the deadline or raise the timeout
{{- else if gt (float64 $timeout) (float64 $shutdown.shutdownSeconds) -}}
requestTimeoutSeconds ({{ $timeout }}) must not be above shutdown.shutdownSeconds ({{ $shutdown.shutdownSeconds }}), or a request can be cut off when its pod ends: lower the timeout or raise shutdownSeconds
{{- else if gt $end (float64 $shutdown.terminationGracePeriodSeconds) -}}
shutdown.terminationGracePeriodSeconds ({{ $shutdown.terminationGracePeriodSeconds }}) must be at least preStopSeconds + drainSeconds + 2 × shutdownSeconds ({{ $end }}), or the pod is killed before it ends: raise it, or lower one of these
{{- else if ge (int .settings.minReadySeconds) (int .settings.progressDeadlineSeconds) -}}
minReadySeconds ({{ .settings.minReadySeconds }}) must be below progressDeadlineSeconds ({{ .settings.progressDeadlineSeconds }}), or Kubernetes refuses the Deployment: lower it or raise progressDeadlineSeconds
{{- end -}}
{{- end -}}

{{- define "nlpserve.check.limits" -}}
{{- $limits := .settings.limits -}}
{{- $batching := .settings.batching -}}
{{- if gt (int64 $limits.maxTexts) (int64 $batching.queueLimit) -}}
limits.maxTexts ({{ int64 $limits.maxTexts }}) must not be above batching.queueLimit ({{ int64 $batching.queueLimit }}), or such a request finds no room ever: raise the queue limit or lower maxTexts
{{- else if gt (int64 $batching.maxBatchSize) (int64 $batching.queueLimit) -}}
batching.maxBatchSize ({{ int64 $batching.maxBatchSize }}) must not be above batching.queueLimit ({{ int64 $batching.queueLimit }}): lower the batch size or raise the queue limit
{{- else if gt (int64 $limits.maxBodyBytes) (int64 $limits.maxOpenBodyBytes) -}}
limits.maxBodyBytes ({{ int64 $limits.maxBodyBytes }}) must not be above limits.maxOpenBodyBytes ({{ int64 $limits.maxOpenBodyBytes }}): lower it or raise maxOpenBodyBytes
{{- end -}}
{{- end -}}

{{- define "nlpserve.check.resources" -}}
{{- $limit := (default dict .settings.resources.limits).cpu -}}
{{- $request := (default dict .settings.resources.requests).cpu -}}
{{- if and $limit $request (lt (include "nlpserve.milliCpu" $limit | int) (include "nlpserve.milliCpu" $request | int)) -}}
resources.limits.cpu ({{ $limit }}) must not be below resources.requests.cpu ({{ $request }}), or Kubernetes refuses the pods: raise the limit or lower the request
{{- end -}}
{{- end -}}

{{/* A pod runs one process, so its threads are the model's. One there must be, however small the limit. */}}
{{- define "nlpserve.check.threads" -}}
{{- $threads := int .settings.batching.threads -}}
{{- $limit := default 0 (default dict .settings.resources.limits).cpu -}}
{{- if and $limit (gt $threads 1) (gt (mul $threads 1000) (include "nlpserve.milliCpu" $limit | int64)) -}}
batching.threads ({{ $threads }}) must not be above the CPU limit ({{ $limit }}), or the model is throttled: raise resources.limits.cpu to {{ $threads }}, or leave the threads at 0
{{- end -}}
{{- end -}}

{{- define "nlpserve.check.replicas" -}}
{{- $pods := include "nlpserve.fewestPods" .settings | int -}}
{{- $value := ternary "replicas" "autoscaling.minReplicas" (eq .settings.autoscaling.mode "none") -}}
{{- $most := .settings.podDisruptionBudget.maxUnavailable -}}
{{- $taken := int $most -}}
{{- if kindIs "string" $most -}}
{{- $taken = divf (mulf (trimSuffix "%" $most | int) $pods) 100 | ceil | int -}}
{{- end -}}
{{- if and .settings.podDisruptionBudget.enabled (or (eq .track "stable") (gt $pods 1)) -}}
{{- if eq $taken 0 -}}
podDisruptionBudget.maxUnavailable ({{ $most }}) lets no pod go, so no node can be drained: set it to 1 or more
{{- else if ge $taken $pods -}}
{{ $value }} is {{ $pods }} and podDisruptionBudget.maxUnavailable is {{ $most }}, so one drained node may take every pod: raise {{ $value }} to {{ add1 $taken }} or more, or set podDisruptionBudget.enabled to false where an interruption does no harm
{{- end -}}
{{- end -}}
{{- end -}}

{{/* At 0.7 of what a pod can hold there is still time for another one to start. */}}
{{- define "nlpserve.check.autoscaling" -}}
{{- $autoscaling := .settings.autoscaling -}}
{{- $cap := include "nlpserve.concurrencyCap" .settings | int64 -}}
{{- if ne $autoscaling.mode "none" -}}
{{- if gt (int $autoscaling.minReplicas) (int $autoscaling.maxReplicas) -}}
autoscaling.minReplicas ({{ $autoscaling.minReplicas }}) must not be above maxReplicas ({{ $autoscaling.maxReplicas }}): change one of them
{{- else if gt (int $autoscaling.cpuPercent) 70 -}}
autoscaling.cpuPercent ({{ $autoscaling.cpuPercent }}) must be at most 70, or a full pod hardly looks different from a busy one: lower it
{{- else if eq (include "nlpserve.cpu" .settings) "0" -}}
autoscaling.mode is {{ $autoscaling.mode }}, but the pods have neither a CPU limit nor a request to measure by: set resources.requests.cpu
{{- else if eq $autoscaling.mode "keda" -}}
{{- if not $autoscaling.keda.serverAddress -}}
autoscaling.mode is keda, but autoscaling.keda.serverAddress is empty: set it to the address of Prometheus
{{- else if gt (mulf $autoscaling.keda.inFlight 10) (mulf $cap 7) -}}
autoscaling.keda.inFlight ({{ $autoscaling.keda.inFlight }}) must be at most 0.7 of what a pod can hold ({{ $cap }}: batching.queueLimit, or capacity × limits.deadlineSeconds where that is less), where in-flight texts can rise no further: lower it to {{ divf (mulf $cap 7) 10 | floor }} or less
{{- else if gt (int $autoscaling.keda.fallback.replicas) (int $autoscaling.maxReplicas) -}}
autoscaling.keda.fallback.replicas ({{ $autoscaling.keda.fallback.replicas }}) must not be above maxReplicas ({{ $autoscaling.maxReplicas }}): change one of them
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "nlpserve.check.artifact" -}}
{{- $artifact := .settings.artifact -}}
{{- if and (eq $artifact.source "volume") (not $artifact.volume) -}}
artifact.source is volume, but artifact.volume is empty: set it to a volume source, such as {persistentVolumeClaim: {claimName: models}}
{{- else if and (eq $artifact.source "imageVolume") (not $artifact.imageVolume.reference) -}}
artifact.source is imageVolume, but artifact.imageVolume.reference is empty: set it to the image that holds the model
{{- else if and (eq $artifact.source "image") $artifact.path (not (hasPrefix "/" $artifact.path)) -}}
artifact.path ({{ $artifact.path }}) must be absolute, since artifact.source is image: write where the folder is in the server's image
{{- else if and (ne $artifact.source "image") (or (hasPrefix "/" $artifact.path) (has ".." (splitList "/" $artifact.path))) -}}
artifact.path ({{ $artifact.path }}) must lie within the volume: write it without a leading slash and without ..
{{- else if and (eq $artifact.source "image") (not $artifact.path) (not (has .model (list "intent" "emotion"))) (not .settings.image.repository) -}}
artifact: the server's image ships no model of this name: set artifact.path to its folder in an image of your own, or artifact.source to volume or imageVolume
{{- end -}}
{{- end -}}

{{- define "nlpserve.check.secrets" -}}
{{- if and (eq .settings.predictionLog.mode "hash") (not .settings.predictionLog.existingSecret) -}}
predictionLog.mode is hash, but predictionLog.existingSecret is empty: name the Secret that holds the key of the hashes
{{- end -}}
{{- end -}}

{{- define "nlpserve.check.environment" -}}
{{- $own := list -}}
{{- range include "nlpserve.environment" . | fromYamlArray }}{{ $own = append $own .name }}{{ end -}}
{{- range .settings.env -}}
{{- if has .name $own -}}
env sets {{ .name }}, which the chart sets, too: leave it out and set the chart's own value{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "nlpserve.check.canary" -}}
{{- $foreign := keys (pick .canary.overrides "autoscaling" "canary" "capacity" "enabled" "exposed" "objectives" "replicas" "service") | sortAlpha -}}
{{- if .canary.enabled -}}
{{- if hasKey .models (printf "%s-canary" .model) -}}
canary: there is a model {{ .model }}-canary, whose objects would have the same names: rename that model
{{- else if $foreign -}}
canary.overrides sets {{ join ", " $foreign }}, which no canary has of its own: leave it out, or set what stands beside the overrides
{{- else if and (eq .canary.traffic "route") (not (and .root.Values.httpRoute.enabled .exposed)) -}}
canary.traffic is route, but no HTTPRoute leads to the model: set httpRoute.enabled and exposed to true, or canary.traffic to service
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Models that routes lead to. */}}
{{- define "nlpserve.exposed" -}}
{{- range $model, $settings := include "nlpserve.models" . | fromJson -}}
{{- if $settings.exposed }}{{ $model }} {{ end -}}
{{- end -}}
{{- end -}}

{{- define "nlpserve.check.routes" -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
ingress.host is empty, so every host would lead to the models: set it
{{- else if and .Values.ingress.enabled (not (include "nlpserve.exposed" .)) -}}
ingress.enabled is true, but exposed is false for every model, so it would lead nowhere: set it to true for one, or leave the Ingress out
{{- else if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
httpRoute.parentRefs is empty: name the Gateway, such as [{name: public, namespace: gateways}]
{{- else if and .Values.httpRoute.enabled (not .Values.httpRoute.hostnames) -}}
httpRoute.hostnames is empty, so every host would lead to the models: set them
{{- end -}}
{{- end -}}

{{/* The load has no keys to show. */}}
{{- define "nlpserve.check.rolloutTest" -}}
{{- $guarded := list -}}
{{- range $model, $settings := include "nlpserve.models" . | fromJson -}}
{{- if $settings.apiKeys.existingSecret }}{{ $guarded = append $guarded $model }}{{ end -}}
{{- end -}}
{{- if and .Values.rolloutTest.enabled $guarded -}}
rolloutTest.enabled is true, but {{ join ", " $guarded }} asks for API keys, which the load does not have: set it to false, or test a release without keys
{{- end -}}
{{- end -}}
