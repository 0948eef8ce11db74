package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.store.StoreUnderTest;

/**
 * Steps the store's clock while a caller uses all of its limit. The caller is not locked out permanently, and around the step
 * at most one extra window is admitted.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClockStepTest {

    private static final long SECOND = 1_000_000;
    private static final long BACK = -600 * SECOND;
    private static final long FORWARD = 3600 * SECOND;

    private final Map<String, StoreUnderTest> stores = Map.of("redis", new StoreUnderTest.InRedis(), "memory",
            new StoreUnderTest.InMemory());

    @AfterAll
    void close() {
        stores.values().forEach(StoreUnderTest::close);
    }

    Stream<Arguments> steps() {
        return stores.keySet().stream().flatMap(store -> Stream.of(BACK, FORWARD).flatMap(step -> Stream.of(60L, 3600L)
                .flatMap(window -> Stream.of(Arguments.of(store, step, window, 30L, 1L),
                        Arguments.of(store, step, window, 30_000L, 1000L)))));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void stepGivesAtMostOneWindowAndTakesNone(String name, long step, long seconds, long limit, long cost) {
        var store = stores.get(name);
        var identifier = "step" + step + seconds + limit;
        long window = seconds * SECOND;
        long tick = window / 120;
        var admitted = new ArrayList<Long>(); // in real time, which does not step
        long start = store.now();
        long stepped = 0;
        for (int i = 0; i < 600; i++) {
            stepped = i == 250 ? step : stepped;
            store.at(start + i * tick + stepped);
            if (store.take(identifier, claim("r", seconds, limit, cost)).admitted()) {
                admitted.add(i * tick);
            }
        }
        long stepAt = 250 * tick;
        for (long from = 0; from <= 480 * tick; from += tick) {
            long begin = from;
            long inside = cost * admitted.stream().filter(time -> time >= begin && time < begin + window).count();
            boolean touched = begin <= stepAt && stepAt < begin + window;
            assertThat(inside).as("window at %d s", begin / SECOND).isLessThanOrEqualTo(touched ? 2 * limit : limit);
            if (begin > stepAt + window) {
                assertThat(inside).as("window at %d s", begin / SECOND).isGreaterThanOrEqualTo(limit * 9 / 10);
            }
        }
        assertThat(admitted.stream().filter(time -> time >= stepAt && time < stepAt + 2 * window).count() * cost)
                .as("after the step").isBetween(limit * 9 / 10, 3 * limit);
    }
}
