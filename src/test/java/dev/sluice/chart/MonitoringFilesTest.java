package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;

/** The plain files of alerts and dashboard, and what the chart makes of them: the same with the labels of Kubernetes. */
class MonitoringFilesTest {

    private static final String ALERTS = "alerts/sluice.yaml";
    private static final String DASHBOARD = "dashboards/sluice.json";
    private static final String TARGET = "namespace=\"limits\",job=\"edge-sluice-management\"";

    private static JsonNode plainAlerts() {
        return HelmChart.readFile(ALERTS).at("/groups/0/rules");
    }

    private static JsonNode alerts(String values) {
        var rule = HelmChart.render(values).get(PrometheusRule.class, HelmChart.NAME);
        return HelmChart.parse(RenderedChart.toJson(rule)).at("/spec/groups/0/rules");
    }

    private static String withoutKubernetes(String text) {
        return text.replace(TARGET, "job=\"sluice\"").replace("by (namespace, job", "by (job")
                .replace("(job, pod)", "(job, instance)")
                .replace("$labels.pod", "$labels.instance");
    }

    @Test
    void plainFilesNeedNoKubernetes() throws IOException {
        for (var file : new String[]{ALERTS, DASHBOARD}) {
            var text = Files.readString(HelmChart.DIRECTORY.resolve(file)).replaceAll("(?m)^#.*", "");
            assertThat(text).as(file).doesNotContain("namespace", "pod");
        }
        assertThat(plainAlerts()).hasSizeGreaterThan(6).allSatisfy(
                rule -> assertThat(rule.get("expr").asText().split("job=\"sluice\"").length)
                        .isEqualTo(rule.get("expr").asText().split("\\{").length).isGreaterThan(1));
    }

    @Test
    void alertsOfTheChartAreThePlainOnes() {
        var text = alerts("""
                redis: {host: r}
                adminToken: {enabled: false}
                prometheusRule: {enabled: true}
                """).toString();
        assertThat(text).contains(TARGET.replace("\"", "\\\""), "$labels.pod");
        var expected = HelmChart.parse(plainAlerts().toString().replace("used their fallback", "used their fallback (local)"));
        var alerts = (ArrayNode) HelmChart.parse(text);
        for (var alert : alerts) {
            replaceText((ObjectNode) alert, "expr");
            replaceText((ObjectNode) alert.get("annotations"), "description");
        }
        assertThat((JsonNode) alerts).isEqualTo(expected);
    }

    private static void replaceText(ObjectNode node, String field) {
        node.put(field, withoutKubernetes(node.get(field).asText()));
    }

    @Test
    void thresholdsAreConfigurable() {
        var alerts = alerts("""
                redis: {host: r}
                adminToken: {enabled: false}
                fallback: closed
                prometheusRule: {enabled: true, denialRatio: 0.25, denialsPerSecond: 7}
                """);
        assertThat(alerts).filteredOn(alert -> alert.get("alert").asText().equals("SluiceDenialSurge")).singleElement()
                .satisfies(alert -> {
                    assertThat(alert.get("expr").asText()).contains("> 0.25 * sum").endsWith("[5m])) > 7");
                    assertThat(alert.at("/annotations/description").asText()).endsWith("more than 0.25 of all.");
                });
        assertThat(alerts).filteredOn(alert -> alert.get("alert").asText().equals("SluiceStoreDown")).singleElement()
                .satisfies(alert -> assertThat(alert.at("/annotations/description").asText()).contains("(closed)"));
    }

    @Test
    void everyAlertIsDocumented() throws IOException {
        var operations = Files.readString(Path.of("docs/operations.md"));
        var rules = SampleValues.ALL_VALUES.render().get(PrometheusRule.class, HelmChart.NAME).getSpec().getGroups().get(0)
                .getRules();
        assertThat(rules).hasSize(operations.split("### Sluice").length - 1).allSatisfy(rule -> {
            assertThat(operations).contains("### " + rule.getAlert() + "\n");
            assertThat(rule.getAnnotations()).containsKeys("summary", "description").containsEntry("runbook_url",
                    "https://docs.example.com/operations#" + rule.getAlert().toLowerCase(Locale.ROOT));
            assertThat(rule.getLabels().get("severity")).isIn("warning", "critical");
            assertThat(rule.getExpr().getStrVal()).contains(TARGET).doesNotContain("{{");
        });
    }

    @Test
    void noRedisAlertsWithoutRedis() {
        var rules = HelmChart.render(SampleValues.MEMORY_ONLY.yaml() + "prometheusRule: {enabled: true}\n")
                .get(PrometheusRule.class, HelmChart.NAME).getSpec().getGroups().get(0).getRules();
        assertThat(rules).isNotEmpty().extracting(rule -> rule.getAlert()).doesNotContain("SluiceStoreDown",
                "SluiceFallbackActive", "SluiceLedgerDrops");
    }

    @Test
    void dashboardOfTheChartIsThePlainOne() {
        var map = SampleValues.ALL_VALUES.render().get(ConfigMap.class, HelmChart.NAME + "-dashboard");
        assertThat(map.getMetadata().getLabels()).containsEntry("grafana_dashboard", "1");
        var dashboard = HelmChart.parse(map.getData().get("sluice.json"));
        var variables = (ArrayNode) dashboard.at("/templating/list");
        assertThat(variables).extracting(variable -> variable.get("name").asText()).containsExactly("datasource", "namespace",
                "job", "resource");
        assertThat(variables.get(1).at("/query/query").asText())
                .isEqualTo("label_values(rate_limit_store_available, namespace)");
        assertThat(variables.get(2).at("/query/query").asText())
                .isEqualTo("label_values(rate_limit_store_available{namespace=\"$namespace\"}, job)");
        for (var panel : dashboard.get("panels")) {
            for (var target : panel.path("targets")) {
                var expression = target.get("expr").asText();
                assertThat(expression.split("\\{namespace=\"\\$namespace\",job=\"\\$job\"").length).as(expression)
                        .isEqualTo(expression.split("\\{").length).isGreaterThan(1);
            }
        }
        variables.remove(1);
        var plain = HelmChart.parse(dashboard.toString().replace("namespace=\\\"$namespace\\\",", "")
                .replace("{namespace=\\\"$namespace\\\"}", "").replace("{{pod}}", "{{instance}}")
                .replace("by (pod)", "by (instance)"));
        assertThat(plain).isEqualTo(HelmChart.readFile(DASHBOARD));
    }
}
