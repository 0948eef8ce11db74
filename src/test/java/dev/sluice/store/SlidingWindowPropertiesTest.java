package dev.sluice.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;

/**
 * Checks the guarantee for random arrivals and costs: no window of length W, at any position, holds more than the limit, and
 * nothing that fits is denied.
 */
class SlidingWindowPropertiesTest {

    private static final long SPAN = 60_000_000;
    private static final StoreUnderTest MEMORY = new StoreUnderTest.InMemory();
    private static final StoreUnderTest REDIS = new StoreUnderTest.InRedis();
    private static int identifiers;

    record Arrival(long gap, long cost) {
    }

    private record Admitted(long at, long cost) {
    }

    @AfterContainer
    static void close() {
        REDIS.close();
    }

    @Provide
    Arbitrary<Arrival> arrivals() {
        var gaps = Arbitraries.oneOf(Arbitraries.longs().between(0, 3), Arbitraries.longs().between(0, 5_000_000),
                Arbitraries.longs().between(0, 70_000_000), Arbitraries.of(SPAN, SPAN - 1, SPAN + 1, SPAN / 60));
        return net.jqwik.api.Combinators.combine(gaps, Arbitraries.longs().between(1, 6)).as(Arrival::new);
    }

    @Property(tries = 1000)
    void memoryIsExact(@ForAll @Size(min = 1, max = 80) List<@net.jqwik.api.From("arrivals") Arrival> arrivals,
            @ForAll @IntRange(min = 1, max = 12) int limit) {
        check(MEMORY, arrivals, limit, 1, 0);
    }

    @Property(tries = 500)
    void redisIsExact(@ForAll @Size(min = 1, max = 80) List<@net.jqwik.api.From("arrivals") Arrival> arrivals,
            @ForAll @IntRange(min = 1, max = 12) int limit) {
        check(REDIS, arrivals, limit, 1, 0);
    }

    @Property(tries = 1000)
    void memoryIsNeverOverAndHardlyTooStrictForLargeLimits(
            @ForAll @Size(min = 1, max = 80) List<@net.jqwik.api.From("arrivals") Arrival> arrivals,
            @ForAll @IntRange(min = 1, max = 12) int limit) {
        check(MEMORY, arrivals, limit, 10_001, SPAN / 60);
    }

    @Property(tries = 500)
    void redisIsNeverOverAndHardlyTooStrictForLargeLimits(
            @ForAll @Size(min = 1, max = 80) List<@net.jqwik.api.From("arrivals") Arrival> arrivals,
            @ForAll @IntRange(min = 1, max = 12) int limit) {
        check(REDIS, arrivals, limit, 10_001, SPAN / 60);
    }

    /** @param slack how much longer than the window a unit may be held */
    private static void check(StoreUnderTest store, List<Arrival> arrivals, long limit, long unit, long slack) {
        var identifier = "property-" + identifiers++;
        var admitted = new ArrayList<Admitted>();
        for (var arrival : arrivals) {
            store.pass(arrival.gap());
            long cost = Math.min(arrival.cost(), limit) * unit;
            long now = store.now();
            boolean fits = held(admitted, now - SPAN) + cost <= limit * unit;
            boolean fitsForSure = held(admitted, now - SPAN - slack) + cost <= limit * unit;
            boolean let = store.take(identifier, StoreUnderTest.claim("r", 60, limit * unit, cost)).admitted();
            if (let) {
                admitted.add(new Admitted(now, cost));
            }
            assertThat(let).as("at %d, cost %d of %d", now, cost, limit * unit)
                    .satisfies(yes -> assertThat(yes && !fits).as("admitted and did not fit").isFalse())
                    .satisfies(yes -> assertThat(!yes && fitsForSure).as("fits and is denied").isFalse());
        }
        for (var first : admitted) {
            long inWindow = admitted.stream().filter(other -> other.at() >= first.at() && other.at() < first.at() + SPAN)
                    .mapToLong(Admitted::cost).sum();
            assertThat(inWindow).as("the window that begins at %d", first.at()).isLessThanOrEqualTo(limit * unit);
        }
        store.pass(2 * SPAN);
    }

    private static long held(List<Admitted> admitted, long after) {
        return admitted.stream().filter(unit -> unit.at() > after).mapToLong(Admitted::cost).sum();
    }
}
