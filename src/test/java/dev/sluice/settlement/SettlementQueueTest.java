package dev.sluice.settlement;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

/** Tests the queue with timers, a clock and a store controlled by the test. */
class SettlementQueueTest {

    private static final Map<String, Long> USAGE = Map.of("llm:openai:tokens", 7L);

    private final Deque<UniEmitter<? super Void>> pendingSettlements = new ArrayDeque<>();
    private final List<String> settledReservations = new ArrayList<>();
    private final TreeMap<Long, Runnable> timers = new TreeMap<>();
    private final List<Long> backoffs = new ArrayList<>();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private RuntimeException immediateFailure;
    private Error fault;
    private boolean replies = true;
    private boolean reachable = true;
    private double random = 1;
    private long nanos = Long.MAX_VALUE - 5; // System.nanoTime may overflow
    private long timerIds;

    private final SettlementQueue settlements = new SettlementQueue(new FakeRateLimiter() {
        @Override
        public Uni<Void> settle(String identifier, String reservation, Map<String, Long> used) {
            assertThat(used).isEqualTo(USAGE);
            settledReservations.add(reservation);
            if (fault != null) {
                throw fault;
            }
            if (!replies) {
                return Uni.createFrom().emitter(emitter -> pendingSettlements.add(emitter));
            }
            return immediateFailure == null ? Uni.createFrom().voidItem() : Uni.createFrom().failure(immediateFailure);
        }
    }, () -> reachable, new RetryTimer.Timers() {
        @Override
        public long start(long millis, Runnable task) {
            backoffs.add(millis);
            timers.put(++timerIds, task);
            return timerIds;
        }

        @Override
        public void cancel(long timer) {
            timers.remove(timer);
        }
    }, () -> nanos, () -> random, meters);

    private static String reservation(int number, String windows) {
        return "r-" + "%032x".formatted(number) + windows;
    }

    private void settle(int number) {
        settlements.settle("user:a", reservation(number, "-60-86400"), USAGE);
    }

    private void fire() {
        assertThat(timers).hasSize(1);
        timers.pollFirstEntry().getValue().run();
    }

    private double dropped() {
        return meters.get("llm_settlements_dropped").counter().count();
    }

    @Test
    void backsOffExponentiallyWithJitter() {
        immediateFailure = new IllegalStateException("on purpose");
        settle(1);
        for (int i = 0; i < 9; i++) {
            fire();
        }
        assertThat(backoffs).containsExactly(250L, 500L, 1000L, 2000L, 4000L, 8000L, 16_000L, 30_000L, 30_000L, 30_000L);
        random = 0;
        fire();
        assertThat(backoffs).last().isEqualTo(15_000L);
        immediateFailure = null;
        fire();
        assertThat(timers).isEmpty();
        assertThat(settlements.waiting()).isZero();
        assertThat(settledReservations).hasSize(12).containsOnly(reservation(1, "-60-86400"));
        assertThat(dropped()).isZero();
    }

    @Test
    void retriesAfterErrors() {
        fault = new NoClassDefFoundError("on purpose");
        settle(1);
        fault = null;
        fire();
        assertThat(settledReservations).hasSize(2);
        assertThat(settlements.waiting()).isZero();
    }

    @Test
    void dropsReservationsThatLeftTheirLongestWindow() {
        immediateFailure = new IllegalStateException("on purpose");
        settlements.settle("user:a", reservation(1, "-60-3600"), USAGE);
        settlements.settle("user:a", reservation(2, "-7200-60"), USAGE);
        settlements.settle("user:a", "foreign-1", USAGE);
        nanos += TimeUnit.SECONDS.toNanos(3600);
        settledReservations.clear();
        fire();
        assertThat(settledReservations).containsExactly(reservation(2, "-7200-60"), "foreign-1");
        nanos += TimeUnit.DAYS.toNanos(30);
        settledReservations.clear();
        fire();
        assertThat(settledReservations).containsExactly("foreign-1");
        nanos += TimeUnit.DAYS.toNanos(1);
        settledReservations.clear();
        fire();
        assertThat(settledReservations).isEmpty();
        assertThat(timers).isEmpty();
        assertThat(settlements.waiting()).isZero();
    }

