package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;

/** Properties of the rendered chart that hold for all values. */
class ChartInvariantsTest {

    private static ProgramVariables programVariables;

    @BeforeAll
    static void readSettings() throws IOException, ReflectiveOperationException {
        programVariables = new ProgramVariables();
    }

    /** Verifies all properties in one test per set of values, as rendering is slow. */
    @ParameterizedTest
    @EnumSource
    void invariantsHold(SampleValues values) {
        verify(values.render());
    }

    @Test
    void invariantsHoldForTheTest() {
        verify(HelmChart.renderWithTest(SampleValues.ALL_VALUES.yaml()));
    }

    private static void verify(RenderedChart rendered) {
        namesAreValidAndUnique(rendered);
        selectorsMatchPods(rendered);
        policiesAndAutoscalersHaveTheirTargets(rendered);
        podsAreHardened(rendered);
        probesAndPortsMatchTheProgram(rendered);
        volumesExistForMounts(rendered);
        variablesAreKnown(rendered);
        referencedSecretsExist(rendered);
        secretsOccurOnlyInSecrets(rendered);
        gracePeriodCoversShutdown(rendered);
    }

    private static void namesAreValidAndUnique(RenderedChart rendered) {
        var names = new HashSet<String>();
        for (var object : rendered.objects()) {
            var metadata = object.getMetadata();
            assertThat(names.add(object.getKind() + '/' + metadata.getName())).as(metadata.getName()).isTrue();
            assertThat(metadata.getName()).matches("edge-sluice(-[a-z-]+)?");
            assertThat(metadata.getNamespace()).isEqualTo(HelmChart.NAMESPACE);
            assertThat(metadata.getLabels()).containsEntry("app.kubernetes.io/instance", HelmChart.RELEASE)
                    .containsEntry("app.kubernetes.io/managed-by", "Helm").containsKey("helm.sh/chart");
        }
    }

    private static PodTemplateSpec singlePod(RenderedChart rendered, Map<String, String> selector) {
        assertThat(selector).isNotEmpty();
        var pods = rendered.selectPods(selector);
        assertThat(pods).as("pods selected by " + selector).hasSize(1);
        return pods.get(0);
    }

    private static void selectorsMatchPods(RenderedChart rendered) {
        rendered.all(Deployment.class).forEach(deployment -> assertThat(
                singlePod(rendered, deployment.getSpec().getSelector().getMatchLabels()))
                .isSameAs(deployment.getSpec().getTemplate()));
        rendered.all(StatefulSet.class).forEach(set -> {
            assertThat(singlePod(rendered, set.getSpec().getSelector().getMatchLabels())).isSameAs(set.getSpec().getTemplate());
            assertThat(rendered.get(Service.class, set.getSpec().getServiceName()).getSpec().getClusterIP()).isEqualTo("None");
        });
        rendered.all(Service.class).forEach(service -> {
            var ports = ports(singlePod(rendered, service.getSpec().getSelector()));
            for (var port : service.getSpec().getPorts()) {
                assertThat(ports).extracting(ContainerPort::getName).contains(port.getTargetPort().getStrVal());
            }
        });
        assertThat(rendered.get(Service.class, HelmChart.NAME).getSpec().getPorts()).extracting(ServicePort::getName)
                .as("health and metrics are not exposed").containsExactly("http");
        assertThat(rendered.get(Service.class, HelmChart.NAME + "-management").getSpec().getType()).isEqualTo("ClusterIP");
        for (var pod : rendered.pods()) {
            for (var spread : pod.getSpec().getTopologySpreadConstraints()) {
                assertThat(singlePod(rendered, spread.getLabelSelector().getMatchLabels())).isSameAs(pod);
            }
        }
        rendered.all(ServiceMonitor.class).forEach(monitor -> {
            var selector = monitor.getSpec().getSelector().getMatchLabels();
            var services = rendered.all(Service.class)
                    .filter(service -> service.getMetadata().getLabels().entrySet().containsAll(selector.entrySet())).toList();
            assertThat(services).extracting(service -> service.getMetadata().getName())
                    .containsExactly(HelmChart.NAME + "-management");
            assertThat(monitor.getSpec().getNamespaceSelector().getMatchNames()).containsExactly(HelmChart.NAMESPACE);
            assertThat(monitor.getSpec().getEndpoints()).singleElement().satisfies(endpoint -> {
                assertThat(endpoint.getPath()).isEqualTo("/q/metrics");
                assertThat(services.get(0).getSpec().getPorts()).extracting(ServicePort::getName).contains(endpoint.getPort());
            });
        });
    }

