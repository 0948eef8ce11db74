package dev.sluice.llm;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.limit.RateLimiter;
import dev.sluice.redis.RedisAccess;
import dev.sluice.redis.RedisLink;
import io.smallrye.mutiny.Uni;

/**
 * Settles reservations. What cannot be settled now waits and is tried again when Redis returns; beyond {@value #MOST} the
 * oldest are left as they were reserved, and leave with their windows.
 */
@ApplicationScoped
class Settlements {

    private static final int MOST = 10_000;
    private static final Duration AGAIN = Duration.ofSeconds(1);

    private record Settlement(String identifier, String reservation, Map<String, Long> used) {
    }

    private final RateLimiter limiter;
    private final RedisLink link;
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Deque<Settlement> waiting = new ArrayDeque<>();

    Settlements(RateLimiter limiter, RedisAccess redis) {
        this.limiter = limiter;
        this.link = redis.link();
        if (link != null) {
            link.onChange(cause -> {
                if (cause == null) {
                    again();
                }
            });
        }
    }

    void settle(String identifier, String reservation, Map<String, Long> used) {
        settle(new Settlement(identifier, reservation, used));
    }

    private void settle(Settlement settlement) {
        limiter.settle(settlement.identifier(), settlement.reservation(), settlement.used()).subscribe().with(done -> {
        }, failure -> later(settlement));
    }

    private void later(Settlement settlement) {
        synchronized (waiting) {
            if (waiting.size() == MOST) {
                waiting.removeFirst();
            }
            waiting.addLast(settlement);
        }
        if (link.up() && scheduled.compareAndSet(false, true)) {
            Uni.createFrom().voidItem().onItem().delayIt().by(AGAIN).subscribe().with(now -> {
                scheduled.set(false);
                again();
            });
        }
    }

    private void again() {
        Settlement[] all;
        synchronized (waiting) {
            all = waiting.toArray(Settlement[]::new);
            waiting.clear();
        }
        for (var settlement : all) {
            settle(settlement);
        }
    }
}
