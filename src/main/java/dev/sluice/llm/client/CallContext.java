package dev.sluice.llm.client;

import org.jspecify.annotations.Nullable;

/**
 * What goes for the calls of models that a piece of code makes. It belongs to the thread and is carried along by context
 * propagation: what Mutiny runs later runs in the context in which it was put together.
 *
 * @param user null where none is bound
 * @param tier null where none is bound
 * @param used where the code tells what it has used; null where nobody listens
 */
record CallContext(@Nullable String user, @Nullable String tier, @Nullable ReportedUsage used) {

    static final ThreadLocal<CallContext> CURRENT = new ThreadLocal<>();

    private static final CallContext NONE = new CallContext(null, null, null);

    static CallContext current() {
        var current = CURRENT.get();
        return current == null ? NONE : current;
    }

    interface Code<T, E extends Exception> {
        T run() throws E;
    }

    /** Runs this code in this context. */
    <T, E extends Exception> T run(Code<T, E> code) throws E {
        var before = CURRENT.get();
        CURRENT.set(this);
        try {
            return code.run();
        } finally {
            restore(before);
        }
    }

    static void restore(@Nullable CallContext before) {
        if (before == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(before);
        }
    }
}
