package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.util.List;

import org.junit.jupiter.api.Test;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;

/** Options of the pods, the ways to them, and the pod of {@code helm test}. */
class ChartPodTest {

    @Test
    void nativeImageHasAQuarterOfTheMemory() throws IOException {
        var byDefault = SampleValues.MINIMAL.render().container().getResources();
        var natively = HelmChart
                .render(Files.readString(HelmChart.DIRECTORY.resolve("values-native.yaml"))
                        + "redis: {host: r}\nadminToken: {enabled: false}\n")
                .container();
        assertThat(natively.getImage()).endsWith("-native");
        assertThat(natively.getEnv()).filteredOn("name", "RATE_LIMIT_MEMORY_MAX_SIZE").extracting("value")
                .as("a quarter of 64M").containsExactly("16M");
        for (var resources : List.of(natively.getResources().getRequests(), natively.getResources().getLimits())) {
            assertThat(resources.get("memory").getNumericalAmount().multiply(BigDecimal.valueOf(4)))
                    .isEqualByComparingTo(byDefault.getLimits().get("memory").getNumericalAmount());
        }
    }

    @Test
    void podIsConfigurable() {
        var pod = SampleValues.ALL_VALUES.render().deployment().getSpec().getTemplate().getSpec();
        assertThat(pod.getInitContainers()).extracting("name").containsExactly("wait");
        assertThat(pod.getContainers()).extracting("name").containsExactly("sluice", "forward-logs");
        assertThat(pod.getHostAliases()).singleElement().satisfies(alias -> {
            assertThat(alias.getIp()).isEqualTo("10.0.0.5");
            assertThat(alias.getHostnames()).containsExactly("redis.data.svc");
        });
        assertThat(pod.getDnsPolicy()).isEqualTo("None");
        assertThat(pod.getDnsConfig().getNameservers()).containsExactly("10.96.0.10");
        assertThat(pod.getDnsConfig().getOptions()).extracting("name").containsExactly("ndots");
        var byDefault = SampleValues.MINIMAL.render().deployment().getSpec().getTemplate().getSpec();
        assertThat(byDefault.getContainers()).hasSize(1);
        assertThat(byDefault.getDnsPolicy()).isNull();
        assertThat(byDefault.getDnsConfig()).isNull();
    }

    @Test
    void grpcHasAServiceOfItsOwn() {
        var rendered = SampleValues.ALL_VALUES.render();
        var service = rendered.get(Service.class, HelmChart.NAME + "-grpc").getSpec();
        assertThat(service.getType()).isEqualTo("ClusterIP");
        assertThat(service.getPorts()).singleElement().satisfies(port -> {
            assertThat(port.getName()).isEqualTo("grpc");
            assertThat(port.getPort()).isEqualTo(9081);
            assertThat(port.getAppProtocol()).isEqualTo("kubernetes.io/h2c");
        });
        assertThat(rendered.get(NetworkPolicy.class, HelmChart.NAME).getSpec().getIngress())
                .filteredOn(rule -> rule.getPorts().get(0).getPort().getStrVal().equals("grpc")).singleElement()
                .satisfies(rule -> assertThat(rule.getFrom()).singleElement().satisfies(
                        from -> assertThat(from.getPodSelector().getMatchLabels()).containsEntry("app", "envoy")));
        var byDefault = SampleValues.EXTERNAL_REDIS.render();
        assertThat(byDefault.all(Service.class)).extracting(each -> each.getMetadata().getName())
                .doesNotContain(HelmChart.NAME + "-grpc");
        assertThat(byDefault.container().getPorts()).extracting("name").containsExactly("http", "management");
    }

    @Test
    void loadBalancerIsConfigurable() {
        var service = SampleValues.PUBLIC_SERVICE.render().get(Service.class, HelmChart.NAME).getSpec();
        assertThat(service.getLoadBalancerClass()).isEqualTo("example.com/outer");
        assertThat(service.getLoadBalancerSourceRanges()).containsExactly("203.0.113.0/24", "2001:db8::/32");
    }

