package dev.sluice.llm.client;

/**
 * What goes for the calls of models that a piece of code makes. It belongs to the thread and is carried along by context
 * propagation: what Mutiny runs later runs in the context in which it was put together.
 *
 * @param user null where none is bound
 * @param tier null where none is bound
 * @param reportedUsage where the code tells what it has used; null where nobody listens
 */
record CallContext(String user, String tier, ReportedUsage reportedUsage) {

    static final ThreadLocal<CallContext> CURRENT = new ThreadLocal<>();

    private static final CallContext NONE = new CallContext(null, null, null);

    static CallContext current() {
        var current = CURRENT.get();
        return current == null ? NONE : current;
    }

    interface Action<T, E extends Exception> {
        T run() throws E;
    }

    /** Runs this code in this context. */
    <T, E extends Exception> T run(Action<T, E> action) throws E {
        var previous = CURRENT.get();
        CURRENT.set(this);
        try {
            return action.run();
        } finally {
            restore(previous);
        }
    }

    static void restore(CallContext previous) {
        if (previous == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(previous);
        }
    }
}
