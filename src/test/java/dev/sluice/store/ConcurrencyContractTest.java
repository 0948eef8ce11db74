package dev.sluice.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.api.QuotaUnit;

/** Slots of requests in flight, decided together with windows, in memory and in Redis. */
class ConcurrencyContractTest extends StoresTestBase {

    private static final long SECOND = 1_000_000;

    static WindowClaim slots(String resource, long limit) {
        return new WindowClaim(resource, 0, limit, QuotaUnit.CONCURRENT_REQUESTS, 1, false);
    }

    private static StoreResult take(StoreUnderTest store, JointRequest request) {
        return take(store, request, true, null);
    }

    private static long held(StoreUnderTest store, String identifier, WindowClaim claim) {
        return store.query(identifier, claim).windows()[0].used();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void requestsInFlightAreLimited(StoreUnderTest store) {
        var claim = slots("r", 2);
        var first = store.take("limited", claim);
        var second = store.take("limited", claim);
        var third = store.take("limited", claim);

        assertThat(List.of(first.admitted(), second.admitted(), third.admitted())).containsExactly(true, true, false);
        assertThat(second.windows()[0].used()).isEqualTo(2);
        assertThat(third.windows()[0].retryAt()).isEqualTo(store.now() + SECOND);
        assertThat(third.slot()).isSameAs(ConcurrencySlot.NONE);
        assertThat(store.take("other", claim).admitted()).as("another identifier").isTrue();
        assertThat(store.take("limited", slots("s", 2)).admitted()).as("another resource").isTrue();

        first.slot().release();
        first.slot().release();

        assertThat(held(store, "limited", claim)).as("released once").isEqualTo(1);
        assertThat(store.take("limited", claim).admitted()).isTrue();
        assertThat(store.take("limited", claim).admitted()).isFalse();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void slotsAreHeldForAsLongAsTheyAreNotReleased(StoreUnderTest store) {
        var claim = slots("r", 1);
        var held = store.take("long", claim);
        for (int hours = 0; hours < 2; hours++) {
            store.pass(SECOND);
            assertThat(store.take("long", claim).admitted()).isFalse();
        }
        held.slot().release();
        assertThat(store.take("long", claim).admitted()).isTrue();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void windowsAndSlotsAreTakenTogetherOrNotAtAll(StoreUnderTest store) {
        var rate = StoreUnderTest.claim("r", 60, 3, 1);
        var claim = slots("r", 1);
        var first = store.take("both", rate, claim);
        assertThat(store.take("both", rate, claim).admitted()).as("by the slot").isFalse();
        assertThat(store.used("both", "r", 60)).isEqualTo(1);
        first.slot().release();
        store.take("both", claim, rate).slot().release();
        store.take("both", rate, claim).slot().release();

        var denied = store.take("both", rate, claim);

        assertThat(denied.admitted()).as("by the rate").isFalse();
        assertThat(denied.windows()[0].retryAt()).isPositive();
        assertThat(denied.windows()[1]).satisfies(state -> {
            assertThat(state.used()).isZero();
            assertThat(state.retryAt()).isZero();
        });
        assertThat(held(store, "both", claim)).isZero();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void slotsAndReservationsAreTakenTogether(StoreUnderTest store) {
        var tokens = StoreUnderTest.tokens("t", 60, 1000, 100);
        var claim = slots("t", 1);

        var granted = store.reserve("reserved", "one", tokens, claim);
        var denied = store.reserve("reserved", "two", tokens, claim);

        assertThat(granted.admitted()).isTrue();
        assertThat(denied.admitted()).isFalse();
        assertThat(store.used("reserved", "t", 60)).isEqualTo(100);
        store.settle("reserved", "one", java.util.Map.of("t", 30L));
        assertThat(store.used("reserved", "t", 60)).isEqualTo(30);
        granted.slot().release();
        assertThat(held(store, "reserved", claim)).isZero();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void queriesTakeNothing(StoreUnderTest store) {
        var claim = slots("r", 1);
        assertThat(store.query("queried", claim).admitted()).isTrue();
        assertThat(held(store, "queried", claim)).isZero();
        store.take("queried", claim);
        assertThat(store.query("queried", claim).admitted()).isFalse();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void everyLevelOfACallerHasItsSlots(StoreUnderTest store) {
        var request = new JointRequest(List.of("user:a", "team:a"), new JointPlan(
                List.of(List.of(StoreUnderTest.claim("r", 60, 100, 1), slots("r", 5)), List.of(slots("llm", 2))), false));
        var granted = new ArrayList<StoreResult>();
        for (int i = 0; i < 3; i++) {
            granted.add(take(store, request));
        }

        assertThat(granted).extracting(StoreResult::admitted).containsExactly(true, true, false);
        assertThat(store.used("user:a", "r", 60)).isEqualTo(2);
        assertThat(held(store, "user:a", slots("r", 5))).isEqualTo(2);
        granted.forEach(result -> result.slot().release());
        assertThat(held(store, "user:a", slots("r", 5))).isZero();
        assertThat(held(store, "team:a", slots("llm", 2))).isZero();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void shadowTakesSlotIfFreeAndDeniesNothing(StoreUnderTest store) {
        var request = new JointRequest(List.of("user:s", "shadow:s"), new JointPlan(
                List.of(List.of(slots("r", 5)), List.of(slots("r", 1).asShadow())), false));

        var first = take(store, request);
        var second = take(store, request);

        assertThat(second.admitted()).isTrue();
        assertThat(second.windows()[1].retryAt()).isPositive();
        assertThat(held(store, "shadow:s", slots("r", 1))).isEqualTo(1);
        second.slot().release();
        assertThat(held(store, "shadow:s", slots("r", 1))).as("it was not taken").isEqualTo(1);
        first.slot().release();
        assertThat(held(store, "shadow:s", slots("r", 1))).isZero();
        assertThat(held(store, "user:s", slots("r", 5))).isZero();
    }
}
