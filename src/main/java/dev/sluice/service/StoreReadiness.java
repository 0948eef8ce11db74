package dev.sluice.service;

import jakarta.enterprise.context.ApplicationScoped;

import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

import dev.sluice.limit.Mode;
import dev.sluice.window.StoreStatus;

/** Ready while requests are answered by their limits or by the fallback that was asked for; not while all are refused. */
@Readiness
@ApplicationScoped
class StoreReadiness implements HealthCheck {

    private final StoreStatus store;

    StoreReadiness(StoreStatus store) {
        this.store = store;
    }

    @Override
    public HealthCheckResponse call() {
        var mode = store.mode();
        var response = HealthCheckResponse.named("rate-limit-store").status(mode != Mode.CLOSED).withData("mode", mode.text());
        return (mode == Mode.MEMORY ? response : response.withData("instances", store.instances())).build();
    }
}
