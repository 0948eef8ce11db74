package dev.sluice.llm.client;

import org.jspecify.annotations.Nullable;

/**
 * Context of the LLM calls made by a piece of code: the user they count for and the usage it reports.
 * <p>
 * Held in a thread local and carried by context propagation: Mutiny runs a pipeline in the context in which it was
 * assembled.
 *
 * @param user null if none is bound
 * @param tier null if none is bound
 * @param reportedUsage receives the usage that the code reports; null outside of {@code @LlmRateLimited} methods
 */
record CallContext(@Nullable String user, @Nullable String tier, @Nullable ReportedUsage reportedUsage) {

    static final ThreadLocal<CallContext> CURRENT = new ThreadLocal<>();

    private static final CallContext NONE = new CallContext(null, null, null);

    /** Returns the context of the current thread, never null. */
    static CallContext current() {
        var current = CURRENT.get();
        return current == null ? NONE : current;
    }

    /** Code to run in a context. */
    interface Action<T, E extends Exception> {
        T run() throws E;
    }

    /** Runs an action in this context and restores the previous one afterwards. */
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
