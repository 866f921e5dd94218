{{/* Which version of the Capabilities and APIVersions to use: a comment says nothing. */}}
{{- define "capabilities.ingress" -}}
{{- if .Capabilities.APIVersions.Has "networking.k8s.io/v1/Ingress" -}}networking.k8s.io/v1
{{- else if $.Capabilities.APIVersions.Has "networking.k8s.io/v1" -}}networking.k8s.io/v1beta1
{{- else -}}extensions/v1beta1{{- end -}}
{{- end -}}
