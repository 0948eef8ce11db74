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

/**
 * Readiness check: up while requests are decided by their limits or by the configured fallback; down while the fallback is
 * closed.
 */
@Readiness
@ApplicationScoped
class StoreReadiness implements HealthCheck {

    private final StoreStatus store;
    private final RulesFile file;

    StoreReadiness(StoreStatus store, RulesFile file) {
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
        file.status().ifPresent(state -> addRulesFile(state, response));
        return response.build();
    }

    /**
     * Adds the state of the rules file. A rejected file does not make the instance unready: the previous rules stay in force.
     */
    private static void addRulesFile(RulesFileStatus state, HealthCheckResponseBuilder response) {
        response.withData("rows", state.valid() ? "valid" : "rejected").withData("rows-since", state.since().toString());
        if (!state.valid()) {
            response.withData("rows-problem", state.problem());
        }
    }
}
