{{- define "sluice.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 52 characters, so that a name with any suffix stays within 63. */}}
{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "sluice.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "sluice.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Labels of all objects of the release. Arguments: root, component. */}}
{{- define "sluice.labels" -}}
{{ include "sluice.selectorLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: sluice
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sluice.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sluice.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "sluice.image" -}}
{{- $name := .image.repository }}
{{- if .image.registry }}{{ $name = printf "%s/%s" (trimSuffix "/" .image.registry) $name }}{{ end }}
{{- if .image.digest }}
{{- printf "%s@%s" $name .image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default (printf "%s%s" .tag (ternary "-native" "" (default false .image.native))) .image.tag) }}
{{- end }}
{{- end }}

{{- define "sluice.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "sluice.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "sluice.valkeyName" -}}
{{ include "sluice.fullname" . }}-valkey
{{- end }}

{{/* Name of the Secret of the generated tokens. */}}
{{- define "sluice.tokensName" -}}
{{ include "sluice.fullname" . }}-tokens
{{- end }}

{{/* Keys of the tokens that no value gives, as a list. */}}
{{- define "sluice.generatedKeys" -}}
{{- $keys := list }}
{{- range $key, $token := dict "admin-token" .Values.adminToken "api-token" .Values.apiToken }}
{{- if and $token.enabled (not $token.existingSecret) (not $token.value) }}
{{- $keys = append $keys $key }}
{{- end }}
{{- end }}
{{- if and .Values.valkey.enabled .Values.redis.enabled (not .Values.redis.existingSecret) (not .Values.redis.password) }}
{{- $keys = append $keys "redis-password" }}
{{- end }}
{{- toJson $keys }}
{{- end }}

{{/*
Whether this rendering includes the Secret of the generated tokens: "true" or empty. It does not without access to the cluster, where
each rendering would have other tokens (helm template, Argo CD): then, as when it finds a Secret of that name that Helm does not
manage, the Secret is the user's. A list of Secrets is never empty with access, because it has a kind.
*/}}
{{- define "sluice.generatesTokens" -}}
{{- if include "sluice.generatedKeys" . | fromJsonArray }}
{{- $secret := lookup "v1" "Secret" .Release.Namespace (include "sluice.tokensName" .) }}
{{- if $secret }}
{{- if eq (dig "metadata" "labels" "app.kubernetes.io/managed-by" "" $secret) "Helm" }}true{{ end }}
{{- else if lookup "v1" "Secret" .Release.Namespace "" }}true{{ end }}
{{- end }}
{{- end }}