    @Test
    void waitsForRedisWithoutTimerAndWithinItsLimit() {
        reachable = false;
        immediateFailure = new IllegalStateException("unavailable");
        for (int i = 0; i < SettlementQueue.MAX_WAITING + 3; i++) {
            settle(i);
        }
        assertThat(timers).isEmpty();
        assertThat(settlements.waiting()).isEqualTo(SettlementQueue.MAX_WAITING);
        assertThat(dropped()).isEqualTo(3);
        assertThat(meters.get("llm_settlements_waiting").gauge().value()).isEqualTo(SettlementQueue.MAX_WAITING);
        reachable = true;
        immediateFailure = null;
        settledReservations.clear();
        settlements.onStoreAvailable();
        fire();
        assertThat(settledReservations).hasSize(SettlementQueue.MAX_WAITING).startsWith(reservation(3, "-60-86400"));
        assertThat(timers).isEmpty();
        assertThat(backoffs).containsExactly(250L);
    }

    @Test
    void limitsConcurrentRetries() {
        reachable = false;
        immediateFailure = new IllegalStateException("unavailable");
        IntStream.range(0, 1000).forEach(this::settle);
        reachable = true;
        replies = false;
        settlements.onStoreAvailable();
        settledReservations.clear();
        fire();
        assertThat(settledReservations).hasSize(SettlementQueue.MAX_CONCURRENT_RETRIES);
        settle(2000); // does not wait for those
        assertThat(settledReservations).hasSize(SettlementQueue.MAX_CONCURRENT_RETRIES + 1);
        pendingSettlements.pollLast().complete(null);
        pendingSettlements.pollFirst().fail(new IllegalStateException("on purpose"));
        assertThat(timers).isEmpty();
        while (pendingSettlements.size() > 1) {
            pendingSettlements.pollFirst().complete(null);
        }
        assertThat(settledReservations).hasSize(SettlementQueue.MAX_CONCURRENT_RETRIES + 1);
        pendingSettlements.pollFirst().complete(null);
        fire(); // one has failed, others have not: the backoff is short
        assertThat(backoffs).endsWith(250L);
        assertThat(settledReservations).hasSize(2 * SettlementQueue.MAX_CONCURRENT_RETRIES + 1);
    }

    @Test
    void retriesWaitingSettlementsOnceAtShutdown() {
        immediateFailure = new IllegalStateException("on purpose");
        IntStream.range(0, 1000).forEach(this::settle);
        assertThat(timers).hasSize(1);
        immediateFailure = null;
        settledReservations.clear();
        settlements.stop(Duration.ofSeconds(60));
        assertThat(settledReservations).hasSize(1000);
        assertThat(timers).isEmpty();
        assertThat(settlements.waiting()).isZero();
        settle(1000); // a call that ends later
        assertThat(settledReservations).hasSize(1001);
        immediateFailure = new IllegalStateException("closed");
        settle(1001);
        settlements.onStoreAvailable();
        assertThat(timers).isEmpty();
        assertThat(settlements.waiting()).isZero();
        assertThat(dropped()).isEqualTo(1);
    }

    @Test
    void shutdownDoesNotWaitForUnresponsiveRedis() {
        replies = false;
        settle(1);
        settlements.stop(Duration.ZERO);
        assertThat(timers).isEmpty();
        assertThat(dropped()).isZero();
        pendingSettlements.poll().fail(new IllegalStateException("closed"));
        assertThat(timers).isEmpty();
        assertThat(settlements.waiting()).isZero();
        assertThat(dropped()).isEqualTo(1);
    }

    @Test
    void shutdownCountsUnsettledAsDropped() {
        immediateFailure = new IllegalStateException("on purpose");
        for (int i = 0; i < 300; i++) {
            settle(i);
        }
        replies = false;
        settlements.stop(Duration.ZERO);
        assertThat(dropped()).isEqualTo(300 - SettlementQueue.MAX_CONCURRENT_RETRIES);
    }
}
