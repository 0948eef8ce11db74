package dev.sluice.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import dev.sluice.api.QuotaUnit;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;

/**
 * Checks the guarantee of rules that count by the answer, for requests that overlap at random: in no window are more requests than the
 * limit that have, or may still get, a counted answer; and a request is denied only if there are as many.
 */
class CountedAnswersPropertiesTest {

    private static final long SPAN = 60_000_000;
    private static final StoreUnderTest MEMORY = new StoreUnderTest.InMemory();
    private static final StoreUnderTest REDIS = new StoreUnderTest.InRedis();
    private static int identifiers;

    /**
     * @param gap microseconds before the request begins
     * @param answers number of requests in flight that are answered before
     * @param outcome 0: the answer counts; 1, 2: it does not; 3: the instance is lost
     */
    record Step(long gap, int answers, int outcome) {
    }

    private static final class Request {

        private final long at;
        private final String reservation;
        private boolean released;

        Request(long at, String reservation) {
            this.at = at;
            this.reservation = reservation;
        }
    }

    @AfterContainer
    static void close() {
        REDIS.close();
    }

    @Provide
    Arbitrary<Step> steps() {
        var gaps = Arbitraries.oneOf(Arbitraries.longs().between(0, 3), Arbitraries.longs().between(0, 5_000_000),
                Arbitraries.longs().between(0, 70_000_000), Arbitraries.of(SPAN, SPAN - 1, SPAN + 1, SPAN / 60));
        return Combinators.combine(gaps, Arbitraries.integers().between(0, 3), Arbitraries.integers().between(0, 3))
                .as(Step::new);
    }

    @Property(tries = 1000)
    void inMemory(@ForAll @Size(min = 1, max = 80) List<@From("steps") Step> steps,
            @ForAll @IntRange(min = 1, max = 6) int limit) {
        check(MEMORY, steps, limit);
    }

    @Property(tries = 300)
    void inRedis(@ForAll @Size(min = 1, max = 80) List<@From("steps") Step> steps,
            @ForAll @IntRange(min = 1, max = 6) int limit) {
        check(REDIS, steps, limit);
    }

    private static void check(StoreUnderTest store, List<Step> steps, long limit) {
        var identifier = "answers-" + identifiers++;
        var claim = new WindowClaim("r", SPAN, limit, QuotaUnit.REQUESTS, 1, true);
        var admitted = new ArrayList<Request>();
        var inFlight = new ArrayDeque<Request>();
        for (var step : steps) {
            for (int i = 0; i < step.answers() && !inFlight.isEmpty(); i++) {
                var request = i % 2 == 0 ? inFlight.removeFirst() : inFlight.removeLast();
                if (step.outcome() < 3) {
                    request.released = step.outcome() > 0;
                    store.settle(identifier, request.reservation, Map.of("r", request.released ? 0L : 1L));
                }
            }
            store.pass(step.gap());
            var reservation = "%032x".formatted(admitted.size());
            long now = store.now();
            boolean fits = held(admitted, now - SPAN) < limit;
            boolean fitsForSure = held(admitted, now - SPAN - SPAN / 60) < limit;
            boolean let = store.reserve(identifier, reservation, claim).admitted();
            assertThat(let && !fits).as("admitted beyond the limit").isFalse();
            assertThat(!let && fitsForSure).as("a unit is left, and the request is denied").isFalse();
            if (let) {
                var request = new Request(now, reservation);
                admitted.add(request);
                inFlight.add(request);
            }
        }
        for (var first : admitted) {
            assertThat(admitted.stream().filter(other -> !other.released && other.at >= first.at && other.at < first.at + SPAN)
                    .count()).as("counted answers in the window that begins at %d", first.at).isLessThanOrEqualTo(limit);
        }
        store.pass(2 * SPAN);
    }

    private static long held(List<Request> admitted, long after) {
        return admitted.stream().filter(request -> !request.released && request.at > after).count();
    }
}
