package dev.sluice.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

import dev.sluice.config.RulesDocument;

/** Finds the rules of a path. */
@State(Scope.Thread)
public class PolicyMicrobenchmark {

    private record FixedConfig(List<String> tiers, Optional<String> defaultRate, Map<String, String> defaults,
            boolean builtInDefaults, boolean builtInRules, Map<String, EndpointConfig> endpoints,
            Map<String, EndpointConfig> rules, Optional<List<String>> exempt,
            Optional<String> apiPrefix, Paths paths) implements PolicyConfig {
    }

    private static final PolicyConfig.EndpointConfig RULE = PolicyConfig.EndpointConfig.of(null, Map.of("free", "10/minute"));

    private final CurrentPolicy policy = new CurrentPolicy(
            new FixedConfig(List.of("free", "pro"), Optional.empty(), Map.of(), true, false,
                    Map.of("/campaigns", RULE, "/users/{id}/orders", RULE, "POST /reports", RULE), Map.of(),
                    Optional.of(List.of("/static", "/healthz")), Optional.of("/api/v1"), () -> false),
            RulesDocument.EMPTY);

    private String path = "/api/v1/users/4711/orders";

    @Benchmark
    public Object rulesFor() {
        return policy.rulesFor("GET", path);
    }
}
