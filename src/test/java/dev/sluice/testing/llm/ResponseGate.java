package dev.sluice.testing.llm;

import java.util.ArrayList;
import java.util.List;

/** Holds a stub's responses back until the test releases them: each event of a stream, or a plain response as a whole. */
public final class ResponseGate {

    private final List<Runnable> waiting = new ArrayList<>();
    private boolean open;
    private int permits;

    /** Releases a number of events. */
    public void release(int events) {
        List<Runnable> now;
        synchronized (this) {
            permits += events;
            now = List.copyOf(waiting);
            waiting.clear();
        }
        now.forEach(Runnable::run);
    }

    /** Releases all further events. */
    public void open() {
        synchronized (this) {
            open = true;
        }
        release(0);
    }

    /** Returns the number of responses that are held back. */
    public synchronized int waiting() {
        return waiting.size();
    }

    /** @param retry runs when another attempt may succeed */
    synchronized boolean tryPass(Runnable retry) {
        if (open) {
            return true;
        }
        if (permits > 0) {
            permits--;
            return true;
        }
        waiting.add(retry);
        return false;
    }
}
