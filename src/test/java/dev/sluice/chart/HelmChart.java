package dev.sluice.chart;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.marcnuri.helm.DryRun;
import com.marcnuri.helm.Helm;

/** Renders the chart with Helm, like {@code helm template}. */
final class HelmChart {

    static final Path DIRECTORY = Path.of("helm");
    static final String RELEASE = "edge";
    static final String NAMESPACE = "limits";
    static final String NAME = "edge-sluice";

    private static final String KUBERNETES_VERSION = "1.33.0";

    static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    private HelmChart() {
    }

    /**
     * Renders the chart. The values have to contain all tokens, as the chart looks up generated ones in the cluster.
     */
    static RenderedChart render(String values) {
        return render(values, KUBERNETES_VERSION);
    }

    /** Renders the chart for a version of Kubernetes. */
    static RenderedChart render(String values, String kubernetesVersion) {
        return parseObjects(template(values, kubernetesVersion));
    }

    private static String template(String values, String kubernetesVersion) {
        return withValuesFile(values, file -> new Helm(DIRECTORY).template().withName(RELEASE).withNamespace(NAMESPACE)
                .withKubeVersion(kubernetesVersion).withValuesFile(file).call());
    }

    /** Installs the chart into a cluster. */
    static void install(FakeKubernetesApi cluster, String values) {
        var status = withValuesFile(values, file -> new Helm(DIRECTORY).install().withName(RELEASE).withNamespace(NAMESPACE)
                .withKubeConfigContents(cluster.kubeConfig()).disableOpenApiValidation().withValuesFile(file).call()
                .getStatus());
        if (!status.equals("deployed")) {
            throw new IllegalStateException(status);
        }
    }

    /** Renders the chart with the pod of its test, which {@link #render} leaves out as it is a hook. */
    static RenderedChart renderWithTest(String values) {
        try (var cluster = new FakeKubernetesApi()) {
            install(cluster, values);
            return parseObjects(cluster.release());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String withValuesFile(String values, Function<Path, String> action) {
        try {
            var file = Files.createTempFile("values", ".yaml");
            try {
                Files.writeString(file, values);
                return action.apply(file);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the notes that are shown after installation. */
    static String notes(String values) {
        var output = withValuesFile(values, file -> new Helm(DIRECTORY).install().withName(RELEASE).withNamespace(NAMESPACE)
                .withKubeVersion(KUBERNETES_VERSION).clientOnly().withDryRunOption(DryRun.CLIENT).withValuesFile(file).call()
                .getOutput());
        return output.substring(output.indexOf("NOTES:"));
    }

    /** Parses objects that Helm has rendered. */
    static RenderedChart parseObjects(String text) {
        return new RenderedChart(documents(text));
    }

    private static List<JsonNode> documents(String text) {
        var documents = new ArrayList<JsonNode>();
        try (var parser = YAML.getFactory().createParser(text)) {
            var all = YAML.readerFor(JsonNode.class).<JsonNode>readValues(parser);
            while (all.hasNext()) {
                var document = all.next();
                if (document != null && !document.isNull()) {
                    documents.add(document);
                }
            }
            return documents;
        } catch (IOException e) {
            throw new UncheckedIOException(text, e);
        }
    }

    static JsonNode parse(String yaml) {
        try {
            return YAML.readTree(yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(yaml, e);
        }
    }

    static JsonNode readFile(String name) {
        try {
            return YAML.readTree(Files.readString(DIRECTORY.resolve(name)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
