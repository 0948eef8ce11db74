package dev.sluice.service.llm;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.http.CredentialFailures;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.llm.limit.LlmConfig;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.limit.UnprovenCallLimiter;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.llm.body.RequestBodyBuffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * Reverse proxy to the LLM providers: {@code /openai/v1/…}, {@code /anthropic/v1/…}, {@code /gemini/v1beta/…}. Every official
 * SDK can use it as its base URL.
 */
@ApplicationScoped
class LlmGateway {

    /** Before {@code UpstreamGateway}. */
    private static final int ORDER = -60;

    private final LlmExchange.Services services;

    LlmGateway(LlmCallerResolver callerResolver, ProvenKeys provenKeys, RequestBodyBuffer bodyBuffer,
            LlmLimiter limiter, UnprovenCallLimiter unprovenLimiter, RateLimitHeaders rateLimitHeaders,
            ProviderHeaders providerHeaders,
            ProviderPaths paths, ProviderUpstreams upstreams, DeferredCalls deferredCalls, LlmConfig settings, Cors cors,
            CredentialFailures credentialFailures) {
        this.services = new LlmExchange.Services(callerResolver, provenKeys, bodyBuffer, limiter, unprovenLimiter,
                rateLimitHeaders,
                providerHeaders, paths, upstreams, deferredCalls, settings.drainTimeout().toMillis(), cors, credentialFailures);
    }

    void register(@Observes Router router) {
        router.route().order(ORDER).handler(this::handle);
    }

    private void handle(RoutingContext context) {
        var path = context.request().path();
        var provider = path == null ? null : provider(path);
        if (provider == null) {
            context.next();
        } else {
            new LlmExchange(services, context, provider, path.substring(provider.id().length() + 1)).begin();
        }
    }

    private static Provider provider(String path) {
        int end = path.indexOf('/', 1);
        return end < 0 ? null : Provider.of(path.substring(1, end));
    }
}
