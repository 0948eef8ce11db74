package dev.sluice.store.memory;

import java.util.List;
import java.util.stream.IntStream;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

import dev.sluice.api.QuotaUnit;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.WindowClaim;

/** Decides in the in-memory store, for 10,000 identities in turn with a limit of 1000/second. */
@State(Scope.Thread)
public class MemoryStoreMicrobenchmark {

    private static final int IDENTITIES = 10_000;

    private final InMemoryWindowStore store = new InMemoryWindowStore(MicrosClock.SYSTEM, 10_000, 64 << 20, 1000);
    private final List<WindowClaim> claims = List.of(new WindowClaim("bench", 1_000_000, 1000, QuotaUnit.REQUESTS, 1, false));
    private final String[] identifiers = IntStream.range(0, IDENTITIES).mapToObj(i -> "user:" + i).toArray(String[]::new);
    private int next;

    @Benchmark
    public Object take() {
        next = next + 1 < IDENTITIES ? next + 1 : 0;
        return store.takeNow(identifiers[next], claims, true, null);
    }
}