    private static void policiesAndAutoscalersHaveTheirTargets(RenderedChart rendered) {
        var gateway = rendered.deployment().getSpec().getTemplate();
        rendered.all(HorizontalPodAutoscaler.class).forEach(scaler -> {
            var target = scaler.getSpec().getScaleTargetRef();
            assertThat(List.of(target.getApiVersion(), target.getKind(), target.getName()))
                    .containsExactly("apps/v1", "Deployment", rendered.deployment().getMetadata().getName());
            assertThat(rendered.deployment().getSpec().getReplicas()).as("left to the autoscaler").isNull();
            assertThat(rendered.container().getResources().getRequests()).as("base of the utilization percentage")
                    .containsKey("cpu");
        });
        rendered.all(PodDisruptionBudget.class).forEach(
                budget -> assertThat(singlePod(rendered, budget.getSpec().getSelector().getMatchLabels())).isSameAs(gateway));
        rendered.all(NetworkPolicy.class).forEach(policy -> {
            var pod = singlePod(rendered, policy.getSpec().getPodSelector().getMatchLabels());
            for (var rule : policy.getSpec().getIngress()) {
                assertThat(ports(pod)).extracting(ContainerPort::getName)
                        .containsAll(names(rule.getPorts().stream().map(NetworkPolicyPort::getPort)));
            }
            for (var rule : policy.getSpec().getIngress()) {
                if (names(rule.getPorts().stream().map(NetworkPolicyPort::getPort)).contains("management")) {
                    assertThat(rule.getFrom()).as("not open to all").isNotEmpty();
                }
            }
        });
        rendered.all(Ingress.class).flatMap(ingress -> ingress.getSpec().getRules().stream())
                .flatMap(rule -> rule.getHttp().getPaths().stream()).forEach(path -> {
                    var backend = path.getBackend().getService();
                    assertThat(rendered.get(Service.class, backend.getName()).getSpec().getPorts())
                            .extracting(ServicePort::getName).containsExactly(backend.getPort().getName());
                });
        rendered.all(GenericKubernetesResource.class).forEach(route -> {
            List<Map<String, Object>> backends = route.get("spec", "rules", 0, "backendRefs");
            assertThat(backends).singleElement().satisfies(backend -> assertThat(
                    rendered.get(Service.class, (String) backend.get("name")).getSpec().getPorts())
                    .extracting(ServicePort::getPort).containsExactly((Integer) backend.get("port")));
        });
        var account = gateway.getSpec().getServiceAccountName();
        if (!"theirs".equals(account)) {
            assertThat(rendered.get(ServiceAccount.class, account).getAutomountServiceAccountToken()).isFalse();
        }
    }

    private static List<String> names(Stream<IntOrString> ports) {
        return ports.map(IntOrString::getStrVal).toList();
    }

    private static List<ContainerPort> ports(PodTemplateSpec pod) {
        return pod.getSpec().getContainers().stream().flatMap(container -> container.getPorts().stream()).toList();
    }

