{{- define "shared.label" -}}from two{{- end -}}
{{- define "two.only" -}}only two{{- end -}}