{{/* Data of the chart's own Secret: the secret values. */}}
{{- define "sluice.secretData" -}}
{{- $data := dict }}
{{- range $key, $token := dict "admin-token" .Values.adminToken "api-token" .Values.apiToken }}
{{- if and $token.enabled (not $token.existingSecret) $token.value }}
{{- $_ := set $data $key $token.value }}
{{- end }}
{{- end }}
{{- range $name, $provider := .Values.llm }}
{{- if and $provider.apiKey (not $provider.existingSecret) }}
{{- $_ := set $data (printf "%s-api-key" $name) $provider.apiKey }}
{{- end }}
{{- end }}
{{- $redis := .Values.redis }}
{{- if and $redis.enabled (not $redis.existingSecret) }}
{{- if $redis.password }}
{{- $_ := set $data "redis-password" $redis.password }}
{{- end }}
{{- if $redis.hosts }}
{{- $_ := set $data "redis-hosts" (join "," $redis.hosts) }}
{{- end }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{/* API keys as environment variables: hash, user and tier. */}}
{{- define "sluice.apiKeyData" -}}
{{- $data := dict }}
{{- if not .Values.apiKeys.existingSecret }}
{{- range $id, $key := .Values.apiKeys.keys }}
{{- $prefix := printf "RATE_LIMIT_API_KEYS_%s" (upper $id) }}
{{- $_ := set $data (printf "%s_SHA256" $prefix) $key.sha256 }}
{{- $_ := set $data (printf "%s_USER" $prefix) $key.user }}
{{- if $key.tier }}
{{- $_ := set $data (printf "%s_TIER" $prefix) $key.tier }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{/* An environment variable from an existing Secret or from the chart's own. Arguments: root, name, existing, existingKey, key. */}}
{{- define "sluice.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ default (include "sluice.fullname" .root) .existing }}
      key: {{ ternary .existingKey .key (not (empty .existing)) }}
{{- end }}

{{/* Secret and key of a token: the existing Secret, the chart's own, or that of the generated tokens. Arguments: root, key, value, existing, existingKey. */}}
{{- define "sluice.tokenRef" -}}
{{- if .existing }}
name: {{ .existing }}
key: {{ .existingKey }}
{{- else }}
name: {{ if .value }}{{ include "sluice.fullname" .root }}{{ else }}{{ include "sluice.tokensName" .root }}{{ end }}
key: {{ .key }}
{{- end }}
{{- end }}

{{/* The same of the admin token, the API token and the password of Redis. Argument: the root. */}}
{{- define "sluice.adminTokenRef" -}}
{{- with .Values.adminToken -}}
{{ include "sluice.tokenRef" (dict "root" $ "key" "admin-token" "value" .value "existing" .existingSecret "existingKey" .existingSecretKey) | trim }}
{{- end }}
{{- end }}
{{- define "sluice.apiTokenRef" -}}
{{- with .Values.apiToken -}}
{{ include "sluice.tokenRef" (dict "root" $ "key" "api-token" "value" .value "existing" .existingSecret "existingKey" .existingSecretKey) | trim }}
{{- end }}
{{- end }}
{{- define "sluice.redisPasswordRef" -}}
{{- with .Values.redis -}}
{{ include "sluice.tokenRef" (dict "root" $ "key" "redis-password" "value" .password "existing" .existingSecret "existingKey" .existingSecretKey) | trim }}
{{- end }}
{{- end }}

{{/* Validation that a JSON schema cannot express. */}}
{{- define "sluice.check" -}}
{{- with .Values }}
{{- if and .redis.enabled (not .valkey.enabled) (not .redis.host) (not .redis.hosts) (not (and .redis.existingSecret .redis.existingSecretHostsKey)) }}
{{- fail "Where is Redis? Set redis.host or redis.hosts; or valkey.enabled=true for a test; or redis.enabled=false to keep the windows in memory" }}
{{- end }}
{{- if and .valkey.enabled (not .redis.enabled) }}
{{- fail "valkey.enabled needs redis.enabled" }}
{{- end }}
{{- if and .valkey.enabled (or .redis.host .redis.hosts .redis.existingSecretHostsKey .redis.clientType .redis.tls) }}
{{- fail "valkey.enabled brings a Valkey of its own: do not set redis.host, .hosts, .existingSecretHostsKey, .clientType or .tls" }}
{{- end }}
{{- if and .valkey.enabled .redis.existingSecret (not .redis.existingSecretKey) }}
{{- fail "valkey.enabled needs a password: set redis.existingSecretKey to its key in redis.existingSecret" }}
{{- end }}
{{- if and .redis.existingSecret .redis.hosts }}
{{- fail "With redis.existingSecret the URLs come from that Secret too: set redis.existingSecretHostsKey to their key instead of redis.hosts" }}
{{- end }}
{{- if and .networkPolicy.enabled .networkPolicy.egress.enabled .redis.enabled (not (or .valkey.enabled .redis.host .networkPolicy.egress.redisTo)) }}
{{- fail "networkPolicy.egress.enabled with a list of Redis URLs needs networkPolicy.egress.redisTo: the peers of Redis" }}
{{- end }}
{{- if and .httpRoute.enabled (not .httpRoute.parentRefs) }}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs: the Gateways, such as [{name: public, namespace: gateways}]" }}
{{- end }}
{{- if and (ne .service.type "LoadBalancer") (or .service.loadBalancerClass .service.loadBalancerSourceRanges) }}
{{- fail "service.loadBalancerClass and service.loadBalancerSourceRanges need service.type=LoadBalancer" }}
{{- end }}
{{- if and (eq .dnsPolicy "None") (not .dnsConfig.nameservers) }}
{{- fail "dnsPolicy=None needs dnsConfig.nameservers" }}
{{- end }}
{{- if and .autoscaling.enabled (gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) }}
{{- fail "autoscaling.minReplicas is larger than autoscaling.maxReplicas" }}
{{- end }}
{{- if and .rowsFrom.configMap .rowsFrom.secret }}
{{- fail "Set either rowsFrom.configMap or rowsFrom.secret, not both" }}
{{- end }}
{{- if and .rows (or .rowsFrom.configMap .rowsFrom.secret) }}
{{- fail "Set either rows or rowsFrom, not both" }}
{{- end }}
{{- if lt (int .terminationGracePeriodSeconds) (add 25 (int .preStopSeconds) | int) }}
{{- fail "terminationGracePeriodSeconds must be at least preStopSeconds + 25 (the time for requests in progress)" }}
{{- end }}
{{- end }}
{{- end }}