    private static void podsAreHardened(RenderedChart rendered) {
        for (var pod : rendered.pods()) {
            var spec = pod.getSpec();
            assertThat(spec.getEnableServiceLinks()).isFalse();
            assertThat(spec.getAutomountServiceAccountToken()).isFalse();
            assertThat(spec.getSecurityContext().getRunAsNonRoot()).isTrue();
            assertThat(spec.getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
            assertThat(spec.getHostNetwork()).isNull();
            assertThat(spec.getHostPID()).isNull();
            for (var container : Stream.concat(spec.getInitContainers().stream(), spec.getContainers().stream()).toList()) {
                var security = container.getSecurityContext();
                assertThat(security.getReadOnlyRootFilesystem()).isTrue();
                assertThat(security.getAllowPrivilegeEscalation()).isFalse();
                assertThat(security.getCapabilities().getDrop()).containsExactly("ALL");
                assertThat(security.getCapabilities().getAdd()).isEmpty();
                assertThat(container.getResources().getRequests()).containsKeys("cpu", "memory");
                assertThat(container.getResources().getLimits()).containsKey("memory");
                assertThat(container.getImage()).doesNotEndWith(":latest").matches("[^:]+(:[^:]+|@sha256:[0-9a-f]{64})");
            }
        }
    }

    private static void probesAndPortsMatchTheProgram(RenderedChart rendered) {
        var container = rendered.container();
        probe(container.getStartupProbe(), "/q/health/live");
        probe(container.getLivenessProbe(), "/q/health/live");
        probe(container.getReadinessProbe(), "/q/health/ready");
        var ports = container.getPorts().stream().collect(Collectors.toMap(ContainerPort::getName,
                ContainerPort::getContainerPort));
        assertThat(rendered.value("QUARKUS_HTTP_PORT")).isEqualTo(ports.get("http").toString());
        assertThat(rendered.value("QUARKUS_MANAGEMENT_PORT")).isEqualTo(ports.get("management").toString());
        if (ports.containsKey("grpc")) {
            assertThat(rendered.value("RATE_LIMIT_GRPC_PORT")).isEqualTo(ports.get("grpc").toString());
        } else {
            assertThat(rendered.variable("RATE_LIMIT_GRPC_PORT")).isNull();
        }
    }

    private static void probe(Probe probe, String path) {
        assertThat(probe.getHttpGet().getPath()).isEqualTo(path);
        assertThat(probe.getHttpGet().getPort().getStrVal()).isEqualTo("management");
        assertThat(probe.getHttpGet().getScheme()).isNull();
    }

    private static void volumesExistForMounts(RenderedChart rendered) {
        for (var pod : rendered.pods()) {
            var volumes = new ArrayList<>(pod.getSpec().getVolumes().stream().map(Volume::getName).toList());
            rendered.all(StatefulSet.class).filter(set -> set.getSpec().getTemplate() == pod)
                    .flatMap(set -> set.getSpec().getVolumeClaimTemplates().stream())
                    .forEach(claim -> volumes.add(claim.getMetadata().getName()));
            assertThat(pod.getSpec().getContainers().get(0).getVolumeMounts()).extracting(VolumeMount::getName)
                    .containsExactlyInAnyOrderElementsOf(volumes);
        }
        var mounts = rendered.container().getVolumeMounts();
        assertThat(mounts).extracting(VolumeMount::getMountPath).contains("/tmp");
        var file = rendered.value("RATE_LIMIT_FILE");
        var rulesMount = mounts.stream().filter(mount -> file.startsWith(mount.getMountPath() + '/')).findFirst().orElseThrow();
        assertThat(rulesMount.getSubPath()).as("a subPath is never updated").isNull();
        var volume = rendered.deployment().getSpec().getTemplate().getSpec().getVolumes().stream()
                .filter(any -> any.getName().equals(rulesMount.getName())).findFirst().orElseThrow();
        var key = file.substring(rulesMount.getMountPath().length() + 1);
        if (volume.getConfigMap() != null && !SampleValues.EXISTING_OBJECTS.contains(volume.getConfigMap().getName())) {
            assertThat(rendered.get(ConfigMap.class, volume.getConfigMap().getName()).getData()).containsOnlyKeys(key);
        } else {
            assertThat(rendered.all(ConfigMap.class)).isEmpty();
        }
    }

    private static void variablesAreKnown(RenderedChart rendered) {
        var names = new ArrayList<>(rendered.container().getEnv().stream().map(EnvVar::getName).toList());
        assertThat(names).doesNotHaveDuplicates();
        rendered.all(Secret.class).filter(secret -> secret.getMetadata().getName().endsWith("-api-keys"))
                .forEach(secret -> names.addAll(secret.getData().keySet()));
        names.remove("QUARKUS_HTTP_LIMITS_MAX_CONNECTIONS"); // Quarkus's own, as one of extraEnv
        assertThat(names)
                .allSatisfy(name -> assertThat(programVariables.isRead(name)).as("read by the program: " + name).isTrue());
    }

    private static void referencedSecretsExist(RenderedChart rendered) {
        var used = new HashSet<String>();
        Consumer<String> onReference = used::add;
        for (var pod : rendered.pods()) {
            for (var container : pod.getSpec().getContainers()) {
                references(rendered, container, onReference);
            }
        }
        rendered.all(Secret.class).forEach(secret -> {
            assertThat(secret.getStringData()).isEmpty();
            for (var key : secret.getData().keySet()) {
                assertThat(used).as("is used").contains(secret.getMetadata().getName() + '/' + key);
            }
        });
    }

    private static void references(RenderedChart rendered, Container container, Consumer<String> onReference) {
        for (var variable : container.getEnv()) {
            var from = variable.getValueFrom() == null ? null : variable.getValueFrom().getSecretKeyRef();
            if (from != null && !SampleValues.EXISTING_OBJECTS.contains(from.getName())) {
                assertThat(rendered.get(Secret.class, from.getName()).getData()).containsKey(from.getKey());
                onReference.accept(from.getName() + '/' + from.getKey());
            }
        }
        container.getEnvFrom().stream().map(source -> source.getSecretRef()).filter(Objects::nonNull)
                .filter(from -> !SampleValues.EXISTING_OBJECTS.contains(from.getName()))
                .forEach(from -> rendered.get(Secret.class, from.getName()).getData().keySet()
                        .forEach(key -> onReference.accept(from.getName() + '/' + key)));
    }

    private static void secretsOccurOnlyInSecrets(RenderedChart rendered) {
        for (var object : rendered.objects()) {
            if (!(object instanceof Secret)) {
                assertThat(RenderedChart.toJson(object)).doesNotContain("s3cr3t", "sha256\"",
                        "api-keys:");
            }
        }
    }

    private static void gracePeriodCoversShutdown(RenderedChart rendered) {
        long seconds = Long.parseLong(ProgramVariables.property("quarkus.shutdown.timeout").replace("s", ""));
        var lifecycle = rendered.container().getLifecycle();
        if (lifecycle != null) {
            seconds += lifecycle.getPreStop().getSleep().getSeconds();
        }
        assertThat(rendered.deployment().getSpec().getTemplate().getSpec().getTerminationGracePeriodSeconds())
                .isGreaterThan(seconds);
    }
}
