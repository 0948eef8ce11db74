package dev.sluice.service.dev;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.api.RateLimiter;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.LimitRule;
import dev.sluice.service.token.AdminTokens;
import io.quarkus.arc.profile.IfBuildProfile;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;

/** Decisions of sample callers in dev mode, so that the console has something to show; none without an admin token. */
@IfBuildProfile("dev")
@ApplicationScoped
class DevTraffic {

    private static final long PERIOD_MILLIS = 1000;
    private static final int CALLS = 5;
    private static final List<String> CALLERS = List.of("user:sample-ann", "user:sample-ben", "user:sample-cho",
            "ip:203.0.113.9");

    private final RateLimiter limiter;
    private final CurrentPolicy policy;
    private final AdminTokens tokens;
    private final Vertx vertx;
    private long timer = -1;

    DevTraffic(RateLimiter limiter, CurrentPolicy policy, AdminTokens tokens, Vertx vertx) {
        this.limiter = limiter;
        this.policy = policy;
        this.tokens = tokens;
        this.vertx = vertx;
    }

    void start(@Observes @Priority(3000) StartupEvent started) {
        if (!tokens.isEmpty()) {
            timer = vertx.setPeriodic(PERIOD_MILLIS, id -> send());
        }
    }

    void stop(@Observes ShutdownEvent stopping) {
        vertx.cancelTimer(timer);
    }

    private void send() {
        var random = ThreadLocalRandom.current();
        int calls = random.nextInt(CALLS);
        for (int i = 0; i < calls; i++) {
            int caller = random.nextInt(CALLERS.size());
            var tiers = policy.tiers();
            limiter.check(rule(random).request(CALLERS.get(caller), tiers.get(Math.min(caller, tiers.size() - 1)))).subscribe()
                    .with(decision -> decision.slot().release(), failure -> {
                        // Redis is unavailable and the fallback is closed; the next ones may succeed
                    });
        }
    }

    private LimitRule rule(ThreadLocalRandom random) {
        var rules = policy.rules();
        int chosen = random.nextInt(rules.size() + 1);
        return chosen == rules.size() ? policy.defaultRule() : rules.get(chosen);
    }
}
