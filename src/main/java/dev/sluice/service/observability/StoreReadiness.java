package dev.sluice.service.observability;

import jakarta.enterprise.context.ApplicationScoped;

import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

import dev.sluice.api.DecisionMode;
import dev.sluice.config.RulesFile;
import dev.sluice.config.RulesFileStatus;
import dev.sluice.engine.StoreStatus;
import dev.sluice.redis.RedisProvider;
import dev.sluice.service.rls.DomainRules;

/**
 * Readiness check: up while requests are decided by their limits or by the configured fallback; down while the fallback is
 * closed.
 */
@Readiness
@ApplicationScoped
class StoreReadiness implements HealthCheck {

    private final StoreStatus store;
    private final RedisProvider redis;
    private final RulesFile file;
    private final DomainRules domains;

    StoreReadiness(StoreStatus store, RedisProvider redis, RulesFile file, DomainRules domains) {
        this.redis = redis;
        this.domains = domains;
        this.store = store;
        this.file = file;
    }

    @Override
    public HealthCheckResponse call() {
        var mode = store.mode();
        var response = HealthCheckResponse.named("rate-limit-store").status(mode != DecisionMode.CLOSED).withData("mode",
                mode.value());
        if (mode != DecisionMode.MEMORY) {
            response.withData("instances", store.instances());
        }
        // A warning only: the instance works, until Redis evicts windows or, with allkeys-*, stored identities.
        redis.evictingPolicy().ifPresent(policy -> response.withData("evicting-policy", policy));
        file.status().ifPresent(state -> addFile("rows", state, response));
        domains.status().ifPresent(state -> addFile("envoy-config", state, response));
        return response.build();
    }

    /**
     * Adds the state of a file. A rejected one does not make the instance unready: the previous content stays in force.
     */
    private static void addFile(String name, RulesFileStatus state, HealthCheckResponseBuilder response) {
        response.withData(name, state.valid() ? "valid" : "rejected").withData(name + "-since", state.since().toString());
        if (!state.valid()) {
            response.withData(name + "-problem", state.problem());
        }
    }
}
