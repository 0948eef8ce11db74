package dev.sluice.window;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import dev.sluice.limit.Decision;
import dev.sluice.limit.DecisionListener;
import dev.sluice.limit.Demand;
import dev.sluice.limit.Fallback;
import dev.sluice.limit.Mode;
import dev.sluice.limit.QuotaStatus;
import dev.sluice.limit.Rate;
import dev.sluice.limit.RateLimitRequest;
import dev.sluice.limit.RateLimiter;
import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.limit.Usage;
import io.smallrye.mutiny.Uni;

/** The one place where decisions are made. */
final class WindowRateLimiter implements RateLimiter {

    private final Windows windows;
    private final Clock clock;
    private final boolean enabled;
    private final boolean dryRun;
    private final Fallback fallback;
    private final List<DecisionListener> listeners;

    /** @param fallback where a demand does not say otherwise */
    WindowRateLimiter(Windows windows, Clock clock, Fallback fallback, boolean enabled, boolean dryRun,
            List<DecisionListener> listeners) {
        this.windows = windows;
        this.clock = clock;
        this.fallback = fallback;
        this.enabled = enabled;
        this.dryRun = dryRun;
        this.listeners = List.copyOf(listeners);
    }

    @Override
    public Uni<Decision> check(RateLimitRequest request) {
        if (!enabled) {
            return Uni.createFrom().item(() -> Decision.untouched(request, Mode.OFF, now()));
        }
        return Uni.createFrom().deferred(() -> {
            long start = System.nanoTime();
            var decided = decide(request);
            return (dryRun ? refusingNothing(request, decided) : decided)
                    .invoke(decision -> tell(request, decision, decision.mode(), start))
                    .onFailure().invoke(failure -> tell(request, null, windows.mode(), start));
        });
    }

    private Uni<Decision> refusingNothing(RateLimitRequest request, Uni<Decision> decided) {
        return decided.map(Decision::dryRun).onFailure(StoreUnavailableException.class)
                .recoverWithItem(() -> Decision.untouched(request, windows.mode(), now()));
    }

    private Uni<Decision> decide(RateLimitRequest request) {
        if (request.demands().stream().anyMatch(demand -> demand.rate() == Rate.BLOCKED)) {
            return Uni.createFrom().item(Decision.blocked(request, windows.mode(), now()));
        }
        boolean consume = request.demands().stream().anyMatch(demand -> demand.cost() > 0);
        var claims = claims(request.demands(), consume);
        if (claims.isEmpty()) {
            return Uni.createFrom().item(Decision.untouched(request, windows.mode(), now()));
        }
        var reservation = consume && claims.stream().anyMatch(Claim::reserved)
                ? UUID.randomUUID().toString().replace("-", "")
                : null;
        return windows.take(request.identifier(), claims, consume, reservation).map(answer -> answer.outcome() == null
                ? Decision.untouched(request, answer.mode(), now()).reserved(answer.reservation())
                : decision(answer));
    }

    /** One claim per window: where two demands name the same, the smaller limit and the larger cost hold. */
    private List<Claim> claims(List<Demand> demands, boolean consume) {
        var claims = new ArrayList<Claim>();
        for (var demand : demands) {
            var fallback = demand.fallback() == null ? this.fallback : demand.fallback();
            for (var quota : demand.rate().quotas()) {
                long span = quota.windowSeconds() * 1_000_000;
                long limit = quota.limit();
                long cost = !consume ? 1 : demand.reserved() ? Math.min(demand.cost(), limit) : demand.cost();
                for (int i = 0; i < claims.size(); i++) {
                    var other = claims.get(i);
                    if (other.span() == span && other.resource().equals(demand.resource())) {
                        limit = Math.min(limit, other.limit());
                        cost = Math.max(cost, other.cost());
                        fallback = stricter(fallback, other.fallback());
                        claims.remove(i);
                        break;
                    }
                }
                claims.add(new Claim(demand.resource(), span, limit, quota.unit(), cost, demand.reserved(), limit, fallback));
            }
        }
        return claims;
    }

    private static Fallback stricter(Fallback one, Fallback other) {
        return one == Fallback.CLOSED || other == Fallback.OPEN ? one : other;
    }

    private static Decision decision(Windows.Answer answer) {
        var claims = answer.claims();
        var outcome = answer.outcome();
        var at = Clock.instant(outcome.now());
        var quotas = new ArrayList<QuotaStatus>(claims.size());
        for (int i = 0; i < claims.size(); i++) {
            var claim = claims.get(i);
            var state = outcome.windows()[i];
            boolean denied = state.retryAt() != 0;
            quotas.add(new QuotaStatus(claim.resource(), claim.unit(), claim.limit(), Windows.seconds(claim.span()),
                    Math.max(0, claim.share() - state.used()),
                    state.freeAt() == 0 ? at : Clock.instant(state.freeAt()), denied,
                    state.retryAt() > 0 ? Clock.instant(state.retryAt()) : null));
        }
        return new Decision(outcome.admitted(), !outcome.admitted(), answer.mode(), at, quotas,
                answer.reservation());
    }

    private void tell(RateLimitRequest request, Decision decision, Mode mode, long start) {
        if (!listeners.isEmpty()) {
            long nanos = System.nanoTime() - start;
            for (var listener : listeners) {
                listener.decided(request, decision, mode, nanos);
            }
        }
    }

    private java.time.Instant now() {
        return Clock.instant(clock.micros());
    }

    @Override
    public Uni<Void> settle(String identifier, String reservation, Map<String, Long> used) {
        return reservation == null ? Uni.createFrom().voidItem() : windows.settle(identifier, reservation, used);
    }

    @Override
    public Uni<Usage> usage(String identifier, String resource, Duration window) {
        return windows.read(store -> store.usage(identifier, resource, window));
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
        return windows.read(store -> store.limits(identifier));
    }

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        return windows.reset(new Fleet.Reset(identifier, resource));
    }

    @Override
    public Uni<Void> reset(String identifier) {
        return windows.reset(new Fleet.Reset(identifier, null));
    }

    @Override
    public Uni<Void> resetAll() {
        return windows.reset(Fleet.Reset.ALL);
    }
}
