{{/* Port that the image's entrypoint listens on. */}}
{{- define "nlpserve.port" -}}3000{{- end -}}

{{/* User and group of the image, by number: runAsNonRoot cannot judge a name. */}}
{{- define "nlpserve.user" -}}10001{{- end -}}

{{/* Models that are on, name → settings: each entry laid over the defaults. As JSON. */}}
{{- define "nlpserve.models" -}}
{{- $models := dict -}}
{{- range $name, $entry := .Values.models -}}
{{- $settings := include "nlpserve.laidOver" (dict "outer" $.Values.defaults "inner" $entry) | fromJson -}}
{{- include "nlpserve.dropNulls" $settings -}}
{{- if $settings.enabled }}{{ $_ := set $models $name $settings }}{{ end -}}
{{- end -}}
{{- toJson $models -}}
{{- end -}}

{{/* `inner` laid over `outer`, as JSON. A repository or tag of its own makes an inherited digest void, and a
volume of another kind takes the inherited one's place: Kubernetes refuses two kinds in one volume. */}}
{{- define "nlpserve.laidOver" -}}
{{- $outer := deepCopy .outer -}}
{{- $inner := deepCopy (default dict .inner) -}}
{{- $image := default dict $inner.image -}}
{{- if and (or $image.repository $image.tag) (not $image.digest) -}}
{{- $_ := set $outer.image "digest" "" -}}
{{- end -}}
{{- $volume := (default dict $inner.artifact).volume -}}
{{- if $volume -}}
{{- range $kind, $_ := $outer.artifact.volume -}}
{{- if not (hasKey $volume $kind) }}{{ $_ := unset $outer.artifact.volume $kind }}{{ end -}}
{{- end -}}
{{- end -}}
{{- mergeOverwrite $outer $inner | toJson -}}
{{- end -}}

{{/* Takes out what an entry set to null, such as `resources.limits.cpu`; says nothing. */}}
{{- define "nlpserve.dropNulls" -}}
{{- range $key, $value := . -}}
{{- if kindIs "invalid" $value }}{{ $_ := unset $ $key }}{{ end -}}
{{- if kindIs "map" $value }}{{ include "nlpserve.dropNulls" $value }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* What becomes a Deployment, as a JSON list of `model`, `track`, `name`, `settings`: each model, and
its canary with the overrides laid over the model's settings. */}}
{{- define "nlpserve.workloads" -}}
{{- $workloads := list -}}
{{- range $model, $settings := include "nlpserve.models" . | fromJson -}}
{{- $name := include "nlpserve.modelName" (dict "root" $ "model" $model) -}}
{{- $workloads = append $workloads (dict "model" $model "track" "stable" "name" $name "settings" $settings) -}}
{{- if $settings.canary.enabled -}}
{{- $own := include "nlpserve.laidOver" (dict "outer" $settings "inner" $settings.canary.overrides) | fromJson -}}
{{- include "nlpserve.dropNulls" $own -}}
{{- $_ := set $own "replicas" $settings.canary.replicas -}}
{{- $_ := set $own "autoscaling" (dict "mode" "none") -}}
{{- $workloads = append $workloads (dict "model" $model "track" "canary" "name" (printf "%s-canary" $name) "settings" $own) -}}
{{- end -}}
{{- end -}}
{{- toJson $workloads -}}
{{- end -}}

{{/* Fewest pods that a workload's settings allow. */}}
{{- define "nlpserve.fewestPods" -}}
{{- if eq .autoscaling.mode "none" }}{{ .replicas }}{{ else }}{{ .autoscaling.minReplicas }}{{ end -}}
{{- end -}}

{{/* A CPU quantity in thousandths of a core: 0.5 and 500m are 500. */}}
{{- define "nlpserve.milliCpu" -}}
{{- $text := toString . -}}
{{- if hasSuffix "m" $text }}{{ trimSuffix "m" $text | int }}{{ else }}{{ mulf (float64 $text) 1000 | ceil | int }}{{ end -}}
{{- end -}}

{{/* CPU that a pod may use, in thousandths of a core: the limit, else the request, else 0. */}}
{{- define "nlpserve.cpu" -}}
{{- $limits := default dict .resources.limits -}}
{{- $requests := default dict .resources.requests -}}
{{- include "nlpserve.milliCpu" (default 0 (default $requests.cpu $limits.cpu)) -}}
{{- end -}}

{{/* Texts that a pod can hold: its queue, or what it answers within the deadline where that is known to be
less, since it sheds what would wait longer. */}}
{{- define "nlpserve.concurrencyCap" -}}
{{- $cap := float64 .batching.queueLimit -}}
{{- with .capacity }}{{ $cap = min (floor $cap) (floor (mulf . $.limits.deadlineSeconds)) }}{{ end -}}
{{- int64 $cap -}}
{{- end -}}

{{/* Average CPU of a pod that the autoscaler aims at. */}}
{{- define "nlpserve.cpuTarget" -}}
{{- div (mul (include "nlpserve.cpu" . | int) .autoscaling.cpuPercent) 100 -}}m
{{- end -}}

{{/* Where the pod finds the model's files, as NLPSERVE_MODELS wants it: from `model`, `settings`. */}}
{{- define "nlpserve.artifact" -}}
{{- $artifact := .settings.artifact -}}
{{- if ne $artifact.source "image" -}}
{{- printf "%s=%s" .model (clean (printf "/models/%s/%s" .model $artifact.path)) -}}
{{- else if $artifact.path -}}
{{- printf "%s=%s" .model $artifact.path -}}
{{- else -}}
{{- .model -}}
{{- end -}}
{{- end -}}
