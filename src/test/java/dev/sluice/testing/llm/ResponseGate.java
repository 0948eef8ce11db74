package dev.sluice.testing.llm;

import java.util.ArrayList;
import java.util.List;

/** Holds a stub's answers back until the test lets them go: of a stream each event, of a plain answer all of it at once. */
public final class ResponseGate {

    private final List<Runnable> waiting = new ArrayList<>();
    private boolean open;
    private int permits;

    /** Lets so many more events pass. */
    public void release(int events) {
        List<Runnable> now;
        synchronized (this) {
            permits += events;
            now = List.copyOf(waiting);
            waiting.clear();
        }
        now.forEach(Runnable::run);
    }

    /** Lets everything pass from now on. */
    public void open() {
        synchronized (this) {
            open = true;
        }
        release(0);
    }

    /** How many answers wait here. */
    public synchronized int waiting() {
        return waiting.size();
    }

    /** @param retry runs when it is worth another try, where this one fails */
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
