package dev.sluice.llm;

import java.time.Duration;
import java.util.Map;

import dev.sluice.limit.Decision;
import dev.sluice.limit.RateLimitRequest;
import dev.sluice.limit.RateLimiter;
import dev.sluice.limit.Usage;
import io.smallrye.mutiny.Uni;

/** A limiter that does nothing unless a test says what. */
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
    public Uni<Usage> usage(String identifier, String resource, Duration window) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
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
