package dev.sluice.store.memory;

import static dev.sluice.store.StoreUnderTest.claim;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowStoreContract;

class InMemoryWindowStoreTest extends WindowStoreContract {

    @Override
    public StoreUnderTest open() {
        return new StoreUnderTest.InMemory();
    }

    @Test
    void floodOfIdentifiersDoesNotExhaustTheHeap() {
        long limit = 1 << 20;
        var small = new InMemoryWindowStore(store::now, StoreUnderTest.EXACT, limit, StoreUnderTest.MAX_WINDOWS);
        for (int i = 0; i < 200_000; i++) {
            small.takeNow("ip:" + i, List.of(claim("r", 60, 10, 1)), true, null);
        }
        assertThat(small.bytes()).isLessThanOrEqualTo(limit).isGreaterThan(limit / 2);
    }

    @Test
    void floodOfResourcesOfOneIdentifierDoesNotExhaustTheHeap() {
        long limit = 1 << 20;
        var small = new InMemoryWindowStore(store::now, StoreUnderTest.EXACT, limit, StoreUnderTest.MAX_WINDOWS);
        for (int i = 0; i < 50_000; i++) {
            small.takeNow("one", List.of(claim("r" + i, 60, 10, 1)), true, null);
        }
        assertThat(small.bytes()).isLessThanOrEqualTo(limit);
    }

    @Test
    void growthOfAWindowIsWeighed() {
        long limit = 1 << 20;
        var small = new InMemoryWindowStore(store::now, StoreUnderTest.EXACT, limit, StoreUnderTest.MAX_WINDOWS);
        for (int i = 0; i < 1000; i++) {
            small.takeNow("user:" + i, List.of(claim("r", 60, 10_000, 5_000)), true, null);
        }
        assertThat(small.bytes()).isLessThanOrEqualTo(limit);
    }

    @Test
    void unusedIdentifiersExpire() {
        var small = new InMemoryWindowStore(store::now, StoreUnderTest.EXACT, 1 << 20, StoreUnderTest.MAX_WINDOWS);
        small.takeNow("gone", List.of(claim("r", 60, 10, 1)), true, null);
        assertThat(small.bytes()).isPositive();
        store.pass(121_000_000);
        assertThat(small.bytes()).isZero();
    }

    /** Each entry is evicted as soon as it is created; decisions are made nevertheless. */
    @Test
    @Timeout(60)
    void storeWithoutMemoryStillDecides() {
        var none = new InMemoryWindowStore(store::now, StoreUnderTest.EXACT, 0, StoreUnderTest.MAX_WINDOWS);
        assertThat(none.takeNow("one", List.of(claim("r", 60, 10, 1)), true, null).admitted()).isTrue();
    }
}
