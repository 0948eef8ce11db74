package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Sends SIGSTOP and SIGCONT to processes. */
public final class ProcessSignals {

    private ProcessSignals() {
    }

    /** @throws IllegalStateException if the process has ended */
    public static void suspend(ProcessHandle process) {
        if (send("STOP", process) != 0) {
            throw new IllegalStateException("process has ended: pid=" + process.pid());
        }
    }

    /** Has no effect on a process that runs or has ended. */
    public static void resume(ProcessHandle process) {
        if (process.isAlive()) {
            send("CONT", process);
        }
    }

    /** Not interruptible, so that cleaning up cannot be cut short. */
    private static int send(String signal, ProcessHandle process) {
        try {
            return new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().onExit().join().exitValue();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
