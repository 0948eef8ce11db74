package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.marcnuri.helm.Helm;

import io.fabric8.kubernetes.api.model.Secret;

/** Installation and upgrades of the chart: missing tokens are generated once and kept. */
class ChartInstallTest {

    private static final String VALKEY = "valkey: {enabled: true}\n";

    private FakeKubernetesApi cluster;

    @BeforeEach
    void start() throws IOException {
        cluster = new FakeKubernetesApi();
        HelmChart.install(cluster, VALKEY);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private void upgrade(Map<String, Object> values) {
        var upgrade = new Helm(HelmChart.DIRECTORY).upgrade().withName(HelmChart.RELEASE).withNamespace(HelmChart.NAMESPACE)
                .withKubeConfigContents(cluster.kubeConfig()).disableOpenApiValidation().set("valkey.enabled", true);
        values.forEach(upgrade::set);
        assertThat(upgrade.call().getStatus()).isEqualTo("deployed");
    }

    private String generated(String key) {
        return secret(HelmChart.NAME + "-tokens", key);
    }

    private String secret(String name, String key) {
        return new String(Base64.getDecoder().decode(cluster.object("secrets/" + name).at("/data/" + key).asText()),
                StandardCharsets.UTF_8);
    }

    private JsonNode template() {
        return cluster.object("deployments/" + HelmChart.NAME).at("/spec/template");
    }

    @Test
    void generatedTokensAreKeptByUpgrades() {
        var admin = generated("admin-token");
        var password = generated("redis-password");
        assertThat(admin).matches("[a-zA-Z0-9]{40}").isNotEqualTo(password);
        assertThat(password).matches("[a-zA-Z0-9]{40}");
        var template = template().deepCopy();

        upgrade(Map.of("service.port", 8080));
        assertThat(cluster.object("services/" + HelmChart.NAME).at("/spec/ports/0/port").asInt()).isEqualTo(8080);
        assertThat(generated("admin-token")).isEqualTo(admin);
        assertThat(generated("redis-password")).isEqualTo(password);
        assertThat(template()).as("no pod is restarted").isEqualTo(template);

        upgrade(Map.of("apiToken.enabled", true));
        assertThat(generated("admin-token")).isEqualTo(admin);
        assertThat(generated("api-token")).matches("[a-zA-Z0-9]{40}").isNotEqualTo(admin);
        assertThat(template()).as("pods are restarted").isNotEqualTo(template);
    }

    @Test
    void configuredTokenReplacesGeneratedOne() {
        var password = generated("redis-password");
        var template = template().deepCopy();
        upgrade(Map.of("adminToken.value", "of-mine"));
        assertThat(secret(HelmChart.NAME, "admin-token")).isEqualTo("of-mine");
        assertThat(cluster.object("secrets/" + HelmChart.NAME + "-tokens").get("data").has("admin-token")).isFalse();
        assertThat(generated("redis-password")).isEqualTo(password);
        assertThat(template()).as("pods are restarted").isNotEqualTo(template);
    }

    @Test
    void existingSecretOfTheNameIsUsed() throws IOException {
        try (var other = new FakeKubernetesApi()) {
            var secret = HelmChart.parse("""
                    apiVersion: v1
                    kind: Secret
                    metadata: {name: edge-sluice-tokens, namespace: limits}
                    data: {admin-token: b2YtdGhlaXJz, redis-password: b2YtdGhlaXJz}
                    """);
            other.put("v1/secrets/edge-sluice-tokens", secret.deepCopy());
            HelmChart.install(other, VALKEY);
            var installed = other.object("secrets/edge-sluice-tokens");
            assertThat(installed.get("data")).isEqualTo(secret.get("data"));
            assertThat(installed.at("/metadata/labels").isMissingNode()).as("not managed by Helm").isTrue();
        }
    }

    /** Otherwise each rendering would have other tokens, and each synchronization by Argo CD would restart the pods. */
    @Test
    void renderingsWithoutAClusterAreTheSame() throws IOException {
        var values = VALKEY + "apiToken: {enabled: true}\n";
        var text = renderWithoutCluster(values);
        assertThat(renderWithoutCluster(values)).isEqualTo(text);
        assertThat(text)
                .contains("# The Secret edge-sluice-tokens (admin-token, api-token, redis-password) is not part of this");
        var rendered = HelmChart.parseObjects(text);
        assertThat(rendered.all(Secret.class)).isEmpty();
        assertThat(List.of("RATE_LIMIT_ADMIN_TOKEN", "RATE_LIMIT_API_TOKEN", "REDIS_PASSWORD")).extracting(rendered::source)
                .containsExactly("edge-sluice-tokens/admin-token", "edge-sluice-tokens/api-token",
                        "edge-sluice-tokens/redis-password");
        assertThat(rendered.variable("RATE_LIMIT_ADMIN_TOKEN").getValueFrom().getSecretKeyRef().getOptional())
                .as("without it the admin endpoints are disabled").isTrue();
        assertThat(rendered.variable("RATE_LIMIT_API_TOKEN").getValueFrom().getSecretKeyRef().getOptional())
                .as("without it the decision endpoints would be open").isNull();
    }

    private static String renderWithoutCluster(String values) throws IOException {
        try (var blind = new FakeKubernetesApi(false)) {
            HelmChart.install(blind, values);
            return blind.release();
        }
    }

    /** A release that Argo CD takes over from Helm restarts no pod. */
    @Test
    void podsAreTheSameWithAndWithoutACluster() throws IOException {
        var rendered = HelmChart.parseObjects(renderWithoutCluster(VALKEY)).deployment().getSpec().getTemplate();
        var installed = HelmChart.parseObjects(cluster.release()).deployment().getSpec().getTemplate();
        assertThat(rendered).isEqualTo(installed);
    }

    @Test
    void changedRuleChangesOnlyTheRulesFile() {
        var template = template().deepCopy();
        upgrade(Map.of("rows.default", "20/minute"));
        assertThat(cluster.object("configmaps/" + HelmChart.NAME + "-rows").at("/data/rows.yaml").asText())
                .contains("default: 20/minute");
        assertThat(template()).isEqualTo(template);
    }
}
