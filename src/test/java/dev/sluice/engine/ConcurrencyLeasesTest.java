package dev.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.sluice.store.concurrency.LeaseToken;
import dev.sluice.store.memory.InMemoryWindowStore;

/** Leases in memory. The test sets the time and runs the timers. */
class ConcurrencyLeasesTest {

    private static final long SECOND = 1_000_000;

    private record Timer(long at, Runnable task) {
    }

    private long now = 1_800_000_000 * SECOND;
    private final List<Timer> timers = new ArrayList<>();
    private final ConcurrencyLeases leases = new ConcurrencyLeases(null,
            new InMemoryWindowStore(() -> now, 10_000, 64 << 20, 10_000), () -> now, this::start, true);

    private Runnable start(long nanos, Runnable task) {
        var timer = new Timer(now + nanos / 1000, task);
        timers.add(timer);
        return () -> timers.remove(timer);
    }

    private void pass(long seconds) {
        now += seconds * SECOND;
        var due = timers.stream().filter(timer -> timer.at() <= now).toList();
        timers.removeAll(due);
        due.forEach(timer -> timer.task().run());
    }

    private ConcurrencyLeases.Result take(long seconds) {
        return leases.take("job", "r", 1, seconds).await().indefinitely();
    }

    private boolean renew(LeaseToken lease, long seconds) {
        return leases.renew(lease, seconds).await().indefinitely().isPresent();
    }

    @Test
    void leaseEndsAtTheEndOfItsLastRenewal() {
        var lease = LeaseToken.parse(take(60).lease());
        assertThat(renew(lease, 3)).isTrue();
        pass(2);
        assertThat(take(60).lease()).isNull();
        pass(1);
        assertThat(renew(lease, 60)).isFalse();

        var next = LeaseToken.parse(take(3).lease());
        assertThat(renew(next, 60)).isTrue();
        pass(59);
        assertThat(take(60).lease()).isNull();
        pass(1);
        assertThat(take(60).lease()).isNotNull();
    }

    @Test
    void aLeaseHasOneTimer() {
        var lease = LeaseToken.parse(take(60).lease());
        for (int i = 0; i < 10; i++) {
            renew(lease, 86_400);
            renew(lease, 1);
        }
        assertThat(timers).hasSize(1);
        assertThat(leases.free(lease).await().indefinitely()).isTrue();
        assertThat(timers).isEmpty();
    }

    @Test
    void allLeasesOfAnIdentifierAreFreed() {
        take(60);
        assertThat(leases.resources("job").await().indefinitely()).containsExactly("r");
        leases.freeAll("other", null).await().indefinitely();
        leases.freeAll("job", "other").await().indefinitely();
        assertThat(take(60).lease()).isNull();
        leases.freeAll("job", null).await().indefinitely();
        assertThat(leases.resources("job").await().indefinitely()).isEmpty();
        assertThat(take(60).lease()).isNotNull();
    }

    @Test
    void abandonedLeaseIsFree() {
        leases.abandon(take(60).lease());
        assertThat(take(60).lease()).isNotNull();
    }
}
