package dev.sluice.service.observability;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

import dev.sluice.service.llm.LlmTestBase;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.vertx.core.json.JsonObject;

/** The program exports every metric that the dashboard and alerts query: names, labels and their values. */
@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class ChartMetricsTest extends LlmTestBase {

    private static final Path DASHBOARD = Path.of("helm/dashboards/sluice.json");
    private static final Path ALERTS = Path.of("helm/alerts/sluice.yaml");

    /** Labels that Prometheus adds to every metric of a target, and suffixes of histograms. */
    private static final Set<String> TARGET_LABELS = Set.of("job", "instance", "le");

    private static final Pattern SELECTOR = Pattern.compile("\\b([a-z_]+)\\{([^}]*)}");
    private static final Pattern MATCHER = Pattern.compile("([a-z_]+)(=~|!=|=)\"([^\"]*)\"");
    private static final Pattern BY = Pattern.compile("\\bby \\(([^)]*)\\)");
    private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"([^\"]*)\"");

    @ConfigProperty(name = "quarkus.management.test-port", defaultValue = "9001")
    int managementPort;

    @Test
    void queriedMetricsAreExported() throws IOException {
        given().contentType(ContentType.JSON).body("{\"identifier\":\"a\",\"resource\":\"b\",\"rate\":\"1/minute\"}")
                .when().post("/v1/check")
                .then().statusCode(200);
        given().header("Authorization", "Bearer key-of-pro").contentType(ContentType.JSON)
                .body("{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}")
                .when().post("/openai/v1/chat/completions")
                .then().statusCode(200);
        var exported = exported(given().port(managementPort).when().get("/q/metrics").asString());

        var wrong = new ArrayList<String>();
        for (var query : dashboard()) {
            check(query, exported, wrong);
        }
        for (var query : alerts()) {
            check(query, exported, wrong);
        }
        assertThat(wrong).isEmpty();
    }

    private static void check(String query, Map<String, Map<String, Set<String>>> exported, List<String> wrong) {
        var labels = new HashSet<>(TARGET_LABELS);
        var selectors = SELECTOR.matcher(query);
        int found = 0;
        while (selectors.find()) {
            found++;
            var metric = exported.get(selectors.group(1));
            if (metric == null) {
                wrong.add(selectors.group(1) + " is not exported: " + query);
                continue;
            }
            labels.addAll(metric.keySet());
            var matchers = MATCHER.matcher(selectors.group(2));
            while (matchers.find()) {
                var label = matchers.group(1);
                var value = matchers.group(3);
                if (TARGET_LABELS.contains(label)) {
                    continue;
                }
                for (var single : value.split("\\|")) {
                    if (!metric.containsKey(label) || !single.startsWith("$") && !metric.get(label).contains(single)) {
                        wrong.add("no " + label + "=" + single + " in " + query);
                    }
                }
            }
        }
        if (found == 0) {
            wrong.add("no metric in " + query);
        }
        var by = BY.matcher(query);
        while (by.find()) {
            for (var label : by.group(1).split(",")) {
                if (!labels.contains(label.strip())) {
                    wrong.add("by " + label.strip() + " in " + query);
                }
            }
        }
    }

    /** Returns the values of each label, by name of the metric. */
    private static Map<String, Map<String, Set<String>>> exported(String text) {
        var metrics = new HashMap<String, Map<String, Set<String>>>();
        for (var line : text.lines().filter(any -> !any.startsWith("#")).toList()) {
            var name = line.split("[{ ]", 2)[0];
            var labels = metrics.computeIfAbsent(name, any -> new HashMap<>());
            var all = LABEL.matcher(line);
            while (all.find()) {
                labels.computeIfAbsent(all.group(1), any -> new HashSet<>()).add(all.group(2));
            }
        }
        return metrics;
    }

    private static List<String> dashboard() throws IOException {
        var dashboard = new JsonObject(Files.readString(DASHBOARD));
        var queries = new ArrayList<String>();
        for (var variable : dashboard.getJsonObject("templating").getJsonArray("list")) {
            if (((JsonObject) variable).getValue("query") instanceof JsonObject query) {
                var text = query.getString("query");
                assertThat(text).matches("label_values\\(.+, [a-z]+\\)");
                queries.add(text.replaceFirst("label_values\\(([a-z_]+)(\\{.*})?, ([a-z]+)\\)", "sum by ($3) ($1$2)")
                        .replaceFirst("\\(([a-z_]+)\\)$", "($1{})"));
            }
        }
        for (var panel : dashboard.getJsonArray("panels")) {
            var targets = ((JsonObject) panel).getJsonArray("targets");
            for (int i = 0; targets != null && i < targets.size(); i++) {
                queries.add(targets.getJsonObject(i).getString("expr"));
            }
        }
        assertThat(queries).hasSizeGreaterThan(20);
        return queries;
    }

    private static List<String> alerts() throws IOException {
        var file = Files.readString(ALERTS);
        var queries = new ArrayList<String>();
        var expressions = Pattern.compile("(?s)\n +expr: (.*?)\n +(?:for|labels):").matcher(file);
        while (expressions.find()) {
            queries.add(expressions.group(1).replaceAll("\\s+", " "));
        }
        assertThat(queries).hasSize(file.split("- alert: ").length - 1).hasSizeGreaterThan(6);
        return queries;
    }
}
