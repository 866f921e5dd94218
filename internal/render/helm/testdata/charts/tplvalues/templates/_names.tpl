{{- define "tplvalues.name" -}}{{ .Release.Name }}-{{ .Chart.Name }}{{- end -}}
{{- define "tplvalues.render" -}}
{{- if typeIs "string" .value }}{{ tpl .value .context }}{{ else }}{{ tpl (.value | toYaml) .context }}{{ end }}
{{- end -}}
