package dev.sluice.chart;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

/** Fake Kubernetes API server that stores objects, sufficient for Helm to install and upgrade a release. */
final class FakeKubernetesApi implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern OBJECT = Pattern.compile("/apis?/(.+)/namespaces/([^/]+)/([^/]+)(?:/([^/]+))?");

    private static final Map<String, Map<String, String>> KINDS = Map.of(
            "v1", Map.of("secrets", "Secret", "services", "Service", "configmaps", "ConfigMap", "serviceaccounts",
                    "ServiceAccount"),
            "apps/v1", Map.of("deployments", "Deployment", "statefulsets", "StatefulSet"),
            "policy/v1", Map.of("poddisruptionbudgets", "PodDisruptionBudget"),
            "networking.k8s.io/v1", Map.of("networkpolicies", "NetworkPolicy", "ingresses", "Ingress"),
            "autoscaling/v2", Map.of("horizontalpodautoscalers", "HorizontalPodAutoscaler"),
            "gateway.networking.k8s.io/v1", Map.of("httproutes", "HTTPRoute"),
            "monitoring.coreos.com/v1", Map.of("servicemonitors", "ServiceMonitor", "prometheusrules", "PrometheusRule"));

    /** Keys of the Secrets in which Helm stores its releases. */
    private static final String RELEASES = "v1/secrets/sh.helm.release.v1.";

    private final boolean lookups;
    private final Map<String, ObjectNode> objects = new TreeMap<>();
    private final HttpServer server;
    private int version;

    FakeKubernetesApi() throws IOException {
        this(true);
    }

    /** @param lookups false: templates find nothing, as if they were rendered without access to a cluster */
    FakeKubernetesApi(boolean lookups) throws IOException {
        this.lookups = lookups;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try {
                handle(exchange);
            } catch (IOException | RuntimeException e) {
                send(exchange, 500, Map.of("kind", "Status", "status", "Failure", "code", 500, "message", e.toString()));
            }
        });
        server.start();
    }

    /** Returns a kubeconfig for this server. */
    String kubeConfig() {
        return """
                apiVersion: v1
                kind: Config
                clusters: [{name: pretended, cluster: {server: "http://127.0.0.1:%d"}}]
                contexts: [{name: pretended, context: {cluster: pretended, user: me}}]
                users: [{name: me, user: {}}]
                current-context: pretended
                """.formatted(server.getAddress().getPort());
    }

    /** Returns an object by plural kind and name, such as {@code secrets/edge-sluice}. */
    synchronized JsonNode object(String name) {
        return objects.entrySet().stream().filter(object -> object.getKey().endsWith('/' + name)).findFirst().orElseThrow()
                .getValue();
    }

    /** Returns the hooks and objects of the latest release as YAML documents. */
    synchronized String release() throws IOException {
        var name = objects.keySet().stream().filter(key -> key.startsWith(RELEASES)).reduce((first, last) -> last)
                .orElseThrow();
        var encoded = new String(Base64.getDecoder().decode(objects.get(name).at("/data/release").asText()),
                StandardCharsets.US_ASCII);
        try (var zipped = new GZIPInputStream(new ByteArrayInputStream(Base64.getDecoder().decode(encoded)))) {
            var release = JSON.readTree(zipped);
            var text = new StringBuilder(release.get("manifest").asText());
            release.path("hooks").forEach(hook -> text.append("---\n").append(hook.get("manifest").asText()).append('\n'));
            return text.toString();
        }
    }

    /** Creates or replaces an object, such as {@code v1/secrets/edge-sluice}. */
    synchronized void put(String name, JsonNode object) {
        store(name, (ObjectNode) object);
    }

    private synchronized void handle(HttpExchange exchange) throws IOException {
        var path = exchange.getRequestURI().getPath();
        var matcher = OBJECT.matcher(path);
        if (matcher.matches()) {
            handleObject(exchange, matcher.group(1), matcher.group(3), matcher.group(4));
        } else if (path.equals("/version")) {
            send(exchange, 200, Map.of("major", "1", "minor", "33", "gitVersion", "v1.33.0"));
        } else if (path.equals("/api")) {
            send(exchange, 200, Map.of("kind", "APIVersions", "versions", List.of("v1")));
        } else if (path.equals("/apis")) {
            send(exchange, 200, Map.of("kind", "APIGroupList", "apiVersion", "v1", "groups", KINDS.keySet().stream()
                    .filter(group -> group.contains("/")).map(FakeKubernetesApi::group).toList()));
        } else {
            var kinds = KINDS.get(path.replaceFirst("^/apis?/", ""));
            send(exchange, kinds == null ? 404 : 200, kinds == null ? notFound() : resources(path, kinds));
        }
    }

    private static Map<String, Object> group(String groupVersion) {
        var parts = groupVersion.split("/");
        var version = Map.of("groupVersion", groupVersion, "version", parts[1]);
        return Map.of("name", parts[0], "versions", List.of(version), "preferredVersion", version);
    }

    private static Map<String, Object> resources(String path, Map<String, String> kinds) {
        return Map.of("kind", "APIResourceList", "apiVersion", "v1", "groupVersion", path.replaceFirst("^/apis?/", ""),
                "resources", kinds.entrySet().stream().map(kind -> Map.of("name", kind.getKey(), "singularName", "",
                        "namespaced", true, "kind", kind.getValue(), "verbs",
                        List.of("create", "delete", "get", "list", "patch", "update"))).toList());
    }

    private static Map<String, Object> notFound() {
        return Map.of("kind", "Status", "apiVersion", "v1", "status", "Failure", "reason", "NotFound", "code", 404);
    }

    private void handleObject(HttpExchange exchange, String groupVersion, String plural, String name) throws IOException {
        var method = exchange.getRequestMethod();
        var key = groupVersion + '/' + plural + '/' + name;
        if (method.equals("POST") || method.equals("PUT")) {
            var object = (ObjectNode) body(exchange);
            store(groupVersion + '/' + plural + '/' + object.at("/metadata/name").asText(), object);
            send(exchange, method.equals("POST") ? 201 : 200, object);
        } else if (!lookups && isLookup(method, plural, name, exchange.getRequestURI().getQuery())) {
            send(exchange, 404, notFound());
        } else if (name == null) {
            var selector = exchange.getRequestURI().getQuery();
            send(exchange, 200, Map.of("kind", KINDS.get(groupVersion).get(plural) + "List", "apiVersion", groupVersion,
                    "metadata", Map.of(), "items", objects.entrySet().stream()
                            .filter(object -> object.getKey().startsWith(groupVersion + '/' + plural + '/'))
                            .map(Map.Entry::getValue).filter(object -> matchesSelector(object, selector)).toList()));
        } else if (!objects.containsKey(key)) {
            send(exchange, 404, notFound());
        } else {
            if (method.equals("PATCH")) {
                merge(objects.get(key), body(exchange));
                store(key, objects.get(key));
            }
            send(exchange, 200, method.equals("DELETE") ? objects.remove(key) : objects.get(key));
        }
    }

    private static boolean isLookup(String method, String plural, String name, String query) {
        return method.equals("GET") && plural.equals("secrets")
                && (name == null ? query == null || !query.contains("labelSelector=") : !name.startsWith("sh.helm.release"));
    }

    private static boolean matchesSelector(JsonNode object, String query) {
        if (query == null || !query.contains("labelSelector=")) {
            return true;
        }
        for (var label : query.replaceFirst(".*labelSelector=([^&]*).*", "$1").split(",")) {
            var parts = label.split("=");
            if (!object.at("/metadata/labels").path(parts[0]).asText().equals(parts[1])) {
                return false;
            }
        }
        return true;
    }

    private void store(String key, ObjectNode object) {
        object.withObject("/metadata").put("uid", key).put("resourceVersion", Integer.toString(++version));
        objects.put(key, object);
    }

    private static void merge(ObjectNode into, JsonNode patch) {
        patch.properties().forEach(field -> {
            if (field.getValue().isNull()) {
                into.remove(field.getKey());
            } else if (field.getValue().isObject() && into.get(field.getKey()) instanceof ObjectNode inner) {
                merge(inner, field.getValue());
            } else {
                into.set(field.getKey(), field.getValue());
            }
        });
    }

    private static JsonNode body(HttpExchange exchange) throws IOException {
        var body = exchange.getRequestBody().readAllBytes();
        return ProtobufSecret.isProtobuf(body) ? ProtobufSecret.parse(body) : JSON.readTree(body);
    }

    private static void send(HttpExchange exchange, int status, Object body) throws IOException {
        var bytes = JSON.writeValueAsBytes(body);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
