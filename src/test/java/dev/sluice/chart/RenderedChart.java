package dev.sluice.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.Stream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;

/** Objects of the rendered chart as Kubernetes types. Unknown fields are errors. */
final class RenderedChart {

    /** Ignores the any-setters of the models, so that unknown fields are errors. */
    private static final ObjectMapper STRICT = new ObjectMapper()
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {

                private static final long serialVersionUID = 1;

                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    return null;
                }
            });

    private static final ObjectMapper LENIENT = new ObjectMapper();

    private static final Map<String, Class<? extends HasMetadata>> TYPES = Map.ofEntries(
            Map.entry("apps/v1 Deployment", Deployment.class), Map.entry("apps/v1 StatefulSet", StatefulSet.class),
            Map.entry("v1 Pod", Pod.class), Map.entry("v1 Service", Service.class), Map.entry("v1 ConfigMap", ConfigMap.class),
            Map.entry("v1 Secret", Secret.class), Map.entry("v1 ServiceAccount", ServiceAccount.class),
            Map.entry("autoscaling/v2 HorizontalPodAutoscaler", HorizontalPodAutoscaler.class),
            Map.entry("policy/v1 PodDisruptionBudget", PodDisruptionBudget.class),
            Map.entry("networking.k8s.io/v1 Ingress", Ingress.class),
            Map.entry("networking.k8s.io/v1 NetworkPolicy", NetworkPolicy.class),
            Map.entry("monitoring.coreos.com/v1 ServiceMonitor", ServiceMonitor.class),
            Map.entry("monitoring.coreos.com/v1 PrometheusRule", PrometheusRule.class));

    /** A custom resource without a type of its own: its fields are not verified here. */
    private static final String HTTP_ROUTE = "gateway.networking.k8s.io/v1 HTTPRoute";

    private final List<HasMetadata> objects = new ArrayList<>();

    RenderedChart(List<JsonNode> documents) {
        for (var document : documents) {
            var type = document.path("apiVersion").asText() + ' ' + document.path("kind").asText();
            try {
                if (type.equals(HTTP_ROUTE)) {
                    objects.add(LENIENT.treeToValue(document, GenericKubernetesResource.class));
                    continue;
                }
                var known = TYPES.get(type);
                if (known == null) {
                    throw new IllegalArgumentException("unknown object type: " + type);
                }
                objects.add(STRICT.treeToValue(document, known));
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException(type + ": " + e.getMessage() + '\n' + document.toPrettyString(), e);
            }
        }
    }

    List<HasMetadata> objects() {
        return objects;
    }

    static String toJson(Object object) {
        try {
            return LENIENT.writeValueAsString(object);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    <T extends HasMetadata> Stream<T> all(Class<T> type) {
        return objects.stream().filter(type::isInstance).map(type::cast);
    }

    <T extends HasMetadata> T get(Class<T> type, String name) {
        return all(type).filter(object -> object.getMetadata().getName().equals(name)).findFirst()
                .orElseThrow(() -> new NoSuchElementException(type.getSimpleName() + ' ' + name));
    }

    Deployment deployment() {
        return get(Deployment.class, HelmChart.NAME);
    }

    Container container() {
        return deployment().getSpec().getTemplate().getSpec().getContainers().get(0);
    }

    /** Returns an environment variable of the service, or null if it is not set. */
    EnvVar variable(String name) {
        return container().getEnv().stream().filter(env -> env.getName().equals(name)).findFirst().orElse(null);
    }

    /** Returns the value of a variable, or null if it is not set or read from a Secret. */
    String value(String name) {
        var variable = variable(name);
        return variable == null ? null : variable.getValue();
    }

    /** Returns {@code secret/key} of a variable that is read from a Secret, otherwise null. */
    String source(String name) {
        var variable = variable(name);
        if (variable == null || variable.getValueFrom() == null) {
            return null;
        }
        var reference = variable.getValueFrom().getSecretKeyRef();
        return reference.getName() + '/' + reference.getKey();
    }

    /** Returns the pod templates of all workloads, and the pod of the test. */
    List<PodTemplateSpec> pods() {
        return Stream.of(all(Deployment.class).map(deployment -> deployment.getSpec().getTemplate()),
                all(StatefulSet.class).map(set -> set.getSpec().getTemplate()),
                all(Pod.class).map(pod -> new PodTemplateSpec(pod.getMetadata(), pod.getSpec()))).flatMap(pods -> pods)
                .toList();
    }

    /** Returns the pod templates that a selector matches. */
    List<PodTemplateSpec> selectPods(Map<String, String> selector) {
        return pods().stream().filter(pod -> pod.getMetadata().getLabels().entrySet().containsAll(selector.entrySet()))
                .toList();
    }
}
