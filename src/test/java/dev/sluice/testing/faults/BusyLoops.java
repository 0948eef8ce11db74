package dev.sluice.testing.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** Processes that consume CPU time until they are closed, to compete with all other processes of the machine. */
public final class BusyLoops implements AutoCloseable {

    /** The shell ends itself after this much CPU time, in case nothing closes it. */
    private static final int LIMIT_SECONDS = 300;

    private final List<Process> processes = new ArrayList<>();
    private final Thread atExit = new Thread(this::kill);

    public BusyLoops(int count) {
        Runtime.getRuntime().addShutdownHook(atExit);
        try {
            for (int i = 0; i < count; i++) {
                processes.add(new ProcessBuilder("sh", "-c", "ulimit -t " + LIMIT_SECONDS + "; while :; do :; done").start());
            }
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        }
    }

    public int count() {
        return processes.size();
    }

    private void kill() {
        processes.forEach(Process::destroyForcibly);
    }

    @Override
    public void close() {
        kill();
        Runtime.getRuntime().removeShutdownHook(atExit);
    }
}
