package dev.sluice.store.memory;

import static dev.sluice.store.StoreUnderTest.claim;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.Race;

/** Order in which identifiers are evicted when there is too little memory. */
class EvictionTest {

    private static final long BYTES = 1 << 20;
    /** Many times as many identifiers as there is memory for. */
    private static final int FLOOD = 60_000;
    private static final long SECOND = 1_000_000;

    private final AtomicLong now = new AtomicLong(1_800_000_000_000_000L);
    private final InMemoryWindowStore store = new InMemoryWindowStore(now::get, StoreUnderTest.EXACT, BYTES,
            StoreUnderTest.MAX_WINDOWS);

    private boolean take(String identifier, WindowClaim... claims) {
        return store.takeNow(identifier, List.of(claims), true, null).admitted();
    }

    private long used(String identifier) {
        return store.limits(identifier).await().indefinitely().getOrDefault("r", 0L);
    }

    private void flood(String prefix, WindowClaim claim) {
        for (int i = 0; i < FLOOD; i++) {
            take(prefix + i, claim);
        }
    }

    /** Not even those of callers who have used one of a million. */
    @ParameterizedTest
    @ValueSource(longs = {1, 10})
    void freeIdentifiersEvictNoCaller(long limitOfFlood) {
        for (int i = 0; i < 300; i++) {
            take("user:" + i, claim("r", 3600, 1_000_000, 1));
            take("ip:10.0.0." + i, claim("r", 3600, 10, 10));
            take("key:" + "0123456789abcdef".repeat(4).substring(3) + (100 + i), claim("r", 3600, 10, 1));
        }
        flood("free-", claim("r", 3600, limitOfFlood, 1));
        assertThat(store.bytes()).isBetween(BYTES / 2, BYTES);
        for (int i = 0; i < 300; i++) {
            assertThat(used("user:" + i)).isEqualTo(1);
            assertThat(used("ip:10.0.0." + i)).isEqualTo(10);
            assertThat(used("key:" + "0123456789abcdef".repeat(4).substring(3) + (100 + i))).isEqualTo(1);
        }
    }

    @Test
    void callersEvictNoFreeIdentifiersFromTheirQuarter() {
        for (int i = 0; i < 200; i++) {
            take("free-" + i, claim("r", 3600, 1_000_000, 1));
        }
        flood("ip:", claim("r", 3600, 1, 1));
        for (int i = 0; i < 200; i++) {
            assertThat(used("free-" + i)).isEqualTo(1);
        }
    }

    @Test
    void callersTakeBackTheMemoryThatTheyDidNotUse() {
        flood("free-", claim("r", 3600, 1, 1));
        assertThat(store.bytes()).isGreaterThan(BYTES * 9 / 10);
        int callers = 500;
        for (int i = 0; i < callers; i++) {
            take("user:" + i, claim("r", 3600, 10, 1));
        }
        for (int i = 0; i < callers; i++) {
            assertThat(used("user:" + i)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"user:", "key-of-check-"})
    void fullWindowOutlivesEmptierOnes(String prefix) {
        for (int i = 0; i < 50; i++) {
            take(prefix + "some" + i, claim("r", 3600, 10, 5));
            take(prefix + "full" + i, claim("r", 3600, 10, 10), claim("other", 60, 100, 1));
        }
        flood(prefix, claim("r", 3600, 10, 1));
        for (int i = 0; i < 50; i++) {
            assertThat(take(prefix + "full" + i, claim("r", 3600, 10, 1))).isFalse();
            assertThat(used(prefix + "some" + i)).as("emptier ones are enough").isEqualTo(5);
        }
    }

    /** The window becomes full after it was created, and while others are evicted. */
    @Test
    void windowThatFillsSlowlyIsKept() {
        take("user:slow", claim("r", 3600, 400, 1));
        for (int i = 0; i < FLOOD; i++) {
            if (i % 100 == 0) {
                take("user:slow", claim("r", 3600, 400, 1));
            }
            take("ip:" + i, claim("r", 3600, 1000, 2));
        }
        assertThat(used("user:slow")).isEqualTo(400);
    }

    @Test
    void windowsWithoutUnitsAreEvictedFirst() {
        for (int i = 0; i < 1000; i++) {
            take("ip:before" + i, claim("r", 60, 10, 10));
        }
        now.addAndGet(61 * SECOND); // not expired yet
        for (int i = 0; i < 300; i++) {
            take("user:" + i, claim("r", 3600, 1_000_000, 1));
        }
        for (int i = 0; i < 600; i++) {
            take("ip:full" + i, claim("r", 3600, 10, 10));
        }
        for (int i = 0; i < 300; i++) {
            assertThat(used("user:" + i)).isEqualTo(1);
        }
    }

    @Test
    void entriesThatAreAllFullAreEvictedOldestFirst() {
        var log = LogRecorder.start(Level.WARNING, false);
        try {
            flood("ip:", claim("r", 3600, 1, 1));
            assertThat(log.records()).isNotEmpty().hasSizeLessThan(10).allSatisfy(
                    record -> assertThat(record.toString()).contains("rate-limit.memory.max-size=1048576,"));
        } finally {
            log.close();
        }
        assertThat(used("ip:0")).isZero();
        assertThat(used("ip:" + (FLOOD - 1))).isEqualTo(1);
        assertThat(store.bytes()).isLessThanOrEqualTo(BYTES);
    }

    @Test
    void countedMemoryIsThatOfAllEntries() throws Exception {
        var cache = new IdentifierCache(now::get, StoreUnderTest.EXACT, BYTES, 20, identifier -> {
        });
        var evicted = new AtomicInteger();
        try (var race = new Race()) {
            Race.repeat(100, round -> {
                now.addAndGet(ThreadLocalRandom.current().nextLong(30 * SECOND));
                race.run(() -> {
                    var random = new Random();
                    for (int i = 0; i < 2000; i++) {
                        var identifier = (random.nextBoolean() ? "user:" : "free") + random.nextInt(3000);
                        var claims = List.of(claim("r" + random.nextInt(4), 1 + random.nextInt(60), 100,
                                1 + random.nextInt(100)));
                        switch (random.nextInt(10)) {
                            case 0 -> cache.apply(identifier, null, windows -> {
                                windows.reset(null);
                                return null;
                            });
                            case 1 -> cache.apply(identifier, null, windows -> windows.settle("x", Map.of(), now.get()));
                            default -> cache.update(identifier, windows -> windows.take(claims, now.get(), true, null));
                        }
                    }
                    return null;
                });
                var counted = new AtomicLong();
                long bytes = cache.bytes();
                cache.forEach((identifier, windows) -> counted.addAndGet(identifier.length() + windows.bytes()));
                assertThat(bytes).isEqualTo(counted.get()).isLessThanOrEqualTo(BYTES);
                evicted.addAndGet(bytes > BYTES / 2 ? 1 : 0);
            });
        }
        assertThat(evicted).hasPositiveValue();
    }
}