    @Test
    void routeOfTheGatewayApiIsRendered() {
        var route = SampleValues.ALL_VALUES.render().all(GenericKubernetesResource.class).findFirst().orElseThrow();
        assertThat(route.getMetadata().getAnnotations()).containsEntry("example.com/note", "outer");
        assertThat(HelmChart.parse(RenderedChart.toJson(route)).get("spec")).isEqualTo(HelmChart.parse("""
                parentRefs: [{name: public, namespace: gateways, sectionName: https}]
                hostnames: [api.example.com]
                rules:
                  - matches: [{path: {type: PathPrefix, value: /}}]
                    backendRefs: [{name: edge-sluice, port: 80}]
                """));
        var own = HelmChart.render("""
                redis: {host: r}
                adminToken: {enabled: false}
                httpRoute:
                  enabled: true
                  parentRefs: [{name: public}]
                  rules:
                    - timeouts: {request: 30s}
                    - backendRefs: [{name: other, port: 8080}]
                """).all(GenericKubernetesResource.class).findFirst().orElseThrow();
        assertThat(HelmChart.parse(RenderedChart.toJson(own)).get("spec")).isEqualTo(HelmChart.parse("""
                parentRefs: [{name: public}]
                rules:
                  - timeouts: {request: 30s}
                    backendRefs: [{name: edge-sluice, port: 80}]
                  - backendRefs: [{name: other, port: 8080}]
                """));
    }

    @Test
    void helmTestRequestsADecision() {
        var withToken = HelmChart.renderWithTest(SampleValues.ALL_VALUES.yaml()).get(Pod.class, HelmChart.NAME + "-test");
        assertThat(withToken.getMetadata().getAnnotations()).containsEntry("helm.sh/hook", "test");
        assertThat(withToken.getSpec().getActiveDeadlineSeconds()).isPositive();
        assertThat(withToken.getSpec().getRestartPolicy()).isEqualTo("Never");
        var container = withToken.getSpec().getContainers().get(0);
        assertThat(container.getArgs()).singleElement().asString().contains("Bearer $API_TOKEN", "$SERVICE/v1/check");
        assertThat(container.getEnv()).extracting("name").containsExactly("SERVICE", "API_TOKEN");
        assertThat(container.getEnv().get(0).getValue()).isEqualTo("http://edge-sluice:80");
        var withoutToken = HelmChart.renderWithTest(SampleValues.EXTERNAL_REDIS.yaml()).get(Pod.class, HelmChart.NAME + "-test")
                .getSpec()
                .getContainers().get(0);
        assertThat(withoutToken.getArgs().get(0)).contains("$SERVICE/v1/check").doesNotContain("API_TOKEN");
        var upstream = HelmChart.renderWithTest(SampleValues.NATIVE_IMAGE.yaml()).get(Pod.class, HelmChart.NAME + "-test")
                .getSpec().getContainers()
                .get(0);
        assertThat(upstream.getArgs().get(0)).as("/v1/check requires a token").contains("$SERVICE/q/openapi")
                .doesNotContain("$SERVICE/v1/check");
    }

    @Test
    void networkPolicyAdmitsTheTest() {
        var rendered = HelmChart.renderWithTest(SampleValues.ALL_VALUES.yaml());
        var from = rendered.get(NetworkPolicy.class, HelmChart.NAME).getSpec().getIngress().get(0).getFrom();
        assertThat(from).hasSize(2);
        assertThat(rendered.selectPods(from.get(1).getPodSelector().getMatchLabels())).singleElement()
                .satisfies(pod -> assertThat(pod.getMetadata().getName()).isEqualTo("edge-sluice-test"));
        var without = HelmChart.renderWithTest(SampleValues.ALL_VALUES.yaml() + "tests: {enabled: false}\n");
        assertThat(without.get(NetworkPolicy.class, HelmChart.NAME).getSpec().getIngress().get(0).getFrom()).hasSize(1);
        assertThat(without.all(Pod.class)).isEmpty();
    }
}
