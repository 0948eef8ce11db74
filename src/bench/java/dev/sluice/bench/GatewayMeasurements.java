package dev.sluice.bench;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

import dev.sluice.testing.Instance;

/** Measures the packaged service as a gateway to an API and to an LLM provider. */
final class GatewayMeasurements {

    private static final int LLM_CONNECTIONS = 16;
    private static final String TRUSTED = "127.0.0.1/32";

    private GatewayMeasurements() {
    }

    static List<BenchmarkResult> llm(BenchmarkEnvironment environment) {
        var figures = new ArrayList<BenchmarkResult>();
        try (var model = UpstreamStub.jsonCompletion()) {
            var through = new HttpLoad.Target(llmGateway(environment, "llm", model).port(), LLM_CONNECTIONS, gatewayRequests());
            var direct = new HttpLoad.Target(model.port(), LLM_CONNECTIONS, chatRequests("/v1/chat/completions"));
            var closed = PairedMeasurement.measure(seconds -> environment.load(through, seconds, 200),
                    seconds -> environment.load(direct, seconds, 200));
            double half = BenchmarkResult.median(closed.first().stream().map(HttpLoad.Outcome::perSecond).toList()) / 2;
            var open = PairedMeasurement.measure(
                    seconds -> environment.recordLoaderCpu(HttpLoad.open(through, seconds, half).expecting(200)),
                    seconds -> environment.recordLoaderCpu(HttpLoad.open(direct, seconds, half).expecting(200)));
            figures.add(closed
                    .ratio("11", "LLM gateway, chat completions, 16 connections, against a stub that reads and writes JSON",
                            HttpLoad.Outcome::perSecond)
                    .atLeast(0.35).withNote("1000/minute").withNote(environment.loaderCpu()));
            figures.add(open.difference("11", "latency it adds at half load, p50", outcome -> outcome.micros(50) / 1000)
                    .withUnits("ms", "ms").atMost(0.5).withNote(String.format(Locale.ROOT, "open loop at %.0f/s", half)));
        }
        try (var lean = UpstreamStub.fixedCompletion()) {
            var through = new HttpLoad.Target(llmGateway(environment, "lean llm", lean).port(), LLM_CONNECTIONS,
                    gatewayRequests());
            var direct = new HttpLoad.Target(lean.port(), LLM_CONNECTIONS, chatRequests("/v1/chat/completions"));
            var closed = PairedMeasurement.measure(seconds -> environment.load(through, seconds, 200),
                    seconds -> environment.load(direct, seconds, 200));
            figures.add(closed.ratio("11", "the same against a stub that returns fixed bytes", HttpLoad.Outcome::perSecond)
                    .withNote(environment.loaderCpu()));
        }
        return figures;
    }

    private static Instance llmGateway(BenchmarkEnvironment environment, String name, UpstreamStub stub) {
        return environment.instance(name, BenchmarkSettings.SERVICE, Map.of("RATE_LIMIT_TRUSTED_PROXIES", TRUSTED,
                "RATE_LIMIT_LLM_OPENAI_BASE_URL", "http://127.0.0.1:" + stub.port(), "RATE_LIMIT_LLM_OPENAI_API_KEY", "sk-stub",
                "RATE_LIMIT_LLM_OPENAI_REQUESTS_FREE", "1000/minute"));
    }

    private static List<byte[]> gatewayRequests() {
        return chatRequests("/openai/v1/chat/completions");
    }

    private static List<byte[]> chatRequests(String path) {
        var body = "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"system\",\"content\":\"You explain in one paragraph.\"},"
                + "{\"role\":\"user\",\"content\":\"What is a sluice?\"}],\"max_tokens\":200}";
        return IntStream.range(0, BenchmarkEnvironment.IDENTITIES)
                .mapToObj(i -> ("POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-User-Id: chat"
                        + i + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                        .getBytes(StandardCharsets.US_ASCII))
                .toList();
    }

    static List<BenchmarkResult> proxy(BenchmarkEnvironment environment) {
        try (var stub = UpstreamStub.fixedResponse("text/plain", "ok")) {
            var upstream = "http://127.0.0.1:" + stub.port();
            var limited = environment.instance("proxy", BenchmarkSettings.SERVICE,
                    Map.of("RATE_LIMIT_TRUSTED_PROXIES", TRUSTED, "UPSTREAM_URL",
                            upstream, "RATE_LIMIT_DEFAULT", "1000/minute"));
            var off = environment.instance("plain proxy", BenchmarkSettings.SERVICE,
                    Map.of("RATE_LIMIT_TRUSTED_PROXIES", TRUSTED, "UPSTREAM_URL",
                            upstream, "RATE_LIMIT_ENABLED", "false"));
            var requests = BenchmarkEnvironment.requests("/things", "proxied");
            var direct = new HttpLoad.Target(stub.port(), BenchmarkEnvironment.CONNECTIONS, requests);
            var limits = PairedMeasurement.measure(
                    seconds -> environment.load(BenchmarkEnvironment.target(limited, requests), seconds, 200),
                    seconds -> environment.load(BenchmarkEnvironment.target(off, requests), seconds, 200));
            var hop = PairedMeasurement.measure(
                    seconds -> environment.load(BenchmarkEnvironment.target(off, requests), seconds, 200),
                    seconds -> environment.load(direct, seconds, 200));
            return List.of(
                    limits.ratio("proxy", "API gateway, all allowed, against the same hop with RATE_LIMIT_ENABLED=false",
                            HttpLoad.Outcome::perSecond).withNote("1000/minute").withNote(environment.loaderCpu()),
                    hop.ratio("proxy", "that hop against the upstream directly", HttpLoad.Outcome::perSecond));
        }
    }
}
