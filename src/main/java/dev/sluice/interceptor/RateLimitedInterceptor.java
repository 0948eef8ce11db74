package dev.sluice.interceptor;

import jakarta.annotation.Priority;
import jakarta.interceptor.AroundInvoke;
import jakarta.interceptor.Interceptor;
import jakarta.interceptor.InvocationContext;

import dev.sluice.api.RateLimited;

/** Decides {@link RateLimited}, and {@link dev.sluice.api.ConcurrencyLimited} on the same method, before an invocation. */
@RateLimited
@Interceptor
@Priority(Interceptor.Priority.LIBRARY_BEFORE)
class RateLimitedInterceptor {

    private final LimitedInvocations invocations;

    RateLimitedInterceptor(LimitedInvocations invocations) {
        this.invocations = invocations;
    }

    @AroundInvoke
    Object around(InvocationContext call) throws Exception {
        return invocations.run("@RateLimited", call);
    }
}
