package dev.sluice.bench;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

import dev.sluice.testing.Instance;

/** Measures the packaged service as a gateway to an LLM provider. */
final class LlmGatewayMeasurements {

    private static final int LLM_CONNECTIONS = 16;

    private LlmGatewayMeasurements() {
    }

    static List<BenchmarkResult> llm(BenchmarkEnvironment environment) {
        var figures = new ArrayList<BenchmarkResult>();
        try (var model = UpstreamStub.jsonCompletion()) {
            var through = new HttpLoad.Target(llmGateway(environment, "llm", model.port()).port(), LLM_CONNECTIONS,
                    gatewayRequests());
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
        var direct = new HttpLoad.Target(environment.provider().port(), LLM_CONNECTIONS,
                chatRequests("/v1/chat/completions"));
        var through = llm(environment, leanLlmGateway(environment)).target();
        var closed = PairedMeasurement.measure(seconds -> environment.load(through, seconds, 200),
                seconds -> environment.load(direct, seconds, 200));
        figures.add(closed.ratio("11", "the same against a stub that returns fixed bytes", HttpLoad.Outcome::perSecond)
                .withNote(environment.loaderCpu()));
        return figures;
    }

    /** Compares with a bare hop to the same provider. */
    static List<BenchmarkResult> llmHop(BenchmarkEnvironment environment) {
        var instance = leanLlmGateway(environment);
        var gateway = llm(environment, instance);
        try (var hop = HopServer.start(environment.provider().port())) {
            var requests = chatRequests("/v1/chat/completions");
            var result = Contender.ratio(environment, "llm-hop",
                    "LLM gateway, chat completions, 16 connections, all allowed, against a bare Vert.x hop", gateway,
                    new Contender(new HttpLoad.Target(hop.port(), LLM_CONNECTIONS, requests), hop::cpuMicros, false, 200))
                    .atLeast(0.45);
            Profiler.profile("llm-hop", environment.pid(instance), seconds -> gateway.run(environment, seconds));
            return List.of(result);
        }
    }

    static List<BenchmarkResult> portkey(BenchmarkEnvironment environment) {
        var description = "the same against Portkey's gateway";
        var missing = Peer.missing(Peer.NODE, Peer.PORTKEY);
        if (missing.isPresent()) {
            return List.of(BenchmarkResult.notMeasured("portkey", description, missing.get()));
        }
        var requests = chatRequests("/v1/chat/completions", "Authorization: Bearer sk-stub\r\nx-portkey-provider: openai\r\n"
                + "x-portkey-custom-host: http://127.0.0.1:" + environment.provider().port() + "/v1\r\n", "");
        try (var portkey = PeerServers.portkey()) {
            return List.of(Contender.ratio(environment, "portkey", description,
                    llm(environment, leanLlmGateway(environment)),
                    new Contender(new HttpLoad.Target(portkey.port(), LLM_CONNECTIONS, requests), portkey::cpuMicros, false,
                            200))
                    .atLeast(20));
        }
    }

    private static Contender llm(BenchmarkEnvironment environment, Instance instance) {
        return new Contender(new HttpLoad.Target(instance.port(), LLM_CONNECTIONS, gatewayRequests()),
                () -> environment.cpuMicros(instance), true, 200);
    }

    /** Returns the gateway to the provider that returns fixed bytes. */
    private static Instance leanLlmGateway(BenchmarkEnvironment environment) {
        return llmGateway(environment, "lean llm", environment.provider().port());
    }

    static Instance llmGateway(BenchmarkEnvironment environment, String name, int providerPort) {
        return environment.instance(name, BenchmarkSettings.SERVICE, Map.of("RATE_LIMIT_IDENTITY_PROXIES",
                ApiGatewayMeasurements.TRUSTED,
                "RATE_LIMIT_LLM_OPENAI_BASE_URL", "http://127.0.0.1:" + providerPort, "RATE_LIMIT_LLM_OPENAI_API_KEY",
                "sk-stub", "RATE_LIMIT_LLM_OPENAI_REQUESTS_FREE", "1000/minute"));
    }

    private static List<byte[]> gatewayRequests() {
        return chatRequests("/openai/v1/chat/completions");
    }

    private static List<byte[]> chatRequests(String path) {
        return chatRequests(path, "", "");
    }

    /**
     * Returns one call for each identity.
     *
     * @param fields further header fields, each with its line end
     * @param members further members of the JSON body, each with a leading comma
     */
    static List<byte[]> chatRequests(String path, String fields, String members) {
        var body = "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"system\",\"content\":\"You explain in one paragraph.\"},"
                + "{\"role\":\"user\",\"content\":\"What is a sluice?\"}],\"max_tokens\":200" + members + "}";
        return IntStream.range(0, BenchmarkEnvironment.IDENTITIES)
                .mapToObj(i -> ("POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-User-Id: chat"
                        + i + "\r\n" + fields + "Content-Type: application/json\r\nContent-Length: " + body.length()
                        + "\r\n\r\n" + body)
                        .getBytes(StandardCharsets.US_ASCII))
                .toList();
    }
}
