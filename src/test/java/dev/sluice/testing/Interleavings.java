package dev.sluice.testing;

import java.util.function.Supplier;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;

/**
 * Checks with Lincheck: generates scenarios of operations on two threads, explores the switches between the threads, and compares
 * the results with those of one thread. The same scenarios in each run; {@code -Dlincheck.factor=20} generates 20 times
 * as many and explores each further.
 */
public final class Interleavings {

    private static final int FACTOR = Integer.getInteger("lincheck.factor", 1);
    private static final int SCENARIOS = 4;
    private static final int INVOCATIONS = 60;

    private Interleavings() {
    }

    /** @param scenario class with the operations; it must be public */
    public static void explore(Class<?> scenario) {
        new ModelCheckingOptions().iterations(FACTOR * SCENARIOS).invocationsPerIteration(FACTOR * INVOCATIONS).threads(2)
                .actorsBefore(1).actorsPerThread(2).actorsAfter(1).minimizeFailedScenario(false).check(scenario);
    }

    /** Fails an operation. Within one, AssertJ does not work: Lincheck compares the objects on which methods are called. */
    public static void check(boolean holds, Supplier<String> otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise.get());
        }
    }
}
