package dev.sluice.llm.ledger;

import static dev.sluice.testing.Interleavings.check;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.jetbrains.lincheck.datastructures.BooleanGen;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.Interleavings;

/**
 * Usage is written exactly once, whatever threads add, write and read at the same time. Lincheck takes about half a minute to
 * instrument the classes, so this runs at night; {@link ConcurrentWritesTest} runs in every build.
 */
@EnabledIfSystemProperty(named = "lincheck.factor", matches = "[1-9]\\d*")
class WriteBufferLincheckTest {

    @Test
    void everyOperationIsAtomic() {
        Interleavings.explore(OneWriter.class);
    }

    @Test
    void oneBatchIsInFlightWhileSeveralThreadsWrite() {
        Interleavings.explore(SeveralWriters.class);
    }

    /** A buffer, and what Redis has counted of it. */
    private static class Written {

        final WriteBuffer buffer = new WriteBuffer();
        private final AtomicInteger added = new AtomicInteger();
        private long counted;
        private long lastNumber;

        int addOneCall(int line) {
            added.incrementAndGet();
            return buffer.add(line(line), oneCall(), true);
        }

        boolean addOneCallOnce(int request) {
            boolean accepted = buffer.addOnce(line(0), oneCall(), "request-" + request) != null;
            if (accepted) {
                added.incrementAndGet();
            }
            return accepted;
        }

        /** Counts a batch unless its number was counted before, as the script does. */
        synchronized void count(WriteBuffer.Batch batch) {
            if (batch.number() > lastNumber) {
                lastNumber = batch.number();
                counted += calls(batch.entries());
            }
        }

        void drain() {
            for (var batch = buffer.startBatch(); batch != null; batch = buffer.startBatch()) {
                count(batch);
                buffer.endBatch(true);
            }
            check(buffer.isEmpty(), () -> "The buffer is not empty");
            check(counted == added.get(), () -> added + " calls were added, " + counted + " counted");
        }
    }

    private static WriteBuffer.EntryKey line(int number) {
        return new WriteBuffer.EntryKey("user:" + number, 1, CallOwner.of("user:" + number), "openai", "model");
    }

    private static LedgerSum oneCall() {
        return LedgerSum.of(new LedgerEntry("user", "openai", "model", TokenUsage.of(1, 0), 0, false, null));
    }

    private static long calls(List<WriteBuffer.Entry> items) {
        long calls = 0;
        for (var item : items) {
            calls += item.totals().calls();
        }
        return calls;
    }

    /** One thread sends batches, any thread adds and reads. */
    @Param(name = "line", gen = IntGen.class, conf = "0:1")
    @Param(name = "succeeds", gen = BooleanGen.class)
    public static class OneWriter {

        private final Written written = new Written();
        private WriteBuffer.Batch inFlight;

        @Operation
        public int add(@Param(name = "line") int line) {
            return written.addOneCall(line);
        }

        @Operation
        public boolean addOnce(@Param(name = "line") int request) {
            return written.addOneCallOnce(request);
        }

        @Operation
        public long read(@Param(name = "line") int line) {
            var report = new UsageReport("a", 1);
            written.buffer.addTo("user:" + line, 0, 2, report);
            var models = report.providers().get("openai");
            return models == null ? 0 : models.get("model").calls();
        }

        @Operation
        public boolean isEmpty() {
            return written.buffer.isEmpty();
        }

        @Operation(nonParallelGroup = "writer")
        public long begin() {
            var batch = written.buffer.startBatch();
            if (batch == null) {
                return 0;
            }
            inFlight = batch;
            return 100 * batch.number() + calls(batch.entries());
        }

        /** The reply arrives, or Redis may have counted the batch although none does. */
        @Operation(nonParallelGroup = "writer")
        public int end(@Param(name = "succeeds") boolean succeeds) {
            if (inFlight == null) {
                return 0;
            }
            written.count(inFlight);
            inFlight = null;
            return written.buffer.endBatch(succeeds);
        }

        @Validate
        public void everyCallIsCountedOnce() {
            if (inFlight != null) {
                end(true);
            }
            written.drain();
        }
    }

    /** Any thread may find that a batch can be sent: callers, readers and the timer. */
    @Param(name = "line", gen = IntGen.class, conf = "0:1")
    @Param(name = "succeeds", gen = BooleanGen.class)
    public static class SeveralWriters {

        private final Written written = new Written();
        private final AtomicInteger inFlight = new AtomicInteger();
        private final AtomicInteger gone = new AtomicInteger();

        @Operation
        public void add(@Param(name = "line") int line) {
            written.addOneCall(line);
        }

        @Operation
        public void write(@Param(name = "succeeds") boolean succeeds) {
            var batch = written.buffer.startBatch();
            if (batch != null) {
                check(inFlight.incrementAndGet() == 1, () -> "More than one batch is in flight");
                written.count(batch);
                inFlight.decrementAndGet();
                gone.addAndGet(written.buffer.endBatch(succeeds));
            }
        }

        @Validate
        public void everyCallIsCountedOnce() {
            written.drain();
        }
    }
}
