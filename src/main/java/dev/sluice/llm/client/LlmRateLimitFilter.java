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
 * Limits the calls of a REST client to a provider of language models: each is checked before it is sent, and settled by the
 * usage that its answer reports.
 *
 * <pre>
 * &#64;RegisterRestClient
 * &#64;RegisterProvider(LlmRateLimitFilter.class)
 * &#64;LlmProvider("openai")
 * interface MyOpenAi { … }
 * </pre>
 *
 * A refused call is not sent and fails with {@link RateLimitExceededException}. Listing models and counting tokens pass
 * uncounted. A call that fails gives back what was reserved for it. Where the answer is not read before the method returns it
 * ({@code Multi}, files), the estimate is booked, marked as one.
 * <p>
 * The caller is whom {@link LlmCallScope#as} has bound; otherwise whom the headers {@code X-User-Id} and {@code X-User-Tier} of the
 * call name, which are taken off it; otherwise that of the HTTP request in progress; outside of one, {@code app:} and the
 * application's name. A client whose {@code ReactiveClientHeadersFactory} answers on another thread must use the headers.
 */
@Singleton
@Unremovable
// After the filter that sets the call's own headers; before those that fetch credentials, which a refused call need not do.
@Priority(Priorities.AUTHENTICATION - 500)
public class LlmRateLimitFilter implements ResteasyReactiveClientRequestFilter, PreservesThreadClientResponseFilter {

    private static final String CALL = "dev.sluice.llm.call";

    private final LlmIdentityResolver callers;
    private final LlmLimiter limiter;
    private final ProviderInterfaces interfaces;

    LlmRateLimitFilter(LlmIdentityResolver callers, LlmLimiter limiter, ProviderInterfaces interfaces) {
        this.interfaces = interfaces;
        this.callers = callers;
        this.limiter = limiter;
    }

    @Override
    public void filter(ResteasyReactiveClientRequestContext request) {
        var bound = CallContext.current();
        var headerUser = take(request, IdentityHeaders.USER_ID);
        var headerTier = take(request, IdentityHeaders.USER_TIER);
        var user = bound.user() == null ? headerUser : bound.user();
        var tier = bound.user() == null ? headerTier : bound.tier();
        request.suspend();
        Uni.createFrom().deferred(() -> {
            var context = request.unwrap(RestClientRequestContext.class);
            var provider = interfaces.provider(context.getInvokedMethod());
            var operation = CallPath.operation(provider, request.getMethod(), request.getUri().getRawPath());
            if (!CallPath.counts(operation, request.getMethod())) {
                return Uni.createFrom().<FilteredCall>nullItem();
            }
            return callers.of(user, tier)
                    .chain(caller -> limiter.admit(caller.ask(provider, operation, RequestBodySerializer.of(context))))
                    .map(call -> new FilteredCall(context, operation, call));
        }).subscribe().with(call -> resume(request, call), request::resume);
    }

    private static void resume(ResteasyReactiveClientRequestContext request, @Nullable FilteredCall call) {
        try {
            decided(request, call);
        } catch (RuntimeException | Error e) {
            if (call != null && call.allowed()) {
                call.open().failed(false);
            }
            request.resume(e);
        }
    }

    /** The first value of a header that the provider is not to see. */
    private static @Nullable String take(ClientRequestContext request, String header) {
        var values = request.getHeaders().remove(header);
        return values == null || values.isEmpty() || values.get(0) == null ? null : values.get(0).toString();
    }

    private static void decided(ResteasyReactiveClientRequestContext request, @Nullable FilteredCall call) {
        if (call == null) {
            request.resume();
        } else if (!call.allowed()) {
            request.resume(call.open().refusal());
        } else if (!call.begin()) {
            request.resume(new CancellationException());
        } else {
            request.setProperty(CALL, call);
            request.resume();
        }
    }

    @Override
    public void filter(ClientRequestContext request, ClientResponseContext response) throws IOException {
        if (!(request.getProperty(CALL) instanceof FilteredCall call) || !call.answered()) {
            return;
        }
        var entity = response.getEntityStream();
        if (entity == null || call.unread()) {
            call.open().estimated(call.open().estimate());
            return;
        }
        var reader = UsageExtractor.of(call.open().provider(), call.operation().shape(),
                response.getHeaderString(HttpHeaders.CONTENT_TYPE), response.getHeaderString(HttpHeaders.CONTENT_ENCODING));
        if (call.readLater()) {
            response.setEntityStream(new UsageMeteringInputStream(entity, reader, call.open()::settle));
            return;
        }
        byte[] bytes;
        try (entity) {
            bytes = entity.readAllBytes();
        }
        reader.feed(Buffer.buffer(bytes));
        call.open().settle(reader);
        response.setEntityStream(new ByteArrayInputStream(bytes));
    }
}
