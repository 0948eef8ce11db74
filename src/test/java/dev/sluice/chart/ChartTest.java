package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

import org.junit.jupiter.api.Test;

import com.marcnuri.helm.Helm;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;

/** Effects of single values. */
class ChartTest {

    private static final String CHECKSUM = "checksum/secrets";

    private static String secret(RenderedChart rendered, String name, String key) {
        return new String(Base64.getDecoder().decode(rendered.get(Secret.class, name).getData().get(key)),
                StandardCharsets.UTF_8);
    }

    private static String checksum(RenderedChart rendered) {
        return rendered.deployment().getSpec().getTemplate().getMetadata().getAnnotations().get(CHECKSUM);
    }

    @Test
    void lintReportsNoProblems() {
        var lint = new Helm(HelmChart.DIRECTORY).lint().strict().call();
        assertThat(lint.isFailed()).as(lint.getMessages().toString()).isFalse();
        assertThat(lint.getMessages()).isEmpty();
    }

    @Test
    void rulesOfTheValuesAreTheRulesFile() {
        var rendered = SampleValues.ALL_VALUES.render();
        var rules = HelmChart.parse(rendered.get(ConfigMap.class, HelmChart.NAME + "-rows").getData().get("rows.yaml"));
        assertThat(rules).isEqualTo(HelmChart.parse(SampleValues.ALL_VALUES.yaml()).get("rows")).isNotEmpty();
        assertThat(rendered.value("RATE_LIMIT_FILE")).isEqualTo("/etc/sluice/rows/rows.yaml");
    }

    @Test
    void changedRulesDoNotRestartPods() {
        var one = HelmChart.render("{redis: {host: r}, adminToken: {value: a}, rows: {default: 1/minute}}");
        var two = HelmChart.render("{redis: {host: r}, adminToken: {value: a}, rows: {default: 2/minute}}");
        assertThat(two.get(ConfigMap.class, HelmChart.NAME + "-rows").getData())
                .isNotEqualTo(one.get(ConfigMap.class, HelmChart.NAME + "-rows").getData());
        assertThat(two.deployment()).isEqualTo(one.deployment());
    }

    @Test
    void changedSecretsRestartPods() {
        var one = HelmChart.render("{redis: {host: r, password: p}, adminToken: {value: a}}");
        assertThat(checksum(one)).hasSize(64)
                .isEqualTo(checksum(HelmChart.render("{redis: {host: r, password: p}, adminToken: {value: a}, replicas: 5}")))
                .isNotEqualTo(checksum(HelmChart.render("{redis: {host: r, password: q}, adminToken: {value: a}}")))
                .isNotEqualTo(checksum(HelmChart.render("{redis: {host: r, password: p}, adminToken: {value: b}}")));
    }

    @Test
    void secretsContainTheValues() {
        var rendered = SampleValues.ALL_VALUES.render();
        assertThat(List.of("admin-token", "api-token", "redis-password", "openai-api-key", "anthropic-api-key",
                "gemini-api-key")).extracting(key -> secret(rendered, HelmChart.NAME, key)).containsExactly("s3cr3t-admin",
                        "s3cr3t-api", "s3cr3t-redis", "s3cr3t-openai", "s3cr3t-anthropic", "s3cr3t-gemini");
        assertThat(List.of("RATE_LIMIT_ADMIN_TOKEN", "RATE_LIMIT_API_TOKEN", "REDIS_PASSWORD", "RATE_LIMIT_LLM_OPENAI_API_KEY",
                "RATE_LIMIT_LLM_ANTHROPIC_API_KEY", "RATE_LIMIT_LLM_GEMINI_API_KEY")).extracting(rendered::source)
                .containsExactly("edge-sluice/admin-token", "edge-sluice/api-token", "edge-sluice/redis-password",
                        "edge-sluice/openai-api-key", "edge-sluice/anthropic-api-key", "edge-sluice/gemini-api-key");
        var keys = HelmChart.NAME + "-api-keys";
        assertThat(secret(rendered, keys, "RATE_LIMIT_API_KEYS_MOBILE_SHA256")).hasSize(64);
        assertThat(secret(rendered, keys, "RATE_LIMIT_API_KEYS_MOBILE_USER")).isEqualTo("s3cr3t-user");
        assertThat(secret(rendered, keys, "RATE_LIMIT_API_KEYS_MOBILE_TIER")).isEqualTo("pro");
        assertThat(rendered.container().getEnvFrom().get(0).getSecretRef().getName()).isEqualTo(keys);
    }

