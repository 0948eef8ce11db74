package dev.sluice.store;

import static dev.sluice.store.StoreUnderTest.claim;
import static dev.sluice.store.StoreUnderTest.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.logging.Level;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import dev.sluice.api.QuotaUnit;
import dev.sluice.testing.LogRecorder;

/** Contract of every store. Each test uses its own identifier. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class WindowStoreContract {

    private static final long SECOND = 1_000_000;

    public final StoreUnderTest store = open();

    public abstract StoreUnderTest open();

    @AfterAll
    void close() {
        store.close();
    }

    @Test
    void admitsUpToTheLimitAndNotOneMore() {
        for (int i = 1; i <= 10; i++) {
            var result = store.take("limit", claim("r", 60, 10, 1));
            assertThat(result.admitted()).isTrue();
            assertThat(result.windows()[0].used()).isEqualTo(i);
        }
        assertThat(store.take("limit", claim("r", 60, 10, 1)).admitted()).isFalse();
        assertThat(store.used("limit", "r", 60)).isEqualTo(10);
    }

    @Test
    void slidesAndDoesNotJump() {
        long start = store.now();
        store.take("slide", claim("r", 60, 2, 1));
        store.pass(30 * SECOND);
        store.take("slide", claim("r", 60, 2, 1));
        store.at(start + 60 * SECOND - 1);
        assertThat(store.take("slide", claim("r", 60, 2, 1)).admitted()).isFalse();
        store.at(start + 60 * SECOND);
        assertThat(store.take("slide", claim("r", 60, 2, 1)).admitted()).isTrue();
        assertThat(store.take("slide", claim("r", 60, 2, 1)).admitted()).isFalse();
    }

    @Test
    void denialHasTheTimeAtWhichItsWholeCostFits() {
        long start = store.now();
        for (int i = 0; i < 10; i++) {
            store.at(start + i * SECOND);
            store.take("retry", claim("r", 60, 10, 1));
        }
        var denied = store.take("retry", claim("r", 60, 10, 4));
        assertThat(denied.admitted()).isFalse();
        assertThat(denied.windows()[0].freeAt()).isEqualTo(start + 60 * SECOND);
        assertThat(denied.windows()[0].retryAt()).isEqualTo(start + 63 * SECOND);
        store.at(denied.windows()[0].retryAt() - 1);
        assertThat(store.take("retry", claim("r", 60, 10, 4)).admitted()).isFalse();
        store.at(denied.windows()[0].retryAt());
        assertThat(store.take("retry", claim("r", 60, 10, 4)).admitted()).isTrue();
    }

    @Test
    void denialConsumesAndPostponesNothing() {
        long start = store.now();
        for (int i = 0; i < 5; i++) {
            store.take("refusal", claim("r", 60, 5, 1));
        }
        for (int i = 1; i < 60; i++) {
            store.at(start + i * SECOND);
            var denied = store.take("refusal", claim("r", 60, 5, 1));
            assertThat(denied.admitted()).isFalse();
            assertThat(denied.windows()[0].retryAt()).isEqualTo(start + 60 * SECOND);
        }
        assertThat(store.used("refusal", "r", 60)).isEqualTo(5);
        store.at(start + 60 * SECOND);
        assertThat(store.take("refusal", claim("r", 60, 5, 5)).admitted()).isTrue();
    }

    @Test
    void queryChangesNothing() {
        var queried = store.query("ask", claim("r", 60, 1, 1));
        assertThat(queried.admitted()).isTrue();
        assertThat(queried.windows()[0].used()).isZero();
        assertThat(store.take("ask", claim("r", 60, 1, 1)).admitted()).isTrue();
        assertThat(store.query("ask", claim("r", 60, 1, 1)).admitted()).isFalse();
        assertThat(store.used("ask", "r", 60)).isEqualTo(1);
    }

    @Test
    void costAboveTheLimitNeverFits() {
        var denied = store.take("never", claim("r", 60, 5, 6));
        assertThat(denied.admitted()).isFalse();
        assertThat(denied.windows()[0].retryAt()).isEqualTo(StoreResult.NEVER);
    }

    @Test
    void severalWindowsAreAllOrNothing() {
        for (int i = 0; i < 3; i++) {
            store.take("several", claim("burst", 1, 3, 1), claim("hour", 3600, 100, 1));
        }
        var denied = store.take("several", claim("burst", 1, 3, 1), claim("hour", 3600, 100, 1));
        assertThat(denied.admitted()).isFalse();
        assertThat(denied.windows()[0].retryAt()).isPositive();
        assertThat(denied.windows()[1].retryAt()).isZero();
        assertThat(store.used("several", "burst", 1)).isEqualTo(3);
        assertThat(store.used("several", "hour", 3600)).isEqualTo(3);
    }

    @Test
    void eachClaimHasItsOwnCost() {
        var result = store.take("costs", claim("requests", 60, 10, 1), claim("tokens", 60, 1000, 250));
        assertThat(result.windows()[0].used()).isEqualTo(1);
        assertThat(result.windows()[1].used()).isEqualTo(250);
    }

    @Test
    void windowKeepsItsCountWhenTheLimitChanges() {
        for (int i = 0; i < 5; i++) {
            store.take("change", claim("r", 60, 10, 1));
        }
        assertThat(store.take("change", claim("r", 60, 3, 1)).admitted()).isFalse();
        assertThat(store.take("change", claim("r", 60, 6, 1)).admitted()).isTrue();
        assertThat(store.take("change", claim("r", 60, 6, 1)).admitted()).isFalse();
    }

    @Test
    void windowKeepsItsCountWhenItBecomesLargeAndSmallAgain() {
        long start = store.now();
        for (int i = 0; i < 5; i++) {
            store.take("form", claim("r", 60, 10, 1));
        }
        assertThat(store.take("form", claim("r", 60, 20_000, 1)).windows()[0].used()).isEqualTo(6);
        assertThat(store.used("form", "r", 60)).isEqualTo(6);
        assertThat(store.take("form", claim("r", 60, 6, 1)).admitted()).isFalse();
        assertThat(store.take("form", claim("r", 60, 10, 1)).windows()[0].used()).isEqualTo(7);
        store.at(start + 62 * SECOND);
        assertThat(store.take("form", claim("r", 60, 10, 1)).windows()[0].used()).isEqualTo(1);
    }

    @Test
    void largeLimitIsNeverExceededAndAtMostASixtiethTooStrict() {
        long start = store.now();
        assertThat(store.take("large", claim("r", 60, 1_000_000, 1_000_000)).admitted()).isTrue();
        store.at(start + 60 * SECOND - 1);
        assertThat(store.take("large", claim("r", 60, 1_000_000, 1)).admitted()).isFalse();
        store.at(start + 61 * SECOND);
        assertThat(store.take("large", claim("r", 60, 1_000_000, 1_000_000)).admitted()).isTrue();
    }

    @Test
    void largeLimitHoldsEvenTheLastMicrosecondOfASubWindow() {
        long lastOfItsPart = (store.now() / SECOND + 1) * SECOND - 1; // parts of a minute's window are a second long
        store.at(lastOfItsPart);
        assertThat(store.take("last", claim("r", 60, 1_000_000, 1_000_000)).admitted()).isTrue();
        store.at(lastOfItsPart + 60 * SECOND - 1);
        assertThat(store.take("last", claim("r", 60, 1_000_000, 1)).admitted()).isFalse();
        store.at(lastOfItsPart + 60 * SECOND);
        assertThat(store.take("last", claim("r", 60, 1_000_000, 1_000_000)).admitted()).isTrue();
    }

    @Test
    void limitsReturnTheLongestWindowOfEachResource() {
        store.take("list", claim("a", 1, 10, 2), claim("a", 60, 10, 2), claim("b:c", 3600, 50_000, 7));
        store.pass(2 * SECOND);
        store.take("list", claim("a", 1, 10, 1), claim("a", 60, 10, 1));
        assertThat(store.store().limits("list").await().indefinitely()).isEqualTo(Map.of("a", 3L, "b:c", 7L));
        assertThat(store.store().limits("nobody").await().indefinitely()).isEmpty();
    }

    @Test
    void resetDeletesOneResourceOrAll() {
        store.take("reset", claim("a", 60, 10, 1), claim("a", 1, 10, 1), claim("b", 60, 10, 1));
        store.store().reset("reset", "a").await().indefinitely();
        assertThat(store.used("reset", "a", 60)).isZero();
        assertThat(store.used("reset", "b", 60)).isEqualTo(1);
        store.store().reset("reset", null).await().indefinitely();
        assertThat(store.store().limits("reset").await().indefinitely()).isEmpty();
    }

    @Test
    void resetAllDeletesAllIdentifiers() {
        store.take("all-1", claim("a", 60, 10, 1));
        store.take("all-2", claim("a", 60, 10_001, 1));
        store.store().resetAll().await().indefinitely();
        assertThat(store.used("all-1", "a", 60)).isZero();
        assertThat(store.used("all-2", "a", 60)).isZero();
        assertThat(store.take("all-1", claim("a", 60, 1, 1)).admitted()).isTrue();
    }

    @Test
    void namesThatJoinAlikeAreDifferent() {
        var names = List.of("a_b", "a", "a:b", "a{b}", "{a}", "a\u0000", "a\r\nb", "\uD83D\uDE00", "a ", "1:a", "ü", "a*");
        for (var identifier : names) {
            for (var resource : names) {
                assertThat(store.take(identifier, claim(resource, 60, 1, 1)).admitted())
                        .as("%s / %s", identifier, resource).isTrue();
                assertThat(store.take(identifier, claim(resource, 60, 1, 1)).admitted()).isFalse();
            }
        }
        assertThat(store.take("a", claim("b:c", 60, 1, 1)).admitted()).isTrue();
        assertThat(store.take("a:b", claim("c", 60, 1, 1)).admitted()).isTrue();
    }

    @Test
    void clockSetBackNeitherLocksOutNorGivesAway() {
        for (long limit : new long[]{10, 20_000}) {
            var id = "back-" + limit;
            long units = limit / 2;
            store.take(id, claim("r", 60, limit, units));
            store.pass(20 * SECOND);
            store.take(id, claim("r", 60, limit, units));
            store.pass(-600 * SECOND);
            long back = store.now();
            assertThat(store.take(id, claim("r", 60, limit, 1)).admitted()).isFalse();
            store.at(back + 62 * SECOND);
            assertThat(store.take(id, claim("r", 60, limit, limit)).admitted()).as(id).isTrue();
            store.at(back + 3600 * SECOND);
        }
    }

    @Test
    void clockALittleBehindDoesNotReorder() {
        store.take("behind", claim("r", 60, 2, 1));
        long start = store.now();
        store.pass(-SECOND / 2);
        assertThat(store.take("behind", claim("r", 60, 2, 1)).admitted()).isTrue();
        store.at(start + 60 * SECOND - 1);
        assertThat(store.take("behind", claim("r", 60, 2, 1)).admitted()).isFalse();
        store.at(start + 60 * SECOND);
        assertThat(store.take("behind", claim("r", 60, 2, 2)).admitted()).isTrue();
    }

    @Test
    void clockSetForwardGivesAtMostOneWindow() {
        store.take("forward", claim("r", 60, 10, 10));
        store.pass(3600 * SECOND);
        assertThat(store.take("forward", claim("r", 60, 10, 10)).admitted()).isTrue();
        assertThat(store.take("forward", claim("r", 60, 10, 1)).admitted()).isFalse();
    }

    @Test
    void costsOfThousandsOfUnitsAreCountedExactly() {
        long start = store.now();
        assertThat(store.take("thousands", claim("r", 60, 10_000, 9_999)).admitted()).isTrue();
        store.pass(SECOND);
        assertThat(store.take("thousands", claim("r", 60, 10_000, 2)).admitted()).isFalse();
        assertThat(store.take("thousands", claim("r", 60, 10_000, 1)).admitted()).isTrue();
        assertThat(store.used("thousands", "r", 60)).isEqualTo(10_000);
        store.at(start + 60 * SECOND);
        assertThat(store.used("thousands", "r", 60)).isEqualTo(1);
        assertThat(store.take("thousands", claim("r", 60, 10_000, 9_999)).admitted()).isTrue();
        assertThat(store.used("thousands", "r", 60)).isEqualTo(10_000);
    }

    @Test
    void concurrentDecisionsAreExactAndAllOrNothing() throws Exception {
        var threads = Executors.newFixedThreadPool(8);
        try {
            for (int round = 0; round < 5; round++) {
                var id = "concurrent-" + round;
                var calls = new ArrayList<Callable<Boolean>>();
                for (int i = 0; i < 600; i++) {
                    boolean both = i % 2 == 0;
                    calls.add(() -> (both
                            ? store.take(id, claim("narrow", 60, 50, 1), claim("wide", 60, 120, 1))
                            : store.take(id, claim("wide", 60, 120, 1))).admitted());
                }
                int both = 0;
                int single = 0;
                var results = threads.invokeAll(calls);
                for (int i = 0; i < results.size(); i++) {
                    if (results.get(i).get()) {
                        both += i % 2 == 0 ? 1 : 0;
                        single += i % 2 == 0 ? 0 : 1;
                    }
                }
                assertThat(both + single).isEqualTo(120);
                assertThat(both).isLessThanOrEqualTo(50);
                assertThat(store.used(id, "narrow", 60)).isEqualTo(both);
                assertThat(store.used(id, "wide", 60)).isEqualTo(120);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void windowsThatAreDroppedAreNotCountedInto() {
        for (int i = 0; i < 7; i++) {
            store.take("dropped", claim("other" + i, 60, 10, 1));
        }
        store.take("dropped", claim("x", 2, 10, 1));
        store.pass(2 * SECOND + 300_000);
        assertThat(store.take("dropped", claim("x", 60, 100, 10), claim("x", 2, 10, 10)).admitted()).isTrue();
        assertThat(store.take("dropped", claim("x", 60, 100, 10), claim("x", 2, 10, 10)).admitted()).isFalse();
        assertThat(store.used("dropped", "x", 2)).isEqualTo(10);
    }

    @Test
    void resetUnderTrafficLeavesNothingThatCannotBeReset() throws Exception {
        var threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 20; round++) {
                var calls = new ArrayList<Callable<Object>>();
                for (int i = 0; i < 40; i++) {
                    boolean reset = i % 4 == 3;
                    calls.add(() -> reset
                            ? store.store().reset("race", null).await().indefinitely()
                            : store.take("race", claim("r", 2_592_000, 10_000, 1)));
                }
                for (var call : threads.invokeAll(calls)) {
                    call.get();
                }
                long used = store.used("race", "r", 2_592_000);
                assertThat(store.store().limits("race").await().indefinitely().getOrDefault("r", 0L)).isEqualTo(used);
            }
            store.store().reset("race", null).await().indefinitely();
            assertThat(store.used("race", "r", 2_592_000)).isZero();
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void usageReturnsTheWindow() {
        store.take("usage", claim("r", 60, 10, 3));
        var usage = store.store().usage("usage", "r", Duration.ofSeconds(60)).await().indefinitely();
        assertThat(usage.used()).isEqualTo(3);
        assertThat(usage.end()).isEqualTo(MicrosClock.instant(store.now()));
        assertThat(usage.start()).isEqualTo(MicrosClock.instant(store.now() - 60 * SECOND));
    }

    @Test
    void reservationIsSettledDown() {
        assertThat(store.reserve("down", "one", tokens("t", 60, 1000, 800)).admitted()).isTrue();
        assertThat(store.reserve("down", "two", tokens("t", 60, 1000, 300)).admitted()).isFalse();
        store.settle("down", "one", Map.of("t", 100L));
        assertThat(store.used("down", "t", 60)).isEqualTo(100);
        assertThat(store.reserve("down", "three", tokens("t", 60, 1000, 901)).admitted()).isFalse();
        assertThat(store.reserve("down", "four", tokens("t", 60, 1000, 900)).admitted()).isTrue();
    }

    @Test
    void reservationIsSettledUpAlsoOverTheLimit() {
        long start = store.now();
        store.reserve("up", "one", tokens("t", 60, 1000, 10));
        store.settle("up", "one", Map.of("t", 1500L));
        assertThat(store.used("up", "t", 60)).isEqualTo(1500);
        var denied = store.reserve("up", "two", tokens("t", 60, 1000, 1));
        assertThat(denied.admitted()).isFalse();
        assertThat(denied.windows()[0].retryAt()).isBetween(start + 60 * SECOND, start + 61 * SECOND);
        store.at(denied.windows()[0].retryAt());
        assertThat(store.reserve("up", "three", tokens("t", 60, 1000, 1000)).admitted()).isTrue();
    }

    @Test
    void reservationIsSettledOnce() {
        store.reserve("once", "one", tokens("t", 60, 1000, 500));
        store.reserve("once", "two", tokens("t", 60, 1000, 400));
        for (int i = 0; i < 3; i++) {
            store.settle("once", "one", Map.of("t", 100L));
        }
        store.settle("once", "unknown", Map.of("t", 0L));
        store.settle("nobody", "one", Map.of("t", 0L));
        assertThat(store.used("once", "t", 60)).isEqualTo(500);
    }

    @Test
    void reservationCoversSeveralWindows() {
        store.reserve("several-reserved", "one", tokens("t", 60, 1000, 500), tokens("t", 3600, 10_000, 500),
                new WindowClaim("usd", 86_400 * SECOND, 20_000_000_000L, QuotaUnit.NANODOLLARS, 7_000_000_000L, true),
                claim("r", 60, 10, 1));
        store.pass(45 * SECOND);
        store.settle("several-reserved", "one", Map.of("t", 20L));
        assertThat(store.used("several-reserved", "t", 60)).isEqualTo(20);
        assertThat(store.used("several-reserved", "t", 3600)).isEqualTo(20);
        assertThat(store.used("several-reserved", "usd", 86_400)).isEqualTo(7_000_000_000L);
        assertThat(store.used("several-reserved", "r", 60)).isEqualTo(1);
        assertThat(store.store().limits("several-reserved").await().atMost(Duration.ofSeconds(60)))
                .isEqualTo(Map.of("t", 20L, "usd", 7_000_000_000L, "r", 1L));
    }

    @Test
    void reservationSettledToNothingLeavesAnEmptyWindow() {
        for (int i = 0; i < 3; i++) {
            assertThat(store.reserve("nothing", "n" + i, tokens("t", 60, 1000, 1000)).admitted()).isTrue();
            store.settle("nothing", "n" + i, Map.of("t", 0L));
            assertThat(store.used("nothing", "t", 60)).isZero();
        }
        assertThat(store.take("nothing", claim("t", 60, 10, 10)).admitted()).isTrue();
        assertThat(store.used("nothing", "t", 60)).isEqualTo(10);
    }

    @Test
    void reservationThatWasResetTakesNothingFromWhatCameAfter() {
        store.reserve("forgotten", "one", tokens("t", 60, 1000, 800), tokens("u", 60, 1000, 800));
        store.store().reset("forgotten", "t").await().atMost(Duration.ofSeconds(60));
        store.reserve("forgotten", "two", tokens("t", 60, 1000, 500));
        store.settle("forgotten", "one", Map.of("t", 0L, "u", 0L));
        assertThat(store.used("forgotten", "t", 60)).isEqualTo(500);
        assertThat(store.used("forgotten", "u", 60)).isZero();
        store.settle("forgotten", "two", Map.of("t", 1L));
        assertThat(store.used("forgotten", "t", 60)).isEqualTo(1);
    }

    @Test
    void reservationThatHasLeftItsWindowChangesNothing() {
        store.reserve("late", "one", tokens("t", 60, 1000, 800));
        store.pass(62 * SECOND);
        store.reserve("late", "two", tokens("t", 60, 1000, 300));
        store.settle("late", "one", Map.of("t", 0L));
        assertThat(store.used("late", "t", 60)).isEqualTo(300);
    }

    @Test
    void deniedReservationLeavesNothingToSettle() {
        store.reserve("refused-reservation", "one", tokens("t", 60, 1000, 900));
        assertThat(store.reserve("refused-reservation", "two", claim("r", 60, 10, 1), tokens("t", 60, 1000, 200)).admitted())
                .isFalse();
        store.settle("refused-reservation", "two", Map.of("t", 0L));
        assertThat(store.used("refused-reservation", "t", 60)).isEqualTo(900);
        assertThat(store.used("refused-reservation", "r", 60)).isZero();
    }

    @Test
    void changeBetweenReservationAndSettlementCountsTheOthers() {
        store.reserve("form-change", "one", tokens("t", 60, 1000, 5));
        assertThat(store.take("form-change", claim("t", 60, 10, 3)).admitted()).isTrue(); // a log now
        store.settle("form-change", "one", Map.of("t", 0L));
        assertThat(store.used("form-change", "t", 60)).isBetween(3L, 8L);
    }

    private static StoreResult take(WindowStore bounded, String identifier, WindowClaim... claims) {
        return bounded.take(identifier, List.of(claims), true, null).await().indefinitely();
    }

    private static long used(WindowStore bounded, String identifier, String resource, long seconds) {
        return bounded.usage(identifier, resource, Duration.ofSeconds(seconds)).await().indefinitely().used();
    }

    @Test
    void windowsPerIdentifierAreBounded() {
        var bounded = store.bounded(3);
        long start = store.now();
        assertThat(take(bounded, "bound", claim("a", 60, 10, 1), claim("b", 30, 20_000, 1)).admitted()).isTrue();
        assertThat(take(bounded, "bound", claim("c", 600, 10, 1)).admitted()).isTrue();
        var log = LogRecorder.start(Level.WARNING, false);
        try {
            for (int i = 0; i < 3; i++) {
                take(bounded, "bound", claim("z", 60, 10, 1));
            }
            assertThat(log.records()).singleElement().asString().contains("rate-limit.max-windows-per-identifier=3 ");
        } finally {
            log.close();
        }
        // The shortest window expires after two lengths and a second; expiries are whole seconds.
        long room = (start / SECOND + 61) * SECOND;
        for (var claim : List.of(claim("d", 60, 10, 1), claim("d", 60, 20_000, 5), claim("d", 60, 100, 20))) {
            var denied = take(bounded, "bound", claim);
            assertThat(denied.admitted()).isFalse();
            assertThat(denied.windows()[0]).isEqualTo(new StoreResult.WindowState(claim.limit(), room, room));
        }
        var several = take(bounded, "bound", claim("a", 60, 10, 1), claim("d", 60, 10, 1));
        assertThat(several.admitted()).isFalse();
        assertThat(several.windows()[0]).as("has room").isEqualTo(
                new StoreResult.WindowState(1, start + 60 * SECOND, 0));
        assertThat(several.windows()[1].retryAt()).isEqualTo(room);
        assertThat(used(bounded, "bound", "a", 60)).isEqualTo(1);
        var queried = bounded.take("bound", List.of(claim("d", 60, 10, 1)), false, null).await().indefinitely();
        assertThat(queried.admitted()).as("what a unit would get").isFalse();
        assertThat(queried.windows()[0]).isEqualTo(new StoreResult.WindowState(10, room, room));
        assertThat(take(bounded, "other", claim("d", 60, 10, 1)).admitted()).isTrue();
        var never = take(bounded, "fresh", claim("a", 60, 9, 1), claim("b", 60, 9, 1), claim("c", 60, 9, 1),
                claim("d", 60, 9, 1));
        assertThat(never.windows()[3].retryAt()).isEqualTo(StoreResult.NEVER);
        store.at(room);
        store.expire("bound", "b", 30);
        assertThat(take(bounded, "bound", claim("d", 60, 10, 1)).admitted()).isTrue();
        assertThat(take(bounded, "bound", claim("e", 60, 10, 1)).admitted()).isFalse();
        bounded.reset("bound", "d").await().indefinitely();
        assertThat(take(bounded, "bound", claim("e", 60, 10, 1)).admitted()).isTrue();
    }

    @Test
    void severalFurtherWindowsWaitForSeveralToExpire() {
        var bounded = store.bounded(4);
        long second = store.now() / SECOND;
        for (int i = 1; i <= 4; i++) {
            assertThat(take(bounded, "several-full", claim("w" + i, 10 * i, 10, 1)).admitted()).isTrue();
        }
        for (int missing = 1; missing <= 4; missing++) {
            var claims = new WindowClaim[missing];
            for (int i = 0; i < missing; i++) {
                claims[i] = claim("more" + i, 60, 10, 1);
            }
            assertThat(take(bounded, "several-full", claims).windows()[0].retryAt())
                    .isEqualTo((second + 20 * missing + 1) * SECOND);
        }
    }

    @Test
    void windowInUseDoesNotExpire() {
        var bounded = store.bounded(2);
        store.at((store.now() / (60 * SECOND) + 1) * 60 * SECOND);
        long start = store.now();
        assertThat(take(bounded, "in-use", claim("a", 60, 1000, 1), claim("b", 60, 20_000, 1)).admitted()).isTrue();
        for (int i = 1; i <= 4; i++) {
            store.at(start + i * 30 * SECOND);
            assertThat(take(bounded, "in-use", claim("a", 60, 1000, 1), claim("b", 60, 20_000, 1)).admitted()).isTrue();
            var denied = take(bounded, "in-use", claim("c", 60, 10, 1));
            assertThat(denied.windows()[0].retryAt()).as("extended once per window length")
                    .isEqualTo(start + (i / 2 * 60 + 121) * SECOND);
        }
    }

    @Test
    void reservationsTakeNoRoomOfWindows() {
        var bounded = store.bounded(3);
        for (int i = 0; i < 20; i++) {
            bounded.take("reserving", List.of(tokens("t", 60, 100_000, 10)), true, "reservation" + i).await().indefinitely();
        }
        assertThat(take(bounded, "reserving", claim("a", 60, 10, 1), claim("b", 60, 10, 1)).admitted()).isTrue();
        assertThat(take(bounded, "reserving", claim("c", 60, 10, 1)).admitted()).isFalse();
        bounded.reset("reserving", "t").await().indefinitely();
        assertThat(take(bounded, "reserving", claim("c", 60, 10, 1)).admitted()).isTrue();
        bounded.settle("reserving", new ReservationToken(ReservationToken.Location.REDIS, "reservation0",
                List.of(new WindowKey("", 60 * SECOND)), null),
                Map.of("t", 50L)).await().indefinitely();
        assertThat(used(bounded, "reserving", "t", 60)).as("was reset").isZero();
    }
}
