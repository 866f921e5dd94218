{{- define "shared.label" -}}from one{{- end -}}
{{- define "one.only" -}}only one{{- end -}}