    @Test
    void providersHaveAnyName() {
        var rendered = HelmChart.render("""
                redis: {host: r}
                adminToken: {enabled: false}
                llm:
                  azure-eu: {type: openai, existingSecret: providers, authHeader: api-key, askUsage: false, models: [a, "b-*"]}
                """);
        assertThat(List.of("TYPE", "AUTH_HEADER", "ASK_USAGE", "MODELS"))
                .extracting(name -> rendered.value("RATE_LIMIT_LLM_AZURE_EU_" + name))
                .containsExactly("openai", "api-key", "false", "a,b-*");
        assertThat(rendered.source("RATE_LIMIT_LLM_AZURE_EU_API_KEY")).isEqualTo("providers/azure-eu-api-key");
    }

    @Test
    void existingSecretsAreUsedAndNoneIsCreated() {
        var rendered = SampleValues.EXISTING_SECRETS.render();
        assertThat(rendered.all(Secret.class)).isEmpty();
        assertThat(List.of("RATE_LIMIT_ADMIN_TOKEN", "RATE_LIMIT_API_TOKEN", "REDIS_PASSWORD", "RATE_LIMIT_LLM_OPENAI_API_KEY",
                "RATE_LIMIT_LLM_ANTHROPIC_API_KEY", "RATE_LIMIT_LLM_GEMINI_API_KEY")).extracting(rendered::source)
                .containsExactly("tokens/admin", "tokens/api", "store/redis-password", "providers/openai-api-key",
                        "providers/anthropic-api-key", "providers/google");
        assertThat(rendered.container().getEnvFrom()).singleElement()
                .satisfies(from -> assertThat(from.getSecretRef().getName()).isEqualTo("callers"));
    }

    @Test
    void redisAddressIsConfigured() {
        var rendered = SampleValues.ALL_VALUES.render();
        assertThat(List.of("REDIS_HOST", "REDIS_PORT", "REDIS_DB", "REDIS_TLS", "REDIS_ENABLED")).extracting(rendered::value)
                .containsExactly("redis.data.svc", "6380", "3", "true", "true");
        var sentinels = SampleValues.SENTINELS.render();
        assertThat(secret(sentinels, HelmChart.NAME, "redis-hosts"))
                .isEqualTo("rediss://sluice:s3cr3t-1@s1:26379,rediss://sluice:s3cr3t-1@s2:26379");
        assertThat(sentinels.source("REDIS_HOSTS")).isEqualTo("edge-sluice/redis-hosts");
        assertThat(List.of("REDIS_CLIENT_TYPE", "REDIS_MASTER_NAME", "QUARKUS_TLS_REDIS_TRUST_STORE_PEM_CERTS"))
                .extracting(sentinels::value).containsExactly("sentinel", "limits", "/etc/sluice/redis-ca/ca.crt");
        assertThat(sentinels.variable("REDIS_HOST")).isNull();
        var existing = SampleValues.EXISTING_REDIS_ADDRESS.render();
        assertThat(existing.source("REDIS_HOSTS")).isEqualTo("store/urls");
        assertThat(existing.variable("REDIS_PASSWORD")).isNull();
        var memory = SampleValues.MEMORY_ONLY.render();
        assertThat(memory.value("REDIS_ENABLED")).isEqualTo("false");
        assertThat(memory.variable("REDIS_HOST")).isNull();
    }

    @Test
    void valkeyIsDeployedIfEnabled() {
        var rendered = SampleValues.BUNDLED_VALKEY.render();
        assertThat(rendered.get(Service.class, rendered.value("REDIS_HOST")).getSpec().getPorts().get(0).getPort())
                .hasToString(rendered.value("REDIS_PORT"));
        var valkey = rendered.get(StatefulSet.class, HelmChart.NAME + "-valkey").getSpec().getTemplate().getSpec();
        assertThat(valkey.getContainers().get(0).getEnv()).singleElement().satisfies(password -> assertThat(
                password.getValueFrom().getSecretKeyRef()).isEqualTo(
                        rendered.variable("REDIS_PASSWORD").getValueFrom().getSecretKeyRef()));
        assertThat(valkey.getContainers().get(0).getArgs()).containsSequence("--requirepass", "$(VALKEY_PASSWORD)")
                .containsSequence("--maxmemory-policy", "noeviction").containsSequence("--appendonly", "no");
        assertThat(valkey.getVolumes()).singleElement().satisfies(data -> assertThat(data.getEmptyDir()).isNotNull());

        var keeping = SampleValues.PERSISTENT_VALKEY.render();
        var set = keeping.get(StatefulSet.class, HelmChart.NAME + "-valkey").getSpec();
        assertThat(set.getVolumeClaimTemplates()).singleElement().satisfies(claim -> {
            assertThat(claim.getSpec().getStorageClassName()).isEqualTo("fast");
            assertThat(claim.getSpec().getResources().getRequests().get("storage")).hasToString("2Gi");
        });
        assertThat(set.getTemplate().getSpec().getContainers().get(0).getArgs()).containsSequence("--appendonly", "yes");
        assertThat(keeping.source("REDIS_PASSWORD")).isEqualTo("store/pass");
    }

