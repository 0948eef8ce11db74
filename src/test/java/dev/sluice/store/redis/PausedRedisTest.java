package dev.sluice.store.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.concurrency.LeaseToken;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestServer;

/** Slots of requests in flight while Redis is paused: it executes what it has received as soon as it runs again. Its clock stands. */
class PausedRedisTest {

    private static final WindowClaim CLAIM = new WindowClaim("r", 0, 10, QuotaUnit.CONCURRENT_REQUESTS, 1, false);

    private RedisTestServer redis;
    private SlotInstance instance;
    /** Holds a slot of each identifier, so that none of the keys expires. */
    private SlotInstance other;

    @BeforeEach
    void start() {
        redis = RedisTestServer.start();
        redis.send("RPUSH test-clock 1800000000 0");
        instance = new SlotInstance(redis.url(), Duration.ofMillis(100));
        other = new SlotInstance(redis.url());
        other.take("paused", CLAIM);
    }

    @AfterEach
    void stop() {
        instance.close();
        other.close();
        redis.close();
    }

    private void awaitUp(boolean up) {
        Polling.await().until(() -> instance.manager.isUp() == up);
    }

    private void awaitFree() {
        Polling.await().untilAsserted(
                () -> assertThat(instance.used("paused", CLAIM)).as("only that of the other instance").isEqualTo(1));
    }

    @Test
    void decisionThatRedisExecutesAfterItsPauseHoldsNoSlot() {
        redis.suspend();
        assertThatThrownBy(() -> instance.take("paused", CLAIM)).isInstanceOf(StoreUnavailableException.class);
        awaitUp(false);
        redis.resume();
        awaitUp(true);

        awaitFree();
    }

    @Test
    void leaseThatFailedIsFreedWhenRedisIsBack() {
        redis.suspend();
        var failed = instance.store.takeLease(LeaseToken.create("paused", "r", 60), 10).subscribeAsCompletionStage();
        awaitUp(false);
        assertThatThrownBy(failed::join).hasCauseInstanceOf(StoreUnavailableException.class);
        redis.resume();
        awaitUp(true);

        awaitFree();
    }

    @Test
    void leaseThatCouldNotBeFreedInAnOutageIsFreedAfterIt() {
        var lease = LeaseToken.create("paused", "r", 60);
        assertThat(instance.store.takeLease(lease, 10).await().indefinitely().done()).isTrue();
        redis.suspend();
        assertThatThrownBy(() -> instance.take("paused", CLAIM)).isInstanceOf(StoreUnavailableException.class);
        awaitUp(false);
        instance.store.abandonLease(lease);
        redis.resume();

        awaitUp(true);
        awaitFree();
    }

    @Test
    void slotThatIsReleasedDuringThePauseIsFreeAfterIt() {
        var held = instance.take("paused", CLAIM);
        redis.suspend();
        assertThatThrownBy(() -> instance.take("paused", CLAIM)).isInstanceOf(StoreUnavailableException.class);
        awaitUp(false);
        held.slot().release();
        redis.resume();
        awaitUp(true);

        awaitFree();
    }
}
