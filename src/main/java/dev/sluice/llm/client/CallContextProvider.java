package dev.sluice.llm.client;

import java.util.Map;

import org.eclipse.microprofile.context.spi.ThreadContextSnapshot;

import io.smallrye.context.FastThreadContextProvider;

/**
 * Propagates the {@link CallContext} with MicroProfile Context Propagation. Registered as a service; not to be used
 * directly.
 */
public final class CallContextProvider implements FastThreadContextProvider {

    @Override
    public ThreadLocal<?> threadLocal(Map<String, String> properties) {
        return CallContext.CURRENT;
    }

    @Override
    public ThreadContextSnapshot currentContext(Map<String, String> properties) {
        return snapshot(CallContext.CURRENT.get());
    }

    @Override
    public ThreadContextSnapshot clearedContext(Map<String, String> properties) {
        return snapshot(null);
    }

    private static ThreadContextSnapshot snapshot(CallContext captured) {
        return () -> {
            var previous = CallContext.CURRENT.get();
            CallContext.restore(captured);
            return () -> CallContext.restore(previous);
        };
    }

    @Override
    public String getThreadContextType() {
        return "Sluice LLM call";
    }
}
