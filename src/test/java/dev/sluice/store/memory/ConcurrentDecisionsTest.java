package dev.sluice.store.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.QuotaUnit;
import dev.sluice.store.JointPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.testing.Race;

/** Decisions of several threads on one identifier are those of one thread in some order. */
class ConcurrentDecisionsTest {

    private static final int TAKES = 6;
    private static final long EXACT_UP_TO = 10_000;

    private final Race race = new Race();
    private final InMemoryWindowStore store = new InMemoryWindowStore(() -> 1_800_000_000_000_000L, EXACT_UP_TO, 64 << 20,
            1000);

    @AfterEach
    void close() {
        race.close();
    }

    private static WindowClaim claim(String resource, long limit, long cost) {
        return new WindowClaim(resource, 60_000_000, limit, QuotaUnit.REQUESTS, cost, false);
    }

    private List<StoreResult> takeConcurrently(String identifier, List<WindowClaim> claims) throws Exception {
        return race.run(() -> {
            var results = new ArrayList<StoreResult>();
            for (int i = 0; i < TAKES; i++) {
                results.add(store.takeNow(identifier, claims, true, null));
            }
            return results;
        }).stream().flatMap(List::stream).toList();
    }

    /** Each grant sees one unit more than the one before it: none sees the same, and none is skipped. */
    @ParameterizedTest
    @ValueSource(longs = {10, EXACT_UP_TO + 1})
    void eachGrantSeesTheOnesBeforeIt(long limit) throws Exception {
        long cost = limit / 10;
        Race.repeat(round -> {
            var granted = takeConcurrently("user:" + round, List.of(claim("r", limit, cost))).stream()
                    .filter(StoreResult::admitted).map(result -> result.windows()[0].used()).sorted().toList();
            assertThat(granted).isEqualTo(LongStream.rangeClosed(1, 10).mapToObj(i -> i * cost).toList());
        });
    }

    /** The narrow window admits seven of 24 requests; the wide one counts those and no other. */
    @Test
    void deniedRequestTakesNothingFromItsOtherWindows() throws Exception {
        Race.repeat(round -> {
            var identifier = "user:" + round;
            var results = takeConcurrently(identifier, List.of(claim("wide", 1000, 3), claim("narrow", 7, 1)));
            assertThat(results.stream().filter(StoreResult::admitted)).hasSize(7);
            var used = store.limits(identifier).await().indefinitely();
            assertThat(used).containsEntry("narrow", 7L).containsEntry("wide", 21L);
            results.forEach(result -> assertThat(result.windows()[0].used()).as("seen between two windows")
                    .isEqualTo(3 * result.windows()[1].used()));
        });
    }

    /** Every thread names the identifiers in an order of its own. */
    @Test
    void jointDecisionsAreThoseOfOneThread() throws Exception {
        Race.repeat(2, round -> {
            var started = new AtomicInteger();
            var admitted = race.run(() -> {
                int first = started.getAndIncrement();
                int granted = 0;
                for (int i = 0; i < TAKES; i++) {
                    granted += store.takeNow(joint("rls:" + round, first + i), true, null).admitted() ? 1 : 0;
                }
                return granted;
            }).stream().mapToInt(Integer::intValue).sum();
            assertThat(admitted).isEqualTo(7);
            for (int i = 0; i < 3; i++) {
                assertThat(store.limits("rls:" + round + ":" + i).await().indefinitely()).containsEntry("r", 7L);
            }
        });
    }

    /** Entries are evicted, with their monitors, while other threads hold some of them: no thread waits for ever. */
    @Test
    void jointDecisionsDoNotBlockEvictions() throws Exception {
        var small = new InMemoryWindowStore(() -> 1_800_000_000_000_000L, EXACT_UP_TO, 1 << 20, 1000);
        var started = new AtomicInteger();
        race.run(() -> {
            int first = started.getAndIncrement();
            for (int i = 0; i < 20_000; i++) {
                small.takeNow(joint("rls:" + i * 7 % 5000, first + i), true, null);
                small.takeNow("rls:" + i * 13 % 5000 + ":1", List.of(claim("r", 10, 1)), true, null);
            }
            return null;
        });
        assertThat(small.bytes()).isLessThanOrEqualTo(1 << 20);
    }

    private static JointRequest joint(String prefix, int rotation) {
        var identifiers = new ArrayList<String>();
        var claims = new ArrayList<List<WindowClaim>>();
        for (int i = 0; i < 3; i++) {
            int number = (i + rotation) % 3;
            identifiers.add(prefix + ":" + number);
            claims.add(List.of(claim("r", number == 1 ? 7 : 100, 1)));
        }
        return new JointRequest(identifiers, new JointPlan(claims));
    }

    /** One thread merges usage into Redis, successfully or not, while the others are admitted. */
    @Test
    void grantOfAnOutageIsMergedOnce() throws Exception {
        Race.repeat(4, round -> {
            var identifier = "user:" + round;
            var granted = new AtomicInteger();
            var merged = new AtomicLong();
            var started = new AtomicInteger();
            var taking = new AtomicInteger(Race.THREADS - 1);
            race.run(() -> {
                if (started.getAndIncrement() == 0) {
                    for (int i = 0; taking.get() > 0; i++) {
                        merge(identifier, i % 2 == 0, merged);
                        Thread.onSpinWait();
                    }
                    return null;
                }
                for (int i = 0; i < TAKES; i++) {
                    if (store.takeUnsynced(identifier, List.of(claim("r", 1000, 1)), true, null).admitted()) {
                        granted.incrementAndGet();
                    }
                }
                taking.decrementAndGet();
                return null;
            });
            if (store.unsyncedIdentifiers().contains(identifier)) {
                merge(identifier, true, merged);
            }
            assertThat(merged).as("units merged").hasValue(granted.get());
        });
    }

    private void merge(String identifier, boolean succeeds, AtomicLong merged) {
        var usage = store.drainUnsynced(identifier);
        if (usage != null && succeeds) {
            merged.addAndGet(usage.windows().values().stream().mapToLong(SlidingWindow::used).sum());
        } else if (usage != null) {
            store.restoreUnsynced(identifier, usage, true);
        }
    }
}
