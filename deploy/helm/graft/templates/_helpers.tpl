{{- define "graft.labels" -}}
app.kubernetes.io/name: graft
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "graft.selector" -}}
app.kubernetes.io/name: graft
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "graft.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* What every program of the image runs under. */}}
{{- define "graft.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "graft.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "graft.env" -}}
- { name: GRAFT_HOME, value: /data }
- { name: GRAFT_MODELS, value: /data/models }
- { name: GRAFT_HOST, value: 0.0.0.0 }
- { name: GRAFT_PORT, value: '4000' }
- { name: GRAFT_DRAIN_SECONDS, value: {{ .Values.gateways.drainSeconds | quote }} }
- { name: CHROMA_URL, value: {{ .Values.chroma.url | quote }} }
- { name: GRAFT_S3_ENDPOINT, value: {{ .Values.s3.endpoint | quote }} }
- { name: GRAFT_S3_BUCKET, value: {{ .Values.s3.bucket | quote }} }
- { name: GRAFT_S3_REGION, value: {{ .Values.s3.region | quote }} }
{{- if .Values.vllm.enabled }}
- { name: GRAFT_ENGINES, value: {{ printf "dns+http://%s-vllm:8000" .Release.Name | quote }} }
- { name: GRAFT_ENGINES_ADAPTERS, value: /adapters }
{{- end }}
{{- if .Values.training.enabled }}
- { name: GRAFT_RUNS, value: '-TRAINING,-LEARNING_RATE_SEARCH' }
{{- end }}
{{- range $name, $value := .Values.gateways.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}
