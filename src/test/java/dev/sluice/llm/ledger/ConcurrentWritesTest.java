package dev.sluice.llm.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.Race;

/** Usage that threads add while batches are on their way is written once: nothing is lost, and nothing is written twice. */
class ConcurrentWritesTest {

    private static final int ADDS = 20;

    private final Race race = new Race();

    @AfterEach
    void close() {
        race.close();
    }

    /** Counts batches as Redis does: each number once. */
    private static final class Counted {

        private final Map<String, Long> calls = new HashMap<>();
        private long lastNumber;

        synchronized void count(WriteBuffer.Batch batch) {
            if (batch.number() > lastNumber) {
                lastNumber = batch.number();
                batch.entries().forEach(item -> calls.merge(
                        item.requestKey() == null ? item.key().identifier() : item.requestKey(), item.totals().calls(),
                        Long::sum));
            }
        }

        synchronized long calls(String name) {
            return calls.getOrDefault(name, 0L);
        }
    }

    /** Sends a batch, if there is one; the reply to every second one is lost, and it is sent again. */
    private static int send(WriteBuffer buffer, Counted counted, AtomicInteger inFlight, int attempt) {
        var batch = buffer.startBatch();
        if (batch == null) {
            return 0;
        }
        assertThat(inFlight.incrementAndGet()).as("batches in flight").isEqualTo(1);
        counted.count(batch);
        inFlight.decrementAndGet();
        return buffer.endBatch(attempt % 2 == 0);
    }

    @Test
    void everyCallIsWrittenOnceByWhicheverThreadSends() throws Exception {
        Race.repeat(round -> {
            var buffer = new WriteBuffer();
            var counted = new Counted();
            var inFlight = new AtomicInteger();
            var entries = new AtomicInteger();
            var numbers = new AtomicInteger();
            race.run(() -> {
                int thread = numbers.getAndIncrement();
                for (int i = 0; i < ADDS; i++) {
                    entries.addAndGet(buffer.add(line("user:" + i % 3), oneCall(), true));
                    if (i % 2 == 0 && buffer.addOnce(line("user:once"), oneCall(), "request-" + thread + "-" + i) != null) {
                        entries.incrementAndGet();
                    }
                    if (i % 3 == thread % 3) {
                        entries.addAndGet(-send(buffer, counted, inFlight, i));
                    }
                }
                return null;
            });
            while (!buffer.isEmpty()) {
                entries.addAndGet(-send(buffer, counted, inFlight, 0));
            }
            assertThat(counted.calls("user:0") + counted.calls("user:1") + counted.calls("user:2"))
                    .as("calls counted").isEqualTo(Race.THREADS * ADDS);
            for (int thread = 0; thread < Race.THREADS; thread++) {
                for (int i = 0; i < ADDS; i += 2) {
                    assertThat(counted.calls("request-" + thread + "-" + i)).isEqualTo(1);
                }
            }
            assertThat(entries).as("entries that the ledger believes to be waiting").hasValue(0);
        });
    }

    /** Of threads that report the same call, one is told that it is the first, and the call is counted once. */
    @Test
    void callReportedTwiceIsAcceptedOnceWhileItWaits() throws Exception {
        Race.repeat(round -> {
            var buffer = new WriteBuffer();
            var accepted = race.run(() -> buffer.addOnce(line("user:a"), oneCall(), "request") != null);
            assertThat(accepted).containsOnlyOnce(true);
            assertThat(buffer.startBatch().entries()).hasSize(1);
        });
    }

    private static LedgerSum oneCall() {
        return LedgerSum.of(new LedgerEntry("user", "openai", "model", TokenUsage.of(1, 0), 0, false, null));
    }

    private static WriteBuffer.EntryKey line(String identifier) {
        return new WriteBuffer.EntryKey(identifier, 1, CallOwner.of(identifier), "openai", "model");
    }
}
