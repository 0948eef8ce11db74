package dev.sluice.llm.client;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.concurrent.CancellationException;

import jakarta.annotation.Priority;
import jakarta.inject.Singleton;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.client.ClientRequestContext;
import jakarta.ws.rs.client.ClientResponseContext;
import jakarta.ws.rs.core.HttpHeaders;

import org.jboss.resteasy.reactive.client.impl.PreservesThreadClientResponseFilter;
import org.jboss.resteasy.reactive.client.impl.RestClientRequestContext;
import org.jboss.resteasy.reactive.client.spi.ResteasyReactiveClientRequestContext;
import org.jboss.resteasy.reactive.client.spi.ResteasyReactiveClientRequestFilter;
import org.jspecify.annotations.Nullable;

import dev.sluice.api.RateLimitExceededException;
import dev.sluice.identity.IdentityHeaders;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.protocol.UsageExtractor;
import io.quarkus.arc.Unremovable;
import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;

/**
 * Applies the LLM limits to a REST client of a provider: each call is checked before it is sent, and settled with the usage
 * that the response reports.
 *
 * <pre>
 * &#64;RegisterRestClient
 * &#64;RegisterProvider(LlmRateLimitFilter.class)
 * &#64;LlmProvider("openai")
 * interface MyOpenAi { … }
 * </pre>
 *
 * A denied call is not sent and fails with {@link RateLimitExceededException}. Listing models and counting tokens are not
 * counted. A call that the provider rejects, or that fails, releases its reservation; one that has been sent and times out is booked
 * as estimated. If the response body does not pass
 * through the filter ({@code Multi}, files), the estimate is booked and marked as estimated.
 * <p>
 * The caller is, in this order: the user bound by {@link LlmCallScope#as}; the user and tier in the call's headers
 * {@code X-User-Id} and {@code X-User-Tier}, which are removed before it is sent; the caller of the current HTTP request;
 * outside of a request, {@code app:} followed by the application's name. A client whose
 * {@code ReactiveClientHeadersFactory} completes on another thread must use the headers.
 * <p>
 * Non-blocking; to be registered with {@code @RegisterProvider}, not called directly.
 */
@Singleton
@Unremovable
// After the filter that sets the call's own headers; before those that fetch credentials, which a denied call does not need.
@Priority(Priorities.AUTHENTICATION - 500)
public class LlmRateLimitFilter implements ResteasyReactiveClientRequestFilter, PreservesThreadClientResponseFilter {

    private static final String CALL_PROPERTY = "dev.sluice.llm.call";

    private final LlmIdentityResolver identityResolver;
    private final LlmLimiter limiter;
    private final ProviderInterfaces providerInterfaces;

    LlmRateLimitFilter(LlmIdentityResolver identityResolver, LlmLimiter limiter, ProviderInterfaces providerInterfaces) {
        this.providerInterfaces = providerInterfaces;
        this.identityResolver = identityResolver;
        this.limiter = limiter;
    }

    @Override
    public void filter(ResteasyReactiveClientRequestContext request) {
        var bound = CallContext.current();
        var headerUser = removeHeader(request, IdentityHeaders.USER_ID);
        var headerTier = removeHeader(request, IdentityHeaders.USER_TIER);
        var user = bound.user() == null ? headerUser : bound.user();
        var tier = bound.user() == null ? headerTier : bound.tier();
        request.suspend();
        Uni.createFrom().deferred(() -> {
            var context = request.unwrap(RestClientRequestContext.class);
            var provider = providerInterfaces.providerOf(context.getInvokedMethod());
            var operation = CallPath.operation(provider, request.getMethod(), request.getUri().getRawPath());
            if (!CallPath.isCounted(operation, request.getMethod())) {
                return Uni.createFrom().<FilteredCall>nullItem();
            }
            return identityResolver.resolve(user, tier)
                    .chain(identity -> limiter.admit(identity.estimate(provider, operation, RequestBodySerializer.of(context))))
                    .map(call -> new FilteredCall(context, operation, call));
        }).subscribe().with(call -> resume(request, call), request::resume);
    }

    private static void resume(ResteasyReactiveClientRequestContext request, @Nullable FilteredCall call) {
        try {
            proceed(request, call);
        } catch (RuntimeException | Error e) {
            if (call != null && call.allowed()) {
                call.admittedCall().release(false);
            }
            request.resume(e);
        }
    }

    /** Removes a header that must not reach the provider, and returns its first value; null if it is missing. */
    private static String removeHeader(ClientRequestContext request, String header) {
        var values = request.getHeaders().remove(header);
        return values == null || values.isEmpty() || values.get(0) == null ? null : values.get(0).toString();
    }

    private static void proceed(ResteasyReactiveClientRequestContext request, @Nullable FilteredCall call) {
        if (call == null) {
            request.resume();
        } else if (!call.allowed()) {
            request.resume(call.admittedCall().denialException());
        } else if (!call.start()) {
            request.resume(new CancellationException());
        } else {
            request.setProperty(CALL_PROPERTY, call);
            request.resume();
        }
    }

    @Override
    public void filter(ClientRequestContext request, ClientResponseContext response) throws IOException {
        if (!(request.getProperty(CALL_PROPERTY) instanceof FilteredCall call) || !call.succeeded()) {
            return;
        }
        var entity = response.getEntityStream();
        if (entity == null || call.bypassesFilter()) {
            call.admittedCall().settleEstimated(call.admittedCall().estimatedUsage());
            return;
        }
        var extractor = UsageExtractor.of(call.admittedCall().provider(), call.operation().shape(),
                response.getHeaderString(HttpHeaders.CONTENT_TYPE), response.getHeaderString(HttpHeaders.CONTENT_ENCODING));
        if (call.isStreamed()) {
            response.setEntityStream(new UsageMeteringInputStream(entity, extractor, call.admittedCall()::settle));
            return;
        }
        byte[] bytes;
        try (entity) {
            bytes = entity.readAllBytes();
        }
        extractor.feed(Buffer.buffer(bytes));
        call.admittedCall().settle(extractor);
        response.setEntityStream(new ByteArrayInputStream(bytes));
    }
}
