package dev.sluice.store;

import static dev.sluice.store.StoreUnderTest.claim;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.QuotaUnit;
import dev.sluice.store.ReservationToken.Location;

/** Decisions on calendar windows, in memory and in Redis, with a clock that the test sets. */
class CalendarDecisionsTest extends StoresTestBase {

    private static final long SECOND = 1_000_000;
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");
    private static final List<String> ZONES = List.of("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu",
            "Pacific/Apia");
    /** Months in which clocks change, and one in which none do. */
    private static final List<String> MONTHS = List.of("2026-03-01T00:00:00Z", "2026-07-01T00:00:00Z", "2026-10-20T00:00:00Z");

    /** Kind of a window. */
    private enum Form {
        SMALL_LOG(5, false), LOG(300, false), RING(20_000, false), RESERVED(1000, true);

        private final long limit;
        private final boolean reserved;

        Form(long limit, boolean reserved) {
            this.limit = limit;
            this.reserved = reserved;
        }
    }

    static Stream<Arguments> storesAndForms() {
        return stores().stream().flatMap(store -> Stream.of(Form.values()).map(form -> Arguments.of(store, form)));
    }

    private static WindowClaim calendar(CalendarPeriod period, ZoneId zone, long time, long limit, long cost) {
        return claim("r", 60, limit, cost).in(CalendarWindow.at(period, zone, time));
    }

