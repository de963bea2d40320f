{{/* Name of the shared objects. */}}
{{- define "nlpserve.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := printf "%s-%s" .Release.Name $name -}}
{{- if contains $name .Release.Name }}{{ $full = .Release.Name }}{{ end -}}
{{- $full = default $full .Values.fullnameOverride | replace "." "-" -}}
{{- include "nlpserve.short" (dict "name" $full "length" 34) -}}
{{- end -}}

{{/* `name`, cut to `length`; a hash keeps cut names apart. */}}
{{- define "nlpserve.short" -}}
{{- if le (len .name) (int .length) -}}
{{- .name -}}
{{- else -}}
{{- printf "%s-%s" (.name | trunc (sub .length 7 | int) | trimSuffix "-") (sha256sum .name | trunc 6) -}}
{{- end -}}
{{- end -}}

{{/* Name of a model's objects, from `root` and `model`; the release's part is cut first. With "-canary" it has
46 characters at most: of longer names Kubernetes cuts the pods', which alerts and KEDA's query take apart. */}}
{{- define "nlpserve.modelName" -}}
{{- $room := max 16 (sub 38 (len .model)) -}}
{{- $full := include "nlpserve.short" (dict "name" (include "nlpserve.fullname" .root) "length" $room) -}}
{{- include "nlpserve.short" (dict "name" (printf "%s-%s" $full .model) "length" 39) -}}
{{- end -}}

{{- define "nlpserve.serviceAccountName" -}}
{{- $own := ternary (include "nlpserve.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{/* Image of a model, from `root` and the model's `image`. Another repository or tag makes the release's
digest void. */}}
{{- define "nlpserve.image" -}}
{{- $shared := .root.Values.image -}}
{{- $repository := default $shared.repository .image.repository -}}
{{- $digest := .image.digest -}}
{{- if not (or .image.repository .image.tag .image.digest) }}{{ $digest = $shared.digest }}{{ end -}}
{{- $tag := default .root.Chart.AppVersion (default $shared.tag .image.tag) -}}
{{- ternary (printf "%s@%s" $repository $digest) (printf "%s:%s" $repository $tag) (ne $digest "") -}}
{{- end -}}
