package dev.sluice.chart;

import java.util.Set;

/** Sets of values, one for each way to deploy Sluice. Secret values start with {@code s3cr3t}. */
enum SampleValues {

    EXTERNAL_REDIS("""
            adminToken: {value: s3cr3t-admin}
            redis: {host: redis.data.svc}
            """),

    BUNDLED_VALKEY("""
            adminToken: {value: s3cr3t-admin}
            valkey: {enabled: true}
            redis: {password: s3cr3t-redis}
            replicas: 1
            networkPolicy: {egress: {enabled: true}}
            """),

    PERSISTENT_VALKEY("""
            adminToken: {value: s3cr3t-admin}
            valkey: {enabled: true, persistence: {enabled: true, size: 2Gi, storageClass: fast}}
            redis: {existingSecret: store, existingSecretKey: pass}
            """),

    SENTINELS("""
            adminToken: {value: s3cr3t-admin}
            redis:
              hosts: ["rediss://sluice:s3cr3t-1@s1:26379", "rediss://sluice:s3cr3t-1@s2:26379"]
              clientType: sentinel
              masterName: limits
              caSecret: redis-authority
            networkPolicy:
              egress:
                enabled: true
                redisTo: [{ipBlock: {cidr: 10.1.0.0/16}}]
            """),

    MEMORY_ONLY("""
            redis: {enabled: false}
            replicas: 1
            adminToken: {enabled: false}
            """),

    EXISTING_SECRETS("""
            redis: {host: redis, tls: true, existingSecret: store}
            adminToken: {existingSecret: tokens, existingSecretKey: admin}
            apiToken: {enabled: true, existingSecret: tokens, existingSecretKey: api}
            apiKeys: {existingSecret: callers}
            llm:
              openai: {existingSecret: providers}
              anthropic: {existingSecret: providers}
              gemini: {existingSecret: providers, existingSecretKey: google}
            """),

    EXISTING_REDIS_ADDRESS("""
            adminToken: {value: s3cr3t-admin}
            redis: {existingSecret: store, existingSecretKey: "", existingSecretHostsKey: urls, clientType: cluster}
            """),

