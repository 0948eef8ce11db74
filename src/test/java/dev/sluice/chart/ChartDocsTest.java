package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.fabric8.kubernetes.api.model.ConfigMap;

/** Consistency of the documentation with the chart. */
class ChartDocsTest {

    private static final String README = "helm/README.md";
    private static final String OPERATIONS = "docs/operations.md";

    private static final Pattern SET = Pattern.compile("--set ([A-Za-z.]+)=");
    private static final Pattern CODE = Pattern.compile("`([a-z][A-Za-z]*(?:\\.[A-Za-z]+)+)(?:=[a-z]+)?`");

    private static String read(String file) throws IOException {
        return Files.readString(Path.of(file));
    }

    @ParameterizedTest
    @ValueSource(strings = {README, OPERATIONS})
    void namedValuesExist(String file) throws IOException {
        var text = read(file);
        var values = HelmChart.readFile("values.yaml");
        var unknown = new ArrayList<String>();
        for (var pattern : new Pattern[]{SET, CODE}) {
            var names = pattern.matcher(text);
            while (names.find()) {
                var name = names.group(1);
                boolean value = pattern == SET || values.has(name.split("\\.")[0]);
                if (value && !name.startsWith("rows.") && values.at('/' + name.replace('.', '/')).isMissingNode()) {
                    unknown.add(name);
                }
            }
        }
        assertThat(unknown).isEmpty();
    }

    /** The image that the documentation builds and loads is the one that the chart uses. */
    @ParameterizedTest
    @ValueSource(strings = {README, OPERATIONS})
    void imageIsThatOfTheChart(String file) throws IOException {
        var tags = Pattern.compile("\\bsluice:([0-9][^\\s`]*)").matcher(read(file)).results().map(tag -> tag.group(1)).toList();
        assertThat(tags).isNotEmpty().containsOnly(HelmChart.readFile("Chart.yaml").get("appVersion").asText());
    }

    @Test
    void exampleIsRendered() throws IOException {
        var text = read(README);
        var example = text.substring(text.indexOf("# edge.yaml\n"), text.indexOf("```", text.indexOf("# edge.yaml\n")));
        var rendered = HelmChart.render(example + "adminToken: {enabled: false}\n");
        assertThat(rendered.value("UPSTREAM_URL")).isEqualTo("http://app.shop:8000");
        assertThat(rendered.source("REDIS_PASSWORD")).isEqualTo("redis-password/redis-password");
        assertThat(HelmChart.parse(rendered.get(ConfigMap.class, HelmChart.NAME + "-rows").getData().get("rows.yaml")))
                .isEqualTo(HelmChart.parse(example).get("rows"));
    }
}
