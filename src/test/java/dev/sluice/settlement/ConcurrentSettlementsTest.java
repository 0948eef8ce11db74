package dev.sluice.settlement;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.Race;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;

/** Each reservation is settled once, whatever threads settle, retry and hear of Redis at the same time. */
class ConcurrentSettlementsTest {

    private static final Map<String, Long> USED = Map.of("llm:openai:tokens", 7L);
    private static final int SETTLEMENTS = 60;

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Race race = new Race();

    /** Each stop warns of what it has dropped. Mutiny must not be used by several threads for the first time. */
    @BeforeEach
    void silence() {
        LOG.setLevel(Level.SEVERE);
        Uni.createFrom().voidItem().await().indefinitely();
    }

    @AfterEach
    void close() {
        LOG.setLevel(null);
        race.close();
    }

    /** A queue whose store fails each first attempt, and whose timers fire when the test says so. */
    private static final class Settling {

        private final Map<String, Integer> attempts = new ConcurrentHashMap<>();
        private final Map<String, Integer> settled = new ConcurrentHashMap<>();
        private final Map<Long, Runnable> timers = new ConcurrentHashMap<>();
        private final Queue<Long> started = new ConcurrentLinkedQueue<>();
        private final AtomicInteger timerIds = new AtomicInteger();
        private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
        private final SettlementQueue queue = new SettlementQueue(new FakeRateLimiter() {

            @Override
            public Uni<Void> settle(String identifier, String reservation, Map<String, Long> used) {
                if (attempts.merge(reservation, 1, Integer::sum) == 1) {
                    return Uni.createFrom().failure(new IllegalStateException("on purpose"));
                }
                settled.merge(reservation, 1, Integer::sum);
                return Uni.createFrom().voidItem();
            }
        }, () -> true, new RetryTimer.Timers() {

            @Override
            public long start(long millis, Runnable task) {
                long id = timerIds.incrementAndGet();
                timers.put(id, task);
                started.add(id);
                return id;
            }

            @Override
            public void cancel(long timer) {
                timers.remove(timer);
            }
        }, System::nanoTime, () -> 1, meters);

        /** Fires the oldest timer that is not cancelled; returns whether there was one. */
        boolean fire() {
            for (var id = started.poll(); id != null; id = started.poll()) {
                var task = timers.remove(id);
                if (task != null) {
                    task.run();
                    return true;
                }
            }
            return false;
        }

        void settle(int thread, int number) {
            queue.settle("user:a", "r-" + "%032x".formatted(100 * thread + number) + "-60", USED);
        }

        double dropped() {
            return meters.get("llm_settlements_dropped").counter().count();
        }
    }

    @Test
    void failedSettlementsAreRetriedUntilEachHasSucceededOnce() throws Exception {
        Race.repeat(round -> {
            var settling = new Settling();
            var threads = new AtomicInteger();
            race.run(() -> {
                int thread = threads.getAndIncrement();
                for (int i = 0; i < SETTLEMENTS; i++) {
                    settling.settle(thread, i);
                    if (i % 3 == thread % 3) {
                        settling.fire();
                    } else if (i % 4 == 0) {
                        settling.queue.onStoreAvailable();
                    }
                }
                return null;
            });
            while (settling.fire()) {
                // what still waits
            }
            assertThat(settling.queue.waiting()).as("waiting without a timer").isZero();
            assertThat(settling.settled).hasSize(Race.THREADS * SETTLEMENTS).allSatisfy(
                    (reservation, times) -> assertThat(times).isEqualTo(1));
            assertThat(settling.dropped()).isZero();
        });
    }

    /** A settlement that fails after the stop is counted as dropped; every other one has succeeded. */
    @Test
    void everySettlementDuringShutdownIsSettledOrCountedAsDropped() throws Exception {
        Race.repeat(round -> {
            var settling = new Settling();
            var threads = new AtomicInteger();
            race.run(() -> {
                int thread = threads.getAndIncrement();
                for (int i = 0; i < SETTLEMENTS; i++) {
                    if (thread == 0 && i == SETTLEMENTS / 2) {
                        settling.queue.stop(Duration.ofSeconds(60));
                    }
                    settling.settle(thread, i);
                }
                return null;
            });
            assertThat(settling.queue.waiting()).isZero();
            assertThat(settling.settled.size() + settling.dropped()).isEqualTo(Race.THREADS * SETTLEMENTS);
            assertThat(settling.fire()).as("a timer is left").isFalse();
        });
    }
}
