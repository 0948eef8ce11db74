package dev.sluice.settlement;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import io.smallrye.mutiny.Uni;

/** Limiter whose methods a test overrides; the others throw. */
public class FakeRateLimiter implements RateLimiter {

    @Override
    public Uni<Decision> check(RateLimitRequest request) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Decision> checkAll(List<RateLimitRequest> requests) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Decision> charge(RateLimitRequest request) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Decision> acquire(RateLimitRequest request, Duration maxWait) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Void> settle(String identifier, String reservation, Map<String, Long> used) {
        throw new UnsupportedOperationException();
    }
}
