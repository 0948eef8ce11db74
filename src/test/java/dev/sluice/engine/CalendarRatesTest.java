package dev.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.Decision;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.cluster.InstanceRegistry;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.PeriodCalendar;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.memory.InMemoryWindowStore;

/** Calendar rates from the request to the decision: several instances, whose clocks are off, and one Redis. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CalendarRatesTest {

    private static final long SECOND = 1_000_000;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final StoreUnderTest.InRedis redis = new StoreUnderTest.InRedis();

    @AfterAll
    void close() {
        redis.close();
    }

    /** Returns the limiter of an instance whose estimate of Redis's clock is off by some microseconds. */
    private DefaultRateLimiter instance(ZoneId zone, long off) {
        MicrosClock clock = () -> redis.now() + off;
        return limiter(new FailoverWindowStore(redis.store(), memory(clock), registry(), FallbackPolicy.LOCAL), clock, zone);
    }

    private static InMemoryWindowStore memory(MicrosClock clock) {
        return new InMemoryWindowStore(clock, StoreUnderTest.EXACT, 64 << 20, StoreUnderTest.MAX_WINDOWS);
    }

    private static InstanceRegistry registry() {
        return new InstanceRegistry(new HashTags("sluice"), 1, LuaScript.SERVER_TIME);
    }

    private static DefaultRateLimiter limiter(FailoverWindowStore store, MicrosClock clock, ZoneId zone) {
        return new DefaultRateLimiter(store, null, clock, new PeriodCalendar(zone), FallbackPolicy.LOCAL, true, false,
                List.of(), new InFlightRequests(), (nanos, task) -> task, 0);
    }

    private static Decision check(DefaultRateLimiter limiter, String identifier, ResourceCheck... checks) {
        return limiter.check(new RateLimitRequest(identifier, null, RateLimitRequest.CUSTOM_LABEL, List.of(checks))).await()
                .atMost(TIMEOUT);
    }

    private static Instant instant(long seconds) {
        return Instant.ofEpochSecond(seconds);
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"})
    void fleetAdmitsTheLimitInEachDay(String id) {
        var zone = ZoneId.of(id);
        var random = new Random(3);
        var fleet = new ArrayList<DefaultRateLimiter>();
        for (long off : List.of(-SECOND, -SECOND / 3, 0L, SECOND / 2, SECOND)) {
            fleet.add(instance(zone, off));
        }
        redis.at(Instant.parse("2026-10-24T12:00:00Z").getEpochSecond() * SECOND);
        var check = new ResourceCheck("r", Rate.parse("20/calendar-day"), 1);
        for (int midnight = 0; midnight < 4; midnight++) {
            var day = CalendarWindow.at(CalendarPeriod.DAY, zone, redis.now());
            redis.at(day.endMicros() - SECOND);
            int admitted = 0;
            for (int i = 0; i < 60; i++) {
                redis.at(Math.min(day.endMicros() - 1, redis.now() + random.nextInt(40_000)));
                var decision = check(fleet.get(random.nextInt(fleet.size())), "fleet:" + id, check);
                admitted += decision.allowed() ? 1 : 0;
                var quota = decision.quotas().get(0);
                assertThat(quota.window()).isEqualTo(Duration.ofSeconds(day.end() - day.start()));
                assertThat(quota.resetAt()).contains(instant(day.end()));
                assertThat(quota.retryAt().isPresent()).isEqualTo(!decision.allowed());
                quota.retryAt().ifPresent(retry -> assertThat(retry).isEqualTo(instant(day.end())));
            }
            assertThat(admitted).as("from the first second of the day: " + midnight).isEqualTo(20);
            redis.at(day.endMicros());
        }
    }

    @Test
    void reservationsAreSettledAfterMidnight() {
        var zone = ZoneId.of("America/New_York");
        var ahead = instance(zone, SECOND);
        var behind = instance(zone, -SECOND);
        var month = CalendarWindow.at(CalendarPeriod.MONTH, zone,
                Instant.parse("2026-03-15T00:00:00Z").getEpochSecond() * SECOND);
        var rate = Rate.parse("0.000001/calendar-month", QuotaUnit.NANODOLLARS);
        redis.at(month.endMicros() - SECOND / 2); // a new month for the instance that is ahead
        var first = check(ahead, "settled", ResourceCheck.reservation("llm", rate, 700));
        assertThat(first.quotas().get(0).resetAt()).contains(instant(month.end()));
        redis.at(month.endMicros() + SECOND / 2); // still the old one for the instance that is behind
        var second = check(behind, "settled", ResourceCheck.reservation("llm", rate, 600));
        var next = month.at(redis.now());
        assertThat(second.allowed()).isTrue();
        assertThat(second.quotas().get(0).resetAt()).contains(instant(next.end()));
        behind.settle("settled", first.reservation().orElseThrow(), Map.of("llm", 0L)).await().atMost(TIMEOUT);
        assertThat(usage("settled", next)).isEqualTo(600);
        ahead.settle("settled", second.reservation().orElseThrow(), Map.of("llm", 50L)).await().atMost(TIMEOUT);
        assertThat(usage("settled", next)).isEqualTo(50);
        redis.at(month.endMicros() - SECOND);
        assertThat(usage("settled", month)).isZero();
    }

    private long usage(String identifier, CalendarWindow period) {
        return redis.store().usage(identifier, "llm", period).await().atMost(TIMEOUT).used();
    }

    @Test
    void windowsInMemoryFollowTheirOwnClock() {
        long[] now = {Instant.parse("2026-11-30T17:30:00Z").getEpochSecond() * SECOND};
        MicrosClock clock = () -> now[0];
        var limiter = limiter(new FailoverWindowStore(null, memory(clock), registry(), FallbackPolicy.LOCAL), clock,
                ZoneId.of("Asia/Kathmandu"));
        var check = new ResourceCheck("r", Rate.parse("2/month;2/day"), 1);
        assertThat(check(limiter, "alice", check).allowed()).isTrue();
        assertThat(check(limiter, "alice", check).allowed()).isTrue();
        var denied = check(limiter, "alice", check);
        assertThat(denied.quotas().get(0).retryAt()).contains(Instant.parse("2026-11-30T18:15:00Z"));
        now[0] += 86_400 * SECOND;
        assertThat(check(limiter, "alice", check).allowed()).isTrue();
        now[0] += 86_400 * SECOND;
        assertThat(check(limiter, "alice", check).allowed()).isTrue();
        now[0] += 86_400 * SECOND;
        var later = check(limiter, "alice", check);
        assertThat(later.retryAfter()).contains(Duration.between(later.decidedAt(), Instant.parse("2026-12-31T18:15:00Z")));
    }

    /** Two checks of one window: the smaller limit and the larger cost hold, also for calendar periods. */
    @Test
    void checksOfOnePeriodAreCombined() {
        var limiter = instance(ZoneId.of("UTC"), 0);
        redis.at(Instant.parse("2026-06-15T12:00:00Z").getEpochSecond() * SECOND);
        var decision = check(limiter, "combined", new ResourceCheck("r", Rate.parse("10/calendar-week;9/7d"), 2),
                new ResourceCheck("r", Rate.parse("5/calendar-week"), 3));
        assertThat(decision.quotas()).extracting(quota -> quota.limit() - quota.remaining()).containsExactlyInAnyOrder(3L, 2L);
        assertThat(decision.quotas()).extracting(quota -> quota.limit()).containsExactlyInAnyOrder(5L, 9L);
    }
}