    @Test
    void networkPolicyAdmitsOnlySluiceToValkey() {
        var policy = SampleValues.BUNDLED_VALKEY.render().get(NetworkPolicy.class, HelmChart.NAME + "-valkey").getSpec();
        assertThat(policy.getPolicyTypes()).containsExactlyInAnyOrder("Ingress", "Egress");
        assertThat(policy.getEgress()).isEmpty();
        assertThat(policy.getIngress()).singleElement().satisfies(rule -> assertThat(rule.getFrom()).singleElement()
                .satisfies(from -> assertThat(
                        SampleValues.BUNDLED_VALKEY.render().selectPods(from.getPodSelector().getMatchLabels()))
                        .singleElement().satisfies(pod -> assertThat(pod.getMetadata().getLabels())
                                .containsEntry("app.kubernetes.io/component", "gateway"))));
    }

    @Test
    void egressIsRestricted() {
        var own = SampleValues.BUNDLED_VALKEY.render();
        var toValkey = own.get(NetworkPolicy.class, HelmChart.NAME).getSpec().getEgress().get(1);
        assertThat(own.selectPods(toValkey.getTo().get(0).getPodSelector().getMatchLabels())).singleElement().satisfies(
                pod -> assertThat(pod.getMetadata().getLabels()).containsEntry("app.kubernetes.io/component", "valkey"));
        var elsewhere = SampleValues.ALL_VALUES.render().get(NetworkPolicy.class, HelmChart.NAME).getSpec().getEgress();
        assertThat(elsewhere).flatExtracting(rule -> rule.getPorts()).extracting(port -> port.getPort().getIntVal())
                .containsExactly(53, 53, 6380, 443);
        var sentinels = SampleValues.SENTINELS.render().get(NetworkPolicy.class, HelmChart.NAME).getSpec().getEgress();
        assertThat(sentinels.get(1).getPorts()).isEmpty();
        assertThat(sentinels.get(1).getTo().get(0).getIpBlock().getCidr()).isEqualTo("10.1.0.0/16");
        assertThat(SampleValues.EXTERNAL_REDIS.render().get(NetworkPolicy.class, HelmChart.NAME).getSpec().getPolicyTypes())
                .containsExactly("Ingress");
    }

    @Test
    void optionalObjectsAreDisabledByDefault() {
        var rendered = SampleValues.EXTERNAL_REDIS.render();
        assertThat(rendered.all(HorizontalPodAutoscaler.class)).isEmpty();
        assertThat(rendered.all(ServiceMonitor.class)).isEmpty();
        assertThat(rendered.all(PrometheusRule.class)).isEmpty();
        assertThat(rendered.all(StatefulSet.class)).isEmpty();
        assertThat(rendered.all(ConfigMap.class)).hasSize(1);
        assertThat(SampleValues.MINIMAL.render().objects()).extracting(object -> object.getKind()).containsExactlyInAnyOrder(
                "ServiceAccount", "ConfigMap", "Service", "Service", "Deployment");
        assertThat(rendered.all(GenericKubernetesResource.class)).isEmpty();
    }

    @Test
    void replicasAndAutoscalingAreConfigured() {
        var rendered = SampleValues.ALL_VALUES.render();
        var scaler = rendered.get(HorizontalPodAutoscaler.class, HelmChart.NAME).getSpec();
        assertThat(List.of(scaler.getMinReplicas(), scaler.getMaxReplicas())).containsExactly(3, 9);
        assertThat(scaler.getBehavior().getScaleDown().getStabilizationWindowSeconds()).isEqualTo(600);
        assertThat(rendered.value("RATE_LIMIT_INSTANCES")).isEqualTo("3");
        assertThat(SampleValues.EXTERNAL_REDIS.render().value("RATE_LIMIT_INSTANCES")).isEqualTo("2");
        var none = HelmChart.render("{redis: {enabled: false}, adminToken: {enabled: false}, replicas: 0}");
        assertThat(none.deployment().getSpec().getReplicas()).isZero();
        assertThat(none.value("RATE_LIMIT_INSTANCES")).as("minimum of the program").isEqualTo("1");
    }

    @Test
    void appVersionIsTheVersionOfTheProgram() throws IOException {
        assertThat(Files.readString(Path.of("pom.xml")))
                .contains("<artifactId>sluice</artifactId>\n  <version>"
                        + HelmChart.readFile("Chart.yaml").get("appVersion").asText());
    }

