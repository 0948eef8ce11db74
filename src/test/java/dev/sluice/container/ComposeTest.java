package dev.sluice.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

/** compose.yaml, and the files that its Prometheus and Grafana read. */
class ComposeTest {

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final JsonNode SERVICES = read(Path.of("compose.yaml")).get("services");

    private static JsonNode read(Path file) {
        try {
            return YAML.readTree(file.toFile());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> fieldNames(JsonNode node) {
        var names = new ArrayList<String>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** Returns the file of this repository that a path in a container is mounted from. */
    private static Path mounted(String service, String path) {
        for (var volume : SERVICES.get(service).get("volumes")) {
            var parts = volume.asText().split(":");
            assertThat(parts).as(volume.asText()).hasSize(3).endsWith("ro");
            if (Path.of(path).startsWith(parts[1])) {
                return Path.of(parts[0]).resolve(Path.of(parts[1]).relativize(Path.of(path))).normalize();
            }
        }
        throw new AssertionError(path + " is not mounted");
    }

    @Test
    void sluiceIsBuiltFromSourceAndWaitsForValkey() {
        var sluice = SERVICES.get("sluice");
        var build = sluice.get("build");
        assertThat(build.get("context").asText()).isEqualTo(".");
        assertThat(build.get("dockerfile").asText()).isEqualTo("src/main/docker/Dockerfile");
        assertThat(fieldNames(sluice.get("depends_on"))).containsExactly("valkey", "api").allMatch(SERVICES::has);
        assertThat(sluice.at("/environment/REDIS_HOST").asText()).isEqualTo("valkey");
        assertThat(sluice.at("/environment/UPSTREAM_URL").asText()).isEqualTo("http://api");
        assertThat(SERVICES.get("valkey").has("healthcheck")).isTrue();
    }

    @Test
    void monitoringIsAProfile() {
        for (var service : SERVICES.properties()) {
            boolean monitoring = List.of("prometheus", "grafana").contains(service.getKey());
            assertThat(service.getValue().path("profiles").path(0).asText()).as(service.getKey())
                    .isEqualTo(monitoring ? "monitoring" : "");
            assertThat(service.getValue().get("image").asText()).doesNotEndWith(":latest");
            service.getValue().path("ports").forEach(port -> assertThat(port.asText()).as("on this machine only")
                    .startsWith("127.0.0.1:"));
        }
    }

    @Test
    void prometheusScrapesTheManagementPortAndReadsTheAlerts() throws IOException {
        var file = mounted("prometheus", "/etc/prometheus/prometheus.yml");
        var config = read(file);
        assertThat(config.get("rule_files")).singleElement()
                .satisfies(pattern -> assertThat(pattern.asText()).isEqualTo("alerts/*.yaml"));
        var alerts = mounted("prometheus", "/etc/prometheus/alerts");
        assertThat(alerts.resolve("sluice.yaml")).exists();
        assertThat(config.get("scrape_configs")).singleElement().satisfies(job -> {
            assertThat(job.get("metrics_path").asText()).isEqualTo("/q/metrics");
            var target = job.at("/static_configs/0/targets/0").asText().split(":");
            assertThat(SERVICES.get(target[0]).get("ports")).anyMatch(port -> port.asText().endsWith(':' + target[1]));
            assertThat(Files.readString(alerts.resolve("sluice.yaml")))
                    .contains("job=\"" + job.get("job_name").asText() + '"');
        });
    }

    @Test
    void grafanaHasTheDashboardAndItsDataSource() {
        var source = read(mounted("grafana", "/etc/grafana/provisioning/datasources/sluice.yaml")).at("/datasources/0");
        assertThat(source.get("type").asText()).isEqualTo("prometheus");
        assertThat(source.get("url").asText()).isEqualTo("http://prometheus:9090");
        assertThat(source.get("isDefault").asBoolean()).isTrue();
        var provider = read(mounted("grafana", "/etc/grafana/provisioning/dashboards/sluice.yaml")).at("/providers/0");
        var dashboard = provider.at("/options/path").asText() + "/sluice.json";
        assertThat(SERVICES.at("/grafana/environment/GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH").asText()).isEqualTo(dashboard);
        assertThat(read(mounted("grafana", dashboard)).get("title").asText()).isEqualTo("Sluice");
    }
}
