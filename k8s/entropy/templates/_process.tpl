{{/* What every process of Entropy shares. */}}

{{- define "entropy.labels" -}}
app.kubernetes.io/name: entropy
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "entropy.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "entropy.redis" -}}
{{ ternary "rediss" "redis" .Values.redis.tls }}://{{ .Values.redis.user }}@{{ .Values.redis.host | default (printf "%s-redis" .Release.Name) }}:{{ .Values.redis.port }}/0
{{- end }}

{{- define "entropy.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "entropy.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "entropy.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What a role shows the forge: of (list root role) the key in the role's Secret, and the end of the file's name. */}}
{{- define "entropy.credential" -}}
{{- $apps := (index . 0).Values.github.apps -}}
{{ ternary "github_app_key" "github_token" (or (hasKey $apps (index . 1)) (hasKey $apps "*")) }}
{{- end }}

{{/*
One Deployment with its ServiceAccount. Of `process`:
name, side (control, sandbox, other), replicas, args; secret and secretKey (a key of it), secretFile (what it is mounted
as); probe (a shell line or nothing), port (where /healthz is served, or nothing), grace (seconds), mirrors (whether it
works with repositories), singleton.
*/}}
{{- define "entropy.process" -}}
{{- $process := .process -}}
{{- with .root -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}-{{ $process.name }}
  labels: {{ include "entropy.labels" . | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-{{ $process.name }}
  labels: &labels
    {{- include "entropy.labels" . | nindent 4 }}
    app.kubernetes.io/component: {{ $process.name }}
    entropy/side: {{ $process.side }}
spec:
  replicas: {{ $process.replicas }}
  {{- if $process.singleton }}
  strategy: {type: Recreate}
  {{- end }}
  selector:
    matchLabels:
      {{- include "entropy.labels" . | nindent 6 }}
      app.kubernetes.io/component: {{ $process.name }}
  template:
    metadata:
      labels: *labels
      annotations:
        checksum/settings: {{ include (print $.root.Template.BasePath "/settings.yaml") . | sha256sum }}
    spec:
      serviceAccountName: {{ .Release.Name }}-{{ $process.name }}
      # The API server knows a sandbox worker by its token; sandboxes.yaml says what it may.
      automountServiceAccountToken: {{ and (eq $process.side "sandbox") .Values.sandbox.kubernetes.enabled }}
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $process.grace | default 60 }}
      securityContext: {{ include "entropy.podSecurity" 10001 | nindent 8 }}
      {{- include "entropy.placement" . | nindent 6 }}
      containers:
        - name: {{ $process.side | replace "other" $process.name }}
          image: {{ include "entropy.image" . | quote }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args: {{ toJson $process.args }}
          envFrom:
            - configMapRef: {name: {{ .Release.Name }}-settings}
            {{- if ne $process.side "other" }}
            - configMapRef: {name: {{ .Release.Name }}-{{ $process.side }}}
            {{- end }}
          securityContext: {{ include "entropy.containerSecurity" . | nindent 12 }}
          resources: {{ index .Values.resources $process.side | toYaml | nindent 12 }}
          {{- with $process.probe }}
          # Readiness and not liveness: it asks by way of Redis, and an outage of Redis is no reason to kill work.
          readinessProbe:
            exec: {command: [sh, -c, {{ . | quote }}]}
            initialDelaySeconds: 10
            periodSeconds: 120
            timeoutSeconds: 20
          {{- end }}
          {{- with $process.port }}
          ports: [{name: http, containerPort: {{ . }}}]
          readinessProbe: &alive
            httpGet: {path: /healthz, port: http}
            periodSeconds: 5
            timeoutSeconds: 5
          # It asks nobody else; a minute, so that a storm of deliveries is sat out.
          livenessProbe:
            <<: *alive
            failureThreshold: 12
          # Whoever still sends here is told to send elsewhere before it ends.
          lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
          {{- end }}
          volumeMounts:
            - {name: secrets, mountPath: /run/secrets, readOnly: true}
            - {name: tmp, mountPath: /tmp}
            {{- if $process.mirrors }}
            - {name: mirrors, mountPath: /var/lib/entropy/mirrors}
            {{- end }}
      volumes:
        - name: secrets
          projected:
            defaultMode: 0440
            sources:
              - secret:
                  name: {{ .Values.secrets.redis }}
                  items: [{key: password, path: redis_password}]
              {{- with $process.secret }}
              - secret:
                  name: {{ . }}
                  items: [{key: {{ $process.secretKey }}, path: {{ $process.secretFile }}}]
              {{- end }}
        - name: tmp
          emptyDir: {sizeLimit: 256Mi}
        {{- if $process.mirrors }}
        - name: mirrors
          emptyDir: {sizeLimit: {{ .Values.mirrors.sizeLimit }}}
        {{- end }}
{{- end }}
{{- end }}
