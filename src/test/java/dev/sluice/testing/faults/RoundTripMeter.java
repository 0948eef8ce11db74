package dev.sluice.testing.faults;

import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Measures the round-trip time to Redis with consecutive PINGs until it is closed. */
public final class RoundTripMeter implements AutoCloseable {

    private final Collection<Double> samplesMillis = new ConcurrentLinkedQueue<>();
    private final RespClient connection;
    private final Thread thread = new Thread(this::measure, "round trips");

    /** @param port port of Redis, or of a {@link FaultProxy} in front of it */
    public RoundTripMeter(int port) {
        connection = new RespClient(port);
        thread.start();
    }

    private void measure() {
        try {
            while (!thread.isInterrupted()) {
                long begin = System.nanoTime();
                connection.command("PING");
                samplesMillis.add((System.nanoTime() - begin) / 1e6);
            }
        } catch (UncheckedIOException e) {
            // closed
        }
    }

    public double medianMillis() {
        return SteadyLoadScenario.median(samplesMillis);
    }

    @Override
    public void close() {
        thread.interrupt();
        connection.close();
    }
}
