package dev.sluice.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.api.QuotaUnit;
import dev.sluice.redis.HashTags;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.concurrency.LeaseToken;
import dev.sluice.testing.Polling;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/** Slots of requests in flight that several instances share, of which some die. */
class SharedSlotsTest {

    private static final long SECOND = 1_000_000;
    private static final String KEY = new WindowKeys(new HashTags("sluice")).slots("shared", "r");

    private StoreUnderTest.InRedis redis;
    private final List<SlotInstance> instances = new ArrayList<>();

    @BeforeEach
    void start() {
        redis = new StoreUnderTest.InRedis();
    }

    @AfterEach
    void stop() {
        instances.forEach(SlotInstance::close);
        redis.close();
    }

    private SlotInstance instance() {
        var instance = new SlotInstance("redis://localhost:" + redis.port());
        instances.add(instance);
        return instance;
    }

    private void kill(SlotInstance instance) {
        instance.close();
        instances.remove(instance);
    }

    private static WindowClaim slots(long limit) {
        return new WindowClaim("r", 0, limit, QuotaUnit.CONCURRENT_REQUESTS, 1, false);
    }

    private boolean keyExists() {
        return redis.send(Request.cmd(Command.EXISTS).arg(KEY)).toInteger() == 1;
    }

    private static void awaitHeld(SlotInstance instance, long expected) {
        Polling.await().untilAsserted(() -> assertThat(instance.used("shared", slots(10))).isEqualTo(expected));
    }

    @Test
    void instancesShareTheLimit() {
        var one = instance();
        var two = instance();
        var first = one.take("shared", slots(2));
        var second = two.take("shared", slots(2));

        assertThat(one.take("shared", slots(2)).admitted()).isFalse();
        assertThat(two.take("shared", slots(2)).admitted()).isFalse();

        second.slot().release();
        awaitHeld(one, 1);
        first.slot().release();
        awaitHeld(two, 0);
        assertThat(keyExists()).as("nothing is left").isFalse();
        assertThat(one.held.held()).isEmpty();
    }

    @Test
    void slotsOfADeadInstanceAreFreeAfterThreeSeconds() {
        var dying = instance();
        var other = instance();
        dying.take("shared", slots(1));
        kill(dying);

        redis.pass(3 * SECOND - 1);
        assertThat(other.take("shared", slots(1)).admitted()).isFalse();
        redis.pass(1);
        assertThat(other.take("shared", slots(1)).admitted()).isTrue();
    }

    @Test
    void heartbeatsRenewSlots() {
        var holder = instance();
        var other = instance();
        holder.take("shared", slots(1));

        for (int i = 0; i < 3; i++) {
            redis.pass(2 * SECOND);
            long now = redis.now();
            Polling.await().until(() -> heartbeat() == now);
            assertThat(other.take("shared", slots(1)).admitted()).isFalse();
        }
    }

    /** Returns the time of the last heartbeat of the only instance. */
    private long heartbeat() {
        return -redis.send(Request.cmd(Command.ZRANGE).arg(KEY).arg(0).arg(0).arg("WITHSCORES")).get(0).get(1).toLong();
    }

    @Test
    void pausedInstanceCountsItsSlotsAgain() {
        var paused = instance();
        var other = instance();
        var held = paused.take("shared", slots(1));
        redis.pass(10 * SECOND); // no heartbeat has been sent in this time

        var taken = other.take("shared", slots(1));

        if (taken.admitted()) { // otherwise the heartbeat was first
            awaitHeld(other, 2);
            assertThat(other.take("shared", slots(2)).admitted()).as("nothing until below the limit").isFalse();
            taken.slot().release();
        }
        awaitHeld(other, 1);
        held.slot().release();
        awaitHeld(other, 0);
    }

    @Test
    void slotsAreCountedAgainAfterRedisHasLostThem() {
        var one = instance();
        var other = instance();
        one.take("shared", slots(5));
        one.take("shared", slots(5));
        redis.send(Request.cmd(Command.DEL).arg(KEY));
        one.take("shared", slots(5));

        awaitHeld(other, 3);
    }

    @Test
    void lostReplyHoldsNoSlot() {
        var one = instance();
        // a grant whose reply the instance has never received
        one.take("shared", slots(5));
        var member = redis.send(Request.cmd(Command.ZRANGE).arg(KEY).arg(0).arg(0)).get(0).toBuffer();
        redis.send(Request.cmd(Command.ZREM).arg(KEY).arg(member));
        var changed = member.copy().setInt(0, member.getInt(0) + 2);
        redis.send(Request.cmd(Command.ZADD).arg(KEY).arg(-redis.now()).arg(changed));

        awaitHeld(one, 1);
    }

    @Test
    void endedInstanceLeavesNothingBehind() {
        var one = instance();
        one.take("shared", slots(5));
        one.store.clearSlots().toCompletionStage().toCompletableFuture().join();

        assertThat(keyExists()).isFalse();
    }

