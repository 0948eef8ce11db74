package dev.sluice.llm.client;

import java.util.concurrent.Callable;

import jakarta.annotation.Priority;
import jakarta.interceptor.AroundInvoke;
import jakarta.interceptor.Interceptor;
import jakarta.interceptor.InvocationContext;

import dev.sluice.interceptor.GuardedInvocation;
import dev.sluice.interceptor.InvocationGuard;
import dev.sluice.llm.LlmRateLimited;
import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.limit.LlmLimiter;
import io.smallrye.mutiny.Uni;

/** Asks before the call, and books it after. */
@LlmRateLimited("")
@Interceptor
@Priority(Interceptor.Priority.LIBRARY_BEFORE + 1)
class LlmRateLimitedInterceptor {

    private final LlmMethods methods;
    private final LlmIdentityResolver callers;
    private final LlmLimiter limiter;

    LlmRateLimitedInterceptor(LlmMethods methods, LlmIdentityResolver callers, LlmLimiter limiter) {
        this.methods = methods;
        this.callers = callers;
        this.limiter = limiter;
    }

    private record Admitted(AdmittedCall call, ReportedUsage used) {

        void book() {
            var told = used.get();
            if (told == null) {
                call.settleEstimated(call.estimatedUsage());
            } else {
                call.settleReported(told);
            }
        }
    }

    @AroundInvoke
    Object around(InvocationContext call) throws Exception {
        var method = methods.of(GuardedInvocation.beanClass(call), call.getMethod());
        var context = CallContext.current();
        var user = method.user(call.getParameters());
        var tier = method.tier(call.getParameters());
        boolean named = user != null && !user.isBlank() || context.user() == null;
        var caller = callers.of(named ? user : context.user(), named || tier != null ? tier : context.tier());
        return GuardedInvocation.run("@LlmRateLimited", call, new InvocationGuard<Admitted>() {

            @Override
            public Uni<Admitted> admit() {
                return caller.chain(found -> limiter.admit(method.ask(found))).map(open -> {
                    if (!open.decision().allowed()) {
                        throw open.denialException();
                    }
                    return new Admitted(open, new ReportedUsage());
                });
            }

            @Override
            public Object run(Admitted admitted, Callable<Object> proceed) throws Exception {
                return new CallContext(context.user(), context.tier(), admitted.used()).run(proceed::call);
            }

            @Override
            public void onSuccess(Admitted admitted) {
                admitted.book();
            }

            @Override
            public void onFailure(Admitted admitted) {
                if (admitted.used().get() == null) {
                    admitted.call().release(false);
                } else {
                    admitted.book();
                }
            }

            @Override
            public void onCancellation(Admitted admitted) {
                admitted.book();
            }
        });
    }
}
