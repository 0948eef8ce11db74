package dev.sluice.service.alerts;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.engine.StoreStatus;

/**
 * Finds decisions after which an alert may be due: on keys, users, teams and organisations, about budgets and limits whose window is
 * a day or longer. Other decisions cost a comparison for each quota, these one look-up; what is due is submitted and handled
 * elsewhere. Called on the thread of the decision; never blocks.
 */
@Singleton
class AlertDetector implements DecisionListener {

    /** Maximum number of windows of which the progress is kept; of others, alerts are claimed again, in vain. */
    static final int MAX_WINDOWS = 50_000;

    private static final Duration MIN_WINDOW = Duration.ofDays(1);

    private final boolean active;
    private final Consumer<AlertObservation> sink;
    private final IntSupplier instances;
    private final IntSupplier epoch;
    private final Cache<AlertWindow, AlertProgress> progress = Caffeine.newBuilder().executor(Runnable::run)
            .maximumSize(MAX_WINDOWS).build();

    @Inject
    AlertDetector(AlertService alerts, StoreStatus status) {
        this(alerts.isActive(), alerts::submit, status::instances, alerts::epoch);
    }

    /**
     * @param active false: decisions are ignored
     * @param sink receives observations, one at a time for each window; must not block
     * @param instances returns the number of instances that share the limits
     * @param epoch returns the number of the connection to Redis
     */
    AlertDetector(boolean active, Consumer<AlertObservation> sink, IntSupplier instances, IntSupplier epoch) {
        this.active = active;
        this.sink = sink;
        this.instances = instances;
        this.epoch = epoch;
    }

    @Override
    public void onDecision(RateLimitRequest request, Decision decision, long durationNanos) {
        if (!active || decision.mode() == DecisionMode.OFF) {
            return;
        }
        for (var quota : decision.quotas()) {
            if (isAlertable(quota)) {
                observe(quota, decision);
            }
        }
    }

    private static boolean isAlertable(QuotaStatus quota) {
        return quota.limit() > 0 && (quota.unit() == QuotaUnit.NANODOLLARS || quota.window().compareTo(MIN_WINDOW) >= 0)
                && AlertSubject.isSubject(quota.identifier());
    }

    private void observe(QuotaStatus quota, Decision decision) {
        long used = used(quota, decision.mode());
        if (used < AlertTarget.amount(1, quota.limit()) || quota.window().isZero()) {
            return; // no threshold is lower
        }
        var window = AlertWindow.of(quota);
        var known = progress.getIfPresent(window);
        int current = epoch.getAsInt();
        if (known == null || known.epoch() != current) {
            known = new AlertProgress(current);
            progress.put(window, known); // of two at once, one is used in vain: claims are idempotent
        }
        if (known.trySubmit(AlertPeriod.micros(decision.decidedAt()), used)) {
            sink.accept(new AlertObservation(window, used, AlertPeriod.of(quota, decision.decidedAt()), decision.decidedAt(),
                    known));
        }
    }

    /**
     * Returns the units used. While Redis is unavailable, those that this instance knows of: what remains is then what remains of its
     * share, and not of the limit.
     */
    private long used(QuotaStatus quota, DecisionMode mode) {
        long share = mode == DecisionMode.LOCAL ? quota.limit() / Math.max(1, instances.getAsInt()) : quota.limit();
        return Math.max(0, share - quota.remaining());
    }
}