    /** The script counts leases by their scores: Redis's time for a call does not grow with their number. */
    @Test
    void callTakesNoLongerWithManyLeases() {
        var one = instance();
        leaseTimes(one, 200);
        long few = leaseTimes(one, 200);
        for (int from = 0; from < 50_000; from += 1000) {
            var add = Request.cmd(Command.ZADD).arg(KEY);
            for (int i = from; i < from + 1000; i++) {
                add.arg(redis.now() + 600 * SECOND).arg("lease" + i);
            }
            redis.send(add);
        }
        long many = leaseTimes(one, 200);

        assertThat(one.used("shared", slots(100_000))).as("leases and slots are counted together").isEqualTo(50_000);
        assertThat(many).as("microseconds; with few leases %d", few).isLessThan(20 * few);
    }

    /** Takes and frees leases and slots. Returns Redis's time for it in microseconds. */
    private long leaseTimes(SlotInstance instance, int count) {
        redis.send(Request.cmd(Command.CONFIG).arg("RESETSTAT"));
        for (int i = 0; i < count; i++) {
            var lease = LeaseToken.create("shared", "r", 60);
            assertThat(instance.store.takeLease(lease, 100_000).await().indefinitely().done()).isTrue();
            assertThat(instance.store.freeLease(lease).await().indefinitely().done()).isTrue();
            instance.take("shared", slots(100_000)).slot().release();
        }
        var statistics = redis.send(Request.cmd(Command.INFO).arg("commandstats")).toString();
        return Pattern.compile("cmdstat_eval(?:sha)?:calls=\\d+,usec=(\\d+)").matcher(statistics).results()
                .mapToLong(match -> Long.parseLong(match.group(1))).sum();
    }

    @Test
    void endedLeasesAreRemovedStepByStep() {
        var one = instance();
        for (int i = 0; i < 250; i++) {
            redis.send(Request.cmd(Command.ZADD).arg(KEY).arg(redis.now() - i).arg("ended" + i));
        }
        for (int i = 1; i <= 3; i++) {
            var taken = one.store.takeLease(LeaseToken.create("shared", "r", 60), 3).await().indefinitely();
            assertThat(taken.held()).isEqualTo(i);
        }
        assertThat(redis.send(Request.cmd(Command.ZCARD).arg(KEY)).toInteger()).isEqualTo(3);
    }

    @Test
    void foreignValueIsReplaced() {
        redis.send(Request.cmd(Command.SET).arg(KEY).arg("foreign"));
        var one = instance();
        assertThat(one.take("shared", slots(1)).admitted()).isTrue();
        assertThat(one.take("shared", slots(1)).admitted()).isFalse();
    }

    /** Never more than the limit, and a slot that is free is granted, whatever the order of decisions, releases and deaths. */
    @Test
    void neverMoreThanTheLimit() {
        int limit = 5;
        var random = new Random(4711);
        for (int i = 0; i < 3; i++) {
            instance();
        }
        var held = new ArrayList<Held>();
        for (int step = 0; step < 1500; step++) {
            var instance = instances.get(random.nextInt(instances.size()));
            int action = random.nextInt(100);
            if (action < 55) {
                var result = instance.take("shared", slots(limit));
                if (result.admitted()) {
                    held.add(new Held(instance, result.slot()));
                }
                assertThat(held.size()).isLessThanOrEqualTo(limit);
                assertThat(result.windows()[0].used()).isGreaterThanOrEqualTo(held.size());
            } else if (action < 98 && !held.isEmpty()) {
                held.remove(random.nextInt(held.size())).slot().release();
            } else if (action == 98) {
                kill(instance);
                redis.pass(3 * SECOND);
                held.removeIf(each -> each.instance() == instance);
                instances.forEach(each -> each.store.sendAllSlots(each.manager.connection().result()).toCompletionStage()
                        .toCompletableFuture().join());
                instance();
                awaitHeld(instances.get(0), held.size());
            } else if (action == 99) {
                awaitHeld(instance, held.size());
            }
        }
        held.forEach(each -> each.slot().release());
        awaitHeld(instances.get(0), 0);
        instances.forEach(each -> assertThat(each.held.held()).isEmpty());
        assertThat(keyExists()).isFalse();
    }

    private record Held(SlotInstance instance, ConcurrencySlot slot) {
    }

    /** Heartbeats and releases are sent while decisions are under way, whose results they do not know. */
    @Test
    void countsAreExactWhileDecisionsAreUnderWay() throws Exception {
        int limit = 7;
        for (int i = 0; i < 3; i++) {
            instance();
        }
        var inFlight = new AtomicInteger();
        var most = new AtomicInteger();
        var granted = new AtomicInteger();
        var threads = Executors.newFixedThreadPool(12);
        var tasks = new ArrayList<Callable<Void>>();
        for (int thread = 0; thread < 12; thread++) {
            var instance = instances.get(thread % 3);
            tasks.add(() -> {
                for (int i = 0; i < 300; i++) {
                    StoreResult result = instance.take("shared", slots(limit));
                    if (result.admitted()) {
                        most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
                        granted.incrementAndGet();
                        instance.store.sendAllSlots(instance.manager.connection().result());
                        inFlight.decrementAndGet();
                        result.slot().release();
                    }
                }
                return null;
            });
        }
        for (var done : threads.invokeAll(tasks)) {
            done.get();
        }
        threads.shutdown();

        assertThat(most.get()).isLessThanOrEqualTo(limit);
        assertThat(granted.get()).as("decisions that are denied hold no slots").isGreaterThan(300);
        awaitHeld(instances.get(0), 0);
    }
}
