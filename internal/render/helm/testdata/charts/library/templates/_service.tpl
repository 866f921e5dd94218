{{- define "library.service" -}}
{{- $base := dict "apiVersion" "v1" "kind" "Service" "metadata" (dict "name" .Release.Name "labels" (include "library.labels" . | fromYaml)) -}}
{{- $spec := dict "ports" (list (dict "port" (.Values.port | int) "name" "http")) "selector" (dict "app" .Chart.Name) -}}
{{- toYaml (merge $base (dict "spec" $spec)) -}}
{{- end -}}
{{- define "library.labels" -}}
app: {{ .Chart.Name }}
library: "yes"
{{- end -}}
