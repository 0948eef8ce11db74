package dev.sluice.interceptor;

import jakarta.annotation.Priority;
import jakarta.interceptor.AroundInvoke;
import jakarta.interceptor.Interceptor;
import jakarta.interceptor.InvocationContext;

import dev.sluice.api.ConcurrencyLimited;

/** Decides {@link ConcurrencyLimited} before an invocation of a method without {@link dev.sluice.api.RateLimited}. */
@ConcurrencyLimited(1)
@Interceptor
@Priority(Interceptor.Priority.LIBRARY_BEFORE)
class ConcurrencyLimitedInterceptor {

    private final LimitedInvocations invocations;

    ConcurrencyLimitedInterceptor(LimitedInvocations invocations) {
        this.invocations = invocations;
    }

    @AroundInvoke
    Object around(InvocationContext call) throws Exception {
        return invocations.isRateLimited(call)
                ? call.proceed() // the interceptor of the other annotation decides both
                : invocations.run("@ConcurrencyLimited", call);
    }
}