    ALL_VALUES(
            """
                    commonLabels: {team: edge}
                    image: {registry: registry.example.com/edge/, tag: "1.2.3", pullSecrets: [pull]}
                    upstream: {url: "http://app.shop:8000"}
                    dryRun: true
                    fallback: closed
                    timeout: 50ms
                    apiPrefix: ""
                    trustedProxies: [10.0.0.0/8, 192.0.2.1, "fd00::/8", "::1"]
                    check: {rate: "100/minute;1000/hour", open: true}
                    jwt: {publicKeyLocation: "https://login.example.com/jwks", issuer: "https://login.example.com"}
                    rows:
                      tiers: [free, pro]
                      default: 10/minute
                      defaults: {pro: 100/minute}
                      endpoints:
                        /auth/login: {free: 5/minute, fallback: closed}
                        POST /reports/{id}: {pro: "2/minute;20/day", free: blocked}
                        /exports: {pro: 1000/calendar-month, key: [caller, "header:X-Tenant"], also: [everything],
                          methods: [GET], hosts: api.example.com, shadow: true,
                          cost: 'query:n;max=5', count: [401, '!5xx', 4xx]}
                      rules:
                        everything: {key: ip, free: 1000/minute}
                      exempt: [/healthz]
                      domains: {edge: [{key: remote_address, rate: 10/minute}]}
                      llm:
                        free-calls: 30/minute
                        groq: {requests: {pro: 30/minute}}
                        openai:
                          requests: {pro: 60/minute}
                          tokens: {pro: "100000/minute;2000000/day"}
                          input-tokens: {pro: 80000/minute}
                          budget: {pro: 0.50/hour}
                          output-estimate: 2000000
                          fallback: closed
                          models: {gpt-4o: {requests: {free: 1/minute}, output-tokens: {pro: 9000/hour}}}
                          prices: {house-model: {input: 0.15, output: "2"}}
                    llm:
                      openai: {apiKey: s3cr3t-openai, baseUrl: "https://llm.example.com/v1"}
                      anthropic: {apiKey: s3cr3t-anthropic}
                      gemini: {apiKey: s3cr3t-gemini, passThrough: true}
                      groq: {type: openai, baseUrl: "https://api.groq.com/openai/v1", apiKey: s3cr3t-groq, askUsage: false,
                             authHeader: api-key, prices: openai, models: ["llama-*", qwen]}
                    adminToken: {value: s3cr3t-admin}
                    apiToken: {enabled: true, value: s3cr3t-api}
                    apiKeys:
                      keys:
                        mobile:
                          sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                          user: s3cr3t-user
                          tier: pro
                    redis: {host: redis.data.svc, port: 6380, db: 3, tls: true, password: s3cr3t-redis}
                    ingress:
                      enabled: true
                      className: nginx
                      hosts: [{host: api.example.com, paths: [{path: /, pathType: Prefix}]}]
                      tls: [{secretName: api-tls, hosts: [api.example.com]}]
                    grpc: {enabled: true, port: 9081}
                    httpRoute:
                      enabled: true
                      annotations: {example.com/note: "outer"}
                      parentRefs: [{name: public, namespace: gateways, sectionName: https}]
                      hostnames: [api.example.com]
                    networkPolicy:
                      from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}]
                      grpcFrom: [{podSelector: {matchLabels: {app: envoy}}}]
                      egress: {enabled: true, extra: [{ports: [{port: 443, protocol: TCP}]}]}
                    autoscaling: {enabled: true, minReplicas: 3, maxReplicas: 9, behavior: {scaleDown: {stabilizationWindowSeconds: 600}}}
                    podDisruptionBudget: {maxUnavailable: 25%}
                    serviceMonitor: {enabled: true, labels: {release: prometheus}}
                    prometheusRule: {enabled: true, labels: {release: prometheus}, runbookBaseUrl: "https://docs.example.com/operations"}
                    grafanaDashboard: {enabled: true}
                    podAnnotations: {example.com/note: "yes"}
                    podLabels: {example.com/zone: outer}
                    hostAliases: [{ip: 10.0.0.5, hostnames: [redis.data.svc]}]
                    dnsPolicy: None
                    dnsConfig: {nameservers: [10.96.0.10], options: [{name: ndots, value: "2"}]}
                    initContainers:
                      - &container
                        name: wait
                        image: registry.example.com/wait:1
                        securityContext:
                          {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
                        resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 16Mi}}
                    sidecars: [{<<: *container, name: forward-logs}]
                    priorityClassName: high
                    nodeSelector: {kubernetes.io/arch: arm64}
                    tolerations: [{key: edge, operator: Exists}]
                    affinity: {nodeAffinity: {}}
                    extraEnv: [{name: QUARKUS_HTTP_LIMITS_MAX_CONNECTIONS, value: "20000"}]
                    extraEnvFrom: [{configMapRef: {name: more}}]
                    extraVolumes: [{name: more, emptyDir: {}}]
                    extraVolumeMounts: [{name: more, mountPath: /more}]
                    """),

    RULES_AND_KEYS_FROM_SECRET("""
            adminToken: {value: s3cr3t-admin}
            redis: {host: redis}
            rowsFrom: {secret: rows-and-keys, key: limits.yaml}
            """),

    RULES_FROM_CONFIG_MAP("""
            adminToken: {value: s3cr3t-admin}
            redis: {host: redis}
            rowsFrom: {configMap: rows-of-ours}
            """),

    PUBLIC_SERVICE("""
            adminToken: {value: s3cr3t-admin}
            fullnameOverride: edge-sluice
            image: {digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
            redis: {host: redis}
            service: {type: LoadBalancer, port: 443, externalTrafficPolicy: Local, annotations: {example.com/lb: "outer"},
              loadBalancerClass: example.com/outer, loadBalancerSourceRanges: [203.0.113.0/24, "2001:db8::/32"]}
            serviceAccount: {create: false, name: theirs}
            serviceMonitor: {enabled: true}
            """),

    NATIVE_IMAGE("""
            adminToken: {enabled: false}
            redis: {host: redis}
            image: {native: true}
            upstream: {url: "http://app"}
            """),

    MINIMAL("""
            redis: {host: redis}
            networkPolicy: {enabled: false}
            podDisruptionBudget: {enabled: false}
            topologySpread: {enabled: false}
            adminToken: {enabled: false}
            tests: {enabled: false}
            preStopSeconds: 0
            terminationGracePeriodSeconds: 30
            """);

    /** Names of objects that some of these sets expect to exist. */
    static final Set<String> EXISTING_OBJECTS = Set.of("store", "tokens", "callers", "providers", "rows-and-keys",
            "rows-of-ours", "redis-authority", "more");

    private final String values;

    SampleValues(String values) {
        this.values = values;
    }

    String yaml() {
        return values;
    }

    RenderedChart render() {
        return HelmChart.render(values);
    }
}
