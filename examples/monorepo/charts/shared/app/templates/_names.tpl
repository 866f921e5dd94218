{{/* The name of all objects: the alias of the dependency, unless overridden. */}}
{{- define "app.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end }}

{{/* Labels that select the pods; they never change, since a Deployment's selector cannot. */}}
{{- define "app.selector" -}}
app.kubernetes.io/name: {{ include "app.name" . }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "app.labels" -}}
{{ include "app.selector" . }}
app.kubernetes.io/part-of: {{ .Release.Namespace }}
app.kubernetes.io/version: {{ .Values.image.tag | trunc 63 | replace ":" "_" | quote }}
{{- with .Values.global.cluster }}
example.com/cluster: {{ . }}
{{- end }}
{{- end }}

{{- define "app.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- include "app.name" . -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{/* Repository and tag, or repository and digest. */}}
{{- define "app.image" -}}
{{- $join := ternary "@" ":" (hasPrefix "sha256:" .Values.image.tag) -}}
{{- printf "%s%s%s" .Values.image.repository $join .Values.image.tag -}}
{{- end }}
