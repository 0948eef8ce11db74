package dev.sluice.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Threads that start together, again and again, so that their operations overlap. Finds races that Lincheck cannot explore in a
 * build's time; {@code -Dlincheck.factor=20} tries longer.
 */
public final class Race implements AutoCloseable {

    /** More than there are processors, so that threads are also preempted within an operation. */
    public static final int THREADS = 4;

    private static final int TIMEOUT_SECONDS = 60;
    private static final int ROUNDS = 1000 * Integer.getInteger("lincheck.factor", 1);

    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS, task -> {
        var thread = new Thread(task, "race");
        thread.setDaemon(true); // a race may leave it in an endless loop
        return thread;
    });
    private final CyclicBarrier start = new CyclicBarrier(THREADS);

    /** Round of a race: the work of the threads, and the check after it. */
    @FunctionalInterface
    public interface Round {

        void run(int number) throws Exception;
    }

    /** Runs many rounds, until one fails. */
    public static void repeat(Round round) throws Exception {
        repeat(1, round);
    }

    /** @param cost how many times as long as others a round takes: there are fewer of them */
    public static void repeat(int cost, Round round) throws Exception {
        for (int number = 0; number < ROUNDS / cost; number++) {
            round.run(number);
        }
    }

    /** Runs a task on each thread; returns the results. */
    public <T> List<T> run(Callable<T> task) throws Exception {
        var running = new ArrayList<Future<T>>();
        for (int i = 0; i < THREADS; i++) {
            running.add(threads.submit(() -> {
                start.await();
                return task.call();
            }));
        }
        var results = new ArrayList<T>();
        for (var result : running) {
            results.add(result.get(TIMEOUT_SECONDS, TimeUnit.SECONDS));
        }
        return results;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
