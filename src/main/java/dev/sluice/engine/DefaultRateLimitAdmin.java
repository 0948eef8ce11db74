package dev.sluice.engine;

import java.time.Duration;
import java.util.Map;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.WindowUsage;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.PeriodCalendar;
import dev.sluice.store.ResetScope;
import io.smallrye.mutiny.Uni;

/** Reads and resets windows in the active store. */
final class DefaultRateLimitAdmin implements RateLimitAdmin {

    private final FailoverWindowStore store;
    private final PeriodCalendar calendar;
    private final MicrosClock clock;
    private final ConcurrencyLeases leases;

    /**
     * @param calendar periods of the time zone
     * @param clock tells which periods are the current ones
     */
    DefaultRateLimitAdmin(FailoverWindowStore store, PeriodCalendar calendar, MicrosClock clock, ConcurrencyLeases leases) {
        this.store = store;
        this.calendar = calendar;
        this.clock = clock;
        this.leases = leases;
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        return SubscriberContext.completeOn(() -> store.read(windows -> windows.usage(identifier, resource, window)));
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, CalendarPeriod period) {
        return SubscriberContext.completeOn(() -> store
                .read(windows -> windows.usage(identifier, resource, calendar.at(period, clock.micros()))));
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
        return SubscriberContext.completeOn(() -> store.read(windows -> windows.limits(identifier)));
    }

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        return reset(new ResetScope(identifier, resource));
    }

    @Override
    public Uni<Void> reset(String identifier) {
        return reset(new ResetScope(identifier, null));
    }

    @Override
    public Uni<Void> resetAll() {
        return reset(ResetScope.ALL);
    }

    private Uni<Void> reset(ResetScope scope) {
        return SubscriberContext.completeOn(() -> scope.identifier().isEmpty()
                ? store.reset(scope)
                : store.reset(scope).chain(() -> leases.freeAll(scope.identifier(), scope.resource())));
    }
}
