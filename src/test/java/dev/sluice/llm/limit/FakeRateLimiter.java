package dev.sluice.llm.limit;

import java.util.Map;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
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
}
