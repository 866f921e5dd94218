{{- define "shared.label" -}}from the parent{{- end -}}
