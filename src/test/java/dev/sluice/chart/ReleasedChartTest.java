package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import com.fasterxml.jackson.databind.JsonNode;
import com.marcnuri.helm.Helm;

import io.fabric8.kubernetes.api.model.apps.Deployment;

/** The chart that a release publishes: its first command needs no image of one's own. */
class ReleasedChartTest {

    private static final Path WORKFLOW = Path.of(".github/workflows/release.yml");

    @TempDir
    private static Path folder;
    private static Path chart;

    @BeforeAll
    static void write() throws IOException, InterruptedException {
        chart = folder.resolve("sluice");
        var process = new ProcessBuilder("bash", ".ci/release-chart", "1.2.3", "Some-Org/Sluice", chart.toString()).inheritIO()
                .start();
        assertThat(process.waitFor()).isZero();
    }

    private static JsonNode read(String file) throws IOException {
        return HelmChart.parse(Files.readString(chart.resolve(file)));
    }

    @Test
    void imageIsThatOfTheRelease() {
        var text = new Helm(chart).template().withName(HelmChart.RELEASE).withKubeVersion("1.33.0").set("redis.host", "redis")
                .set("adminToken.enabled", "false").call();
        assertThat(HelmChart.parseObjects(text).all(Deployment.class)).singleElement().satisfies(deployment -> assertThat(
                deployment.getSpec().getTemplate().getSpec().getContainers().get(0).getImage())
                .isEqualTo("ghcr.io/some-org/sluice:1.2.3"));
    }

    @Test
    void onlyImageVersionAndAddressesDiffer() throws IOException {
        assertThat(differences("values.yaml")).containsExactly("  registry: ghcr.io/some-org", "  repository: sluice");
        assertThat(differences("Chart.yaml")).containsExactly("version: 1.2.3", "appVersion: 1.2.3",
                "home: https://github.com/Some-Org/Sluice", "  - https://github.com/Some-Org/Sluice",
                "icon: https://raw.githubusercontent.com/Some-Org/Sluice/v1.2.3/helm/icon.svg",
                "    url: https://github.com/Some-Org/Sluice");
        var lint = new Helm(chart).lint().strict().call();
        assertThat(lint.isFailed()).as(lint.getMessages().toString()).isFalse();
    }

    /** Returns the lines of a file of the release that are not in that of the repository, and those of Sluice's image. */
    private static ArrayList<String> differences(String file) throws IOException {
        var lines = new ArrayList<>(Files.readAllLines(chart.resolve(file)));
        lines.removeAll(Files.readAllLines(HelmChart.DIRECTORY.resolve(file)));
        if (file.equals("values.yaml")) {
            lines.add("  repository: " + read(file).at("/image/repository").asText());
        }
        return lines;
    }

    @Test
    void iconExistsAndHomeIsThatOfTheProject() throws IOException {
        var metadata = HelmChart.readFile("Chart.yaml");
        var home = metadata.get("home").asText();
        assertThat(Files.readString(Path.of("pom.xml"))).contains("<project.home>" + home + "</project.home>");
        assertThat(metadata.at("/sources/0").asText()).isEqualTo(home);
        assertThat(metadata.get("icon").asText()).isEqualTo(home + "/helm/icon.svg");
        assertThat(Files.readString(HelmChart.DIRECTORY.resolve("icon.svg"))).startsWith("<svg ");
    }

    @Test
    void workflowPushesTheChartAfterTheImages() throws IOException {
        var jobs = HelmChart.parse(Files.readString(WORKFLOW)).get("jobs");
        var job = jobs.get("chart");
        assertThat(job.get("needs").asText()).isEqualTo("images");
        assertThat(jobs.at("/publish/needs")).extracting(JsonNode::asText).contains("chart");
        assertThat(job.at("/permissions/packages").asText()).isEqualTo("write");
        assertThat(job.get("steps")).filteredOn(step -> step.path("id").asText().equals("push")).singleElement()
                .satisfies(step -> assertThat(step.get("run").asText()).contains(".ci/release-chart \"$version\"",
                        "helm package sluice", "helm push \"sluice-$version.tgz\" \"oci://$charts\""));
    }
}
