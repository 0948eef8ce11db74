package dev.sluice.service.llm;

import dev.sluice.http.CredentialFailures;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.limit.UnprovenCallLimiter;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.llm.body.RequestBodyBuffer;

/**
 * Components that requests to the LLM gateway use.
 *
 * @param drainMillis time for which the rest of a response is read for its usage after the client has disconnected
 */
record LlmGatewayServices(LlmCallerResolver callerResolver, ProvenKeys provenKeys, RequestBodyBuffer bodyBuffer,
        LlmLimiter limiter, UnprovenCallLimiter unprovenLimiter, RateLimitHeaders rateLimitHeaders,
        ProviderHeaders providerHeaders, ProviderPaths paths, Providers providers, ProviderUpstreams upstreams,
        DeferredCalls deferredCalls, long drainMillis, Cors cors, CredentialFailures credentialFailures) {
}
