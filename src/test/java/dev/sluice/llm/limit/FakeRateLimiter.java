package dev.sluice.llm.limit;

import java.time.Duration;
import java.util.Map;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import dev.sluice.api.WindowUsage;
import io.smallrye.mutiny.Uni;

/** Limiter whose methods a test overrides; the others throw. */
class FakeRateLimiter implements RateLimiter {

    @Override
    public Uni<Decision> check(RateLimitRequest request) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Void> settle(String identifier, String reservation, Map<String, Long> used) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Map<String, Long>> usageByResource(String identifier) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Void> reset(String identifier) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Void> resetAll() {
        throw new UnsupportedOperationException();
    }
}
