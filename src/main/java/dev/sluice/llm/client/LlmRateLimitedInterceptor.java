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

/** Checks the limits before an {@link LlmRateLimited} invocation and settles it afterwards. */
@LlmRateLimited("")
@Interceptor
@Priority(Interceptor.Priority.LIBRARY_BEFORE + 1)
class LlmRateLimitedInterceptor {

    private final LlmMethods methods;
    private final LlmIdentityResolver identityResolver;
    private final LlmLimiter limiter;

    LlmRateLimitedInterceptor(LlmMethods methods, LlmIdentityResolver identityResolver, LlmLimiter limiter) {
        this.methods = methods;
        this.identityResolver = identityResolver;
        this.limiter = limiter;
    }

    private record Admitted(AdmittedCall call, ReportedUsage reportedUsage) {

        void settle() {
            var usage = reportedUsage.get();
            if (usage == null) {
                call.settleEstimated(call.estimatedUsage());
            } else {
                call.settleReported(usage);
            }
        }
    }

    @AroundInvoke
    Object around(InvocationContext invocation) throws Exception {
        var method = methods.of(GuardedInvocation.beanClass(invocation), invocation.getMethod());
        var context = CallContext.current();
        var user = method.user(invocation.getParameters());
        var tier = method.tier(invocation.getParameters());
        boolean userNamed = user != null && !user.isBlank() || context.user() == null;
        var identity = identityResolver.resolve(userNamed ? user : context.user(),
                userNamed || tier != null ? tier : context.tier());
        return GuardedInvocation.run("@LlmRateLimited", invocation, new InvocationGuard<Admitted>() {

            @Override
            public Uni<Admitted> admit() {
                return identity.chain(resolved -> limiter.admit(method.estimate(resolved))).map(call -> {
                    if (!call.decision().allowed()) {
                        throw call.denialException();
                    }
                    return new Admitted(call, new ReportedUsage());
                });
            }

            @Override
            public Object run(Admitted admitted, Callable<Object> proceed) throws Exception {
                return new CallContext(context.user(), context.tier(), admitted.reportedUsage()).run(proceed::call);
            }

            @Override
            public void onSuccess(Admitted admitted) {
                admitted.settle();
            }

            @Override
            public void onFailure(Admitted admitted) {
                if (admitted.reportedUsage().get() == null) {
                    admitted.call().release(false);
                } else {
                    admitted.settle();
                }
            }

            @Override
            public void onCancellation(Admitted admitted) {
                admitted.settle();
            }
        });
    }
}