    private static long micros(String instant) {
        return Instant.parse(instant).getEpochSecond() * SECOND;
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void limitHoldsFromOneMidnightToTheNext(StoreUnderTest store) {
        long start = micros("2026-10-24T22:00:00Z"); // a day of 25 hours
        long end = start + 25 * 3600 * SECOND;
        store.at(start);
        var claim = calendar(CalendarPeriod.DAY, BERLIN, start, 10, 4);
        assertThat(claim.span()).isEqualTo(end - start);
        var first = store.take("midnight", claim);
        assertThat(first.windows()[0]).isEqualTo(new StoreResult.WindowState(4, end, 0));
        store.at(end - 2);
        assertThat(store.take("midnight", claim).admitted()).isTrue();
        store.at(end - 1);
        var denied = store.take("midnight", claim);
        assertThat(denied.admitted()).isFalse();
        assertThat(denied.windows()[0]).isEqualTo(new StoreResult.WindowState(8, end, end));
        assertThat(store.take("midnight", calendar(CalendarPeriod.DAY, BERLIN, start, 10, 11)).windows()[0].retryAt())
                .isEqualTo(StoreResult.NEVER);
        store.at(end);
        var next = store.take("midnight", claim);
        assertThat(next.admitted()).isTrue();
        assertThat(next.windows()[0]).isEqualTo(new StoreResult.WindowState(4, end + 24 * 3600 * SECOND, 0));
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void slidingAndCalendarWindowsOfOneLengthDoNotMix(StoreUnderTest store) {
        long start = micros("2026-06-10T00:00:00Z");
        store.at(start + 3600 * SECOND);
        var sliding = claim("r", 86_400, 3, 1);
        var today = calendar(CalendarPeriod.DAY, ZoneId.of("UTC"), start, 2, 1);
        assertThat(store.take("both", sliding, today).admitted()).isTrue();
        assertThat(store.take("both", sliding, today).admitted()).isTrue();
        var denied = store.take("both", sliding, today);
        assertThat(denied.admitted()).isFalse();
        assertThat(denied.windows()[0].retryAt()).isZero();
        assertThat(denied.windows()[1].retryAt()).isEqualTo(today.calendar().endMicros());
        store.at(start + 86_400 * SECOND);
        assertThat(store.take("both", sliding, today).admitted()).isTrue();
        var byTheOther = store.take("both", sliding, today);
        assertThat(byTheOther.admitted()).isFalse();
        assertThat(byTheOther.windows()[0].retryAt()).isEqualTo(start + (86_400 + 3600) * SECOND);
        assertThat(byTheOther.windows()[1].retryAt()).isZero();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void onlyTheCurrentPeriodIsListedAndBothAreReset(StoreUnderTest store) {
        var midnight = CalendarWindow.at(CalendarPeriod.MONTH, BERLIN, micros("2026-11-15T00:00:00Z")).endMicros();
        store.at(midnight - 10 * SECOND);
        var claim = calendar(CalendarPeriod.MONTH, BERLIN, store.now(), 10, 1);
        store.take("list", calendar(CalendarPeriod.MONTH, BERLIN, store.now(), 10, 7));
        store.take("list", claim("r", 60, 10, 3));
        assertThat(limits(store, "list")).isEqualTo(Map.of("r", 7L));
        assertThat(usage(store, "list", claim)).isEqualTo(7);
        store.at(midnight + 10 * SECOND);
        assertThat(limits(store, "list")).isEqualTo(Map.of("r", 3L));
        assertThat(usage(store, "list", claim)).isZero();
        store.take("list", calendar(CalendarPeriod.MONTH, BERLIN, store.now(), 10, 2));
        assertThat(limits(store, "list")).isEqualTo(Map.of("r", 2L));
        assertThat(usage(store, "list", claim)).isEqualTo(2);
        store.store().reset("list", "r").await().atMost(TIMEOUT);
        assertThat(limits(store, "list")).isEmpty();
        store.at(midnight - SECOND);
        assertThat(limits(store, "list")).as("the past period").isEmpty();
        assertThat(store.take("list", calendar(CalendarPeriod.MONTH, BERLIN, store.now(), 10, 10)).admitted()).isTrue();
    }

    private static Map<String, Long> limits(StoreUnderTest store, String identifier) {
        return store.store().limits(identifier).await().atMost(TIMEOUT);
    }

    private static long usage(StoreUnderTest store, String identifier, WindowClaim claim) {
        var usage = store.store().usage(identifier, claim.resource(), claim.calendar()).await().atMost(TIMEOUT);
        var current = claim.calendar().at(store.now());
        assertThat(usage.start()).isEqualTo(Instant.ofEpochSecond(current.start()));
        assertThat(usage.end()).isEqualTo(Instant.ofEpochSecond(current.end()));
        return usage.used();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void reservationIsSettledInThePeriodThatItWasTakenFrom(StoreUnderTest store) {
        var day = CalendarWindow.at(CalendarPeriod.DAY, BERLIN, micros("2026-03-29T12:00:00Z"));
        store.at(day.endMicros() - SECOND);
        var tokens = new WindowClaim("r", 60 * SECOND, 1000, QuotaUnit.TOKENS, 600, true).in(day);
        var reservation = "0123456789abcdef0123456789abcdef";
        assertThat(store.reserve("settle", reservation, tokens).admitted()).isTrue();
        store.at(day.endMicros() + SECOND);
        assertThat(store.reserve("settle", "other", tokens).admitted()).isTrue();
        var token = ReservationToken
                .parse(ReservationToken.of(Location.REDIS, reservation, List.of("settle"), List.of(tokens)).toString());
        store.store().settle("settle", token, Map.of("r", 100L)).await().atMost(TIMEOUT);
        assertThat(usage(store, "settle", tokens)).as("the next day").isEqualTo(600);
        store.at(day.endMicros() - SECOND);
        assertThat(usage(store, "settle", tokens)).as("the day of the reservation").isEqualTo(100);
    }

    /** Units of a period stay in it when the clock is set back, also those from before that time. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("storesAndForms")
    void clockThatIsSetBackFreesNothing(StoreUnderTest store, Form form) {
        var identifier = "back-" + form;
        var day = CalendarWindow.at(CalendarPeriod.DAY, BERLIN, micros("2026-05-05T12:00:00Z"));
        long third = form.limit / 3;
        var claim = claimOf(day, form, third);
        for (long hour : List.of(1L, 20L)) {
            store.at(day.startMicros() + hour * 3600 * SECOND);
            assertThat(store.reserve(identifier, form.reserved ? "h" + hour : null, claim).admitted()).isTrue();
        }
        store.at(day.startMicros() + 2 * 3600 * SECOND);
        assertThat(store.reserve(identifier, form.reserved ? "back" : null, claim).admitted()).isTrue();
        for (long hour : List.of(3L, 19L, 22L)) {
            store.at(day.startMicros() + hour * 3600 * SECOND);
            var denied = store.reserve(identifier, form.reserved ? "more" : null,
                    claimOf(day, form, form.limit - 3 * third + 1));
            assertThat(denied.admitted()).isFalse();
            assertThat(denied.windows()[0].used()).isEqualTo(3 * third);
        }
    }

    private static WindowClaim claimOf(CalendarWindow period, Form form, long cost) {
        return new WindowClaim("r", 60 * SECOND, form.limit, form.reserved ? QuotaUnit.TOKENS : QuotaUnit.REQUESTS, cost,
                form.reserved).in(period);
    }

    /**
     * Compares with a count per period: times of all kinds of zones, near midnights and changes of the clocks, of a clock that jumps
     * back a little, asked by instances whose clocks are off by up to a second.
     */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("storesAndForms")
    void eachPeriodAdmitsWhatFitsAndNotOneMore(StoreUnderTest store, Form form) {
        for (int seed = 0; seed < 30; seed++) {
            var random = new Random(seed);
            new Run(store, form, random, "model-" + form + "-" + seed).steps(60);
        }
    }

    /** A random run of one identifier, and what it must have used in each period. */
    private static final class Run {

        private record Reservation(String id, WindowClaim claim) {
        }

        private final StoreUnderTest store;
        private final Form form;
        private final Random random;
        private final String identifier;
        private final CalendarPeriod period;
        private final ZoneId zone;
        private final boolean withSliding;
        private final Map<CalendarWindow, Long> used = new HashMap<>();
        private final List<Reservation> open = new ArrayList<>();

        Run(StoreUnderTest store, Form form, Random random, String identifier) {
            this.store = store;
            this.form = form;
            this.random = random;
            this.identifier = identifier;
            this.period = CalendarPeriod.values()[random.nextInt(3)];
            this.zone = ZoneId.of(ZONES.get(random.nextInt(ZONES.size())));
            this.withSliding = random.nextBoolean();
            store.at(micros(MONTHS.get(random.nextInt(MONTHS.size()))) + random.nextLong(10 * 86_400 * SECOND));
        }

        void steps(int count) {
            for (int i = 0; i < count; i++) {
                move();
                decide(i);
                if (!open.isEmpty() && random.nextInt(3) == 0) {
                    settle();
                }
            }
        }

        private void move() {
            var current = CalendarWindow.at(period, zone, store.now());
            switch (random.nextInt(12)) {
                case 0, 1 -> store.at(current.endMicros() - random.nextLong(2 * SECOND));
                case 2 -> store.at(Math.max(store.now(), current.endMicros() - 1));
                case 3 -> store.at(current.endMicros());
                case 4 -> store.pass(random.nextLong(current.span()));
                case 5, 6 -> store.pass(-random.nextLong(900_000));
                default -> store.pass(random.nextLong(500_000));
            }
        }

        private void decide(int step) {
            var current = CalendarWindow.at(period, zone, store.now());
            long before = used.getOrDefault(current, 0L);
            long cost = 1 + random.nextLong(random.nextInt(8) == 0 ? form.limit : 1 + form.limit / 8);
            var asked = claimOf(CalendarWindow.at(period, zone, store.now() + random.nextLong(2 * SECOND) - SECOND), form,
                    cost);
            var claims = withSliding
                    ? new WindowClaim[]{claim("burst", 60, 1_000_000, 1), asked}
                    : new WindowClaim[]{asked};
            var reservation = form.reserved ? identifier + '-' + step : null;
            var result = store.reserve(identifier, reservation, claims);
            var state = result.windows()[claims.length - 1];
            boolean fits = before + cost <= form.limit;
            assertThat(result.admitted()).as("step %d", step).isEqualTo(fits);
            assertThat(current.contains(result.now())).isTrue();
            assertThat(ClaimPlan.at(List.of(claims), result.now()).get(claims.length - 1).calendar()).isEqualTo(current);
            long after = fits ? before + cost : before;
            assertThat(state.used()).as("step %d", step).isEqualTo(after);
            assertThat(state.freeAt()).isEqualTo(after > 0 ? current.endMicros() : 0);
            assertThat(state.retryAt()).isEqualTo(fits ? 0 : current.endMicros());
            used.put(current, after);
            if (fits && form.reserved) {
                open.add(new Reservation(reservation, asked.in(current)));
            }
        }

        private void settle() {
            var settled = open.remove(random.nextInt(open.size()));
            long actual = random.nextLong(2 * settled.claim().cost());
            var token = ReservationToken.of(Location.REDIS, settled.id(), List.of(identifier), List.of(settled.claim()));
            store.store().settle(identifier, token, Map.of("r", actual)).await().atMost(TIMEOUT);
            used.merge(settled.claim().calendar(), actual - settled.claim().cost(), Long::sum);
        }
    }
}
