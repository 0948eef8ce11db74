package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;

/** Consistency of values.yaml, values.schema.json and the table in the README. */
class ChartValuesTest {

    private static final Path README = HelmChart.DIRECTORY.resolve("README.md");
    private static final String BEGIN = "<!-- values: begin -->\n";
    private static final String END = "<!-- values: end -->";

    private static final JsonNode SCHEMA = HelmChart.readFile("values.schema.json");
    private static final JsonNode VALUES = HelmChart.readFile("values.yaml");

    @Test
    void everyValueHasADescription() {
        var undescribed = new ArrayList<String>();
        collectUndescribed("", SCHEMA, undescribed);
        assertThat(undescribed).isEmpty();
    }

    private static void collectUndescribed(String name, JsonNode schema, List<String> undescribed) {
        for (var container : List.of("properties", "patternProperties", "definitions")) {
            for (var property : schema.path(container).properties()) {
                var path = name + '/' + property.getKey();
                if (container.equals("properties") && property.getValue().path("description").asText().isBlank()) {
                    undescribed.add(path);
                }
                collectUndescribed(path, property.getValue(), undescribed);
            }
        }
        for (var container : List.of("items", "additionalProperties")) {
            if (schema.path(container).isObject()) {
                collectUndescribed(name + "/*", schema.get(container), undescribed);
            }
        }
    }

    @Test
    void valuesAndSchemaHaveTheSameKeys() {
        var differences = new ArrayList<String>();
        compare("", SCHEMA, VALUES, differences);
        assertThat(differences).isEmpty();
    }

    private static void compare(String name, JsonNode schema, JsonNode values, List<String> differences) {
        if (!isClosed(schema) || values.isEmpty()) {
            return;
        }
        var keys = new HashSet<String>();
        schema.path("properties").fieldNames().forEachRemaining(keys::add);
        values.fieldNames().forEachRemaining(key -> {
            if (!keys.remove(key)) {
                differences.add(name + key + " is not in the schema");
            }
        });
        for (var key : keys) {
            if (!mayBeMissing(name + key)) {
                differences.add(name + key + " is not in the values");
            }
        }
        values.properties().forEach(value -> compare(name + value.getKey() + '.',
                schema.path("properties").path(value.getKey()), value.getValue(), differences));
    }

    private static boolean mayBeMissing(String name) {
        return name.equals("global") || name.endsWith(".initialDelaySeconds") || name.endsWith("resources.claims");
    }

    private static boolean isClosed(JsonNode schema) {
        return schema.has("properties") && schema.path("additionalProperties").isBoolean();
    }

    /** {@code -Dsluice.chart.write=true} updates the README. */
    @Test
    void readmeContainsTheValues() throws IOException {
        var table = new StringBuilder("\n| value | default | meaning |\n|---|---|---|\n");
        appendRows("", SCHEMA, VALUES, table);
        table.append('\n');
        var readme = Files.readString(README);
        int begin = readme.indexOf(BEGIN) + BEGIN.length();
        int end = readme.indexOf(END);
        if (Boolean.getBoolean("sluice.chart.write")) {
            Files.writeString(README, readme.substring(0, begin) + table + readme.substring(end));
        } else {
            assertThat(readme.substring(begin, end)).isEqualTo(table.toString());
        }
    }

    private static void appendRows(String prefix, JsonNode schema, JsonNode values, StringBuilder table) {
        for (var property : schema.path("properties").properties()) {
            var name = prefix + property.getKey();
            var value = values.path(property.getKey());
            if (mayBeMissing(name)) {
                continue;
            }
            if (isClosed(property.getValue()) && (!value.isEmpty() || name.equals("rows"))) {
                appendRows(name + '.', property.getValue(), value, table);
            } else {
                table.append("| `").append(name).append("` | ").append(value.isMissingNode() ? "" : "`" + value + "` ")
                        .append("| ").append(meaning(property.getValue()).replace("|", "\\|")).append(" |\n");
            }
        }
    }

    private static String meaning(JsonNode schema) {
        var allowed = new ArrayList<String>();
        schema.path("enum").forEach(value -> {
            if (!value.asText().isEmpty()) {
                allowed.add('`' + value.asText() + '`');
            }
        });
        return schema.path("description").asText() + (allowed.isEmpty() ? "" : ": " + String.join(", ", allowed));
    }
}