    @Test
    void imageIsConfigurable() {
        assertThat(SampleValues.EXTERNAL_REDIS.render().container().getImage())
                .isEqualTo("sluice:" + HelmChart.readFile("Chart.yaml").get("appVersion").asText());
        assertThat(SampleValues.ALL_VALUES.render().container().getImage()).isEqualTo("registry.example.com/edge/sluice:1.2.3");
        assertThat(SampleValues.PUBLIC_SERVICE.render().container().getImage()).startsWith("sluice@sha256:");
        assertThat(SampleValues.NATIVE_IMAGE.render().container().getImage())
                .isEqualTo("sluice:" + HelmChart.readFile("Chart.yaml").get("appVersion").asText() + "-native");
    }

    @Test
    void preStopHookDelaysTermination() {
        assertThat(SampleValues.EXTERNAL_REDIS.render().container().getLifecycle().getPreStop().getSleep().getSeconds())
                .isEqualTo(5);
        assertThat(HelmChart.render(SampleValues.EXTERNAL_REDIS.yaml(), "1.29.0").container().getLifecycle())
                .as("version without the sleep action").isNull();
    }

    @Test
    void rulesFileMayBeAnExistingObject() {
        var volumes = SampleValues.RULES_AND_KEYS_FROM_SECRET.render().deployment().getSpec().getTemplate().getSpec()
                .getVolumes();
        assertThat(volumes).extracting("secret.secretName").contains("rows-and-keys");
        volumes = SampleValues.RULES_FROM_CONFIG_MAP.render().deployment().getSpec().getTemplate().getSpec().getVolumes();
        assertThat(volumes).extracting("configMap.name").contains("rows-of-ours");
    }

    @Test
    void requestsWithoutATokenAreConfigurable() {
        var byDefault = SampleValues.EXTERNAL_REDIS.render();
        assertThat(byDefault.value("RATE_LIMIT_CHECK_RATE")).isEqualTo("600/minute");
        assertThat(byDefault.container().getEnv()).extracting("name").doesNotContain("RATE_LIMIT_CHECK_OPEN");
        var configured = SampleValues.ALL_VALUES.render();
        assertThat(configured.value("RATE_LIMIT_CHECK_RATE")).isEqualTo("100/minute;1000/hour");
        assertThat(configured.value("RATE_LIMIT_CHECK_OPEN")).isEqualTo("true");
    }

    /** The service serves the request that the notes show. */
    @Test
    void notesShowARequest() {
        var check = "/v1/check";
        assertThat(HelmChart.notes("{redis: {host: r}}")).contains(check).doesNotContain("API_TOKEN");
        assertThat(HelmChart.notes("{redis: {host: r}, upstream: {url: 'http://app'}}")).doesNotContain(check)
                .contains("curl -i localhost:8080/\n");
        assertThat(HelmChart.notes("{redis: {host: r}, upstream: {url: 'http://app'}, check: {open: true}}")).contains(check)
                .doesNotContain("API_TOKEN");
        assertThat(HelmChart.notes("{redis: {host: r}, upstream: {url: 'http://app'}, apiToken: {enabled: true}}"))
                .contains(check).contains("Bearer $API_TOKEN");
    }

    @Test
    void notesDescribeNextSteps() {
        assertThat(HelmChart.notes("{redis: {host: r}, apiToken: {enabled: true}}")).contains(
                "get secret edge-sluice-tokens -o go-template='{{index .data \"admin-token\" | base64decode}}'",
                "API_TOKEN=$(kubectl --namespace limits get secret edge-sluice-tokens", "helm test edge --namespace limits");
        assertThat(HelmChart
                .notes("{redis: {host: r}, httpRoute: {enabled: true, parentRefs: [{name: g}], hostnames: [a.example.com]}}"))
                .contains("WARNING: trustedProxies", "a.example.com");
        assertThat(HelmChart.notes(SampleValues.EXTERNAL_REDIS.yaml())).contains("port-forward service/edge-sluice 8080:80",
                "get secret edge-sluice -o go-template='{{index .data \"admin-token\" | base64decode}}'")
                .doesNotContain("WARNING");
        assertThat(HelmChart.notes(SampleValues.EXISTING_SECRETS.yaml())).contains("get secret tokens",
                "{{index .data \"admin\"");
        assertThat(HelmChart.notes(SampleValues.BUNDLED_VALKEY.yaml())).contains("Valkey");
        assertThat(HelmChart.notes("{redis: {host: r}, ingress: {enabled: true}}")).contains("WARNING: trustedProxies");
        assertThat(HelmChart.notes(SampleValues.ALL_VALUES.yaml())).contains("https://api.example.com/").doesNotContain(
                "WARNING",
                "s3cr3t");
    }
}
