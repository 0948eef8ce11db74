package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.marcnuri.helm.Helm;

/** Installation and upgrades of the chart: missing tokens are generated once and kept. */
class ChartInstallTest {

    private FakeKubernetesApi cluster;

    @BeforeEach
    void start() throws IOException {
        cluster = new FakeKubernetesApi();
        var install = new Helm(HelmChart.DIRECTORY).install().withName(HelmChart.RELEASE).withNamespace(HelmChart.NAMESPACE)
                .withKubeConfigContents(cluster.kubeConfig()).disableOpenApiValidation().set("valkey.enabled", true);
        assertThat(install.call().getStatus()).isEqualTo("deployed");
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

    private String secret(String key) {
        return new String(Base64.getDecoder().decode(cluster.object("secrets/" + HelmChart.NAME).at("/data/" + key).asText()),
                StandardCharsets.UTF_8);
    }

    private JsonNode template() {
        return cluster.object("deployments/" + HelmChart.NAME).at("/spec/template");
    }

    @Test
    void generatedTokensAreKeptByUpgrades() {
        var admin = secret("admin-token");
        var password = secret("redis-password");
        assertThat(admin).matches("[a-zA-Z0-9]{40}").isNotEqualTo(password);
        assertThat(password).matches("[a-zA-Z0-9]{40}");
        var template = template().deepCopy();

        upgrade(Map.of("service.port", 8080));
        assertThat(cluster.object("services/" + HelmChart.NAME).at("/spec/ports/0/port").asInt()).isEqualTo(8080);
        assertThat(secret("admin-token")).isEqualTo(admin);
        assertThat(secret("redis-password")).isEqualTo(password);
        assertThat(template()).as("no pod is restarted").isEqualTo(template);

        upgrade(Map.of("apiToken.enabled", true));
        assertThat(secret("admin-token")).isEqualTo(admin);
        assertThat(secret("api-token")).matches("[a-zA-Z0-9]{40}").isNotEqualTo(admin);
        assertThat(template().at("/metadata")).as("pods are restarted").isNotEqualTo(template.at("/metadata"));
    }

    @Test
    void configuredTokenReplacesGeneratedOne() {
        upgrade(Map.of("adminToken.value", "of-mine"));
        assertThat(secret("admin-token")).isEqualTo("of-mine");
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
