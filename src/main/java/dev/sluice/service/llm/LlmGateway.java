package dev.sluice.service.llm;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.http.CredentialFailures;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.estimate.TextTokens;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.limit.UnprovenCallLimiter;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.llm.body.RequestBodyBuffer;
import io.vertx.core.Vertx;
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
    /** Time after the start at which the vocabulary of the estimates is loaded, so that the start does not wait for it. */
    private static final long VOCABULARY_DELAY_MILLIS = 2000;

    private final Providers providers;
    private final LlmGatewayServices services;

    LlmGateway(Providers providers, LlmCallerResolver callerResolver, ProvenKeys provenKeys, RequestBodyBuffer bodyBuffer,
            LlmLimiter limiter, UnprovenCallLimiter unprovenLimiter, RateLimitHeaders rateLimitHeaders,
            ProviderHeaders providerHeaders,
            ProviderPaths paths, ProviderUpstreams upstreams, DeferredCalls deferredCalls, LlmConfig settings, Cors cors,
            CredentialFailures credentialFailures) {
        this.providers = providers;
        this.services = new LlmGatewayServices(callerResolver, provenKeys, bodyBuffer, limiter, unprovenLimiter,
                rateLimitHeaders,
                providerHeaders, paths, providers, upstreams, deferredCalls, settings.drainTimeout().toMillis(), cors,
                credentialFailures);
    }

    void register(@Observes Router router, Vertx vertx) {
        vertx.setTimer(VOCABULARY_DELAY_MILLIS, now -> TextTokens.loadVocabulary());
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

    private Provider provider(String path) {
        int end = path.indexOf('/', 1);
        return end < 0 ? null : providers.find(path.substring(1, end));
    }
}
