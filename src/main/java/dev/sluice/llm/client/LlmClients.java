package dev.sluice.llm.client;

import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;

import dev.sluice.llm.limit.LlmConfig;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.protocol.Provider;
import io.vertx.core.Vertx;

/**
 * Makes clients of the providers of language models, which go where {@code rate-limit.llm.<provider>.base-url} says, with the
 * key of {@code rate-limit.llm.<provider>.api-key}:
 *
 * <pre>
 * &#64;Inject
 * Llm llm;
 *
 * LlmClient client = llm.client("openai", "user123", "pro");
 * </pre>
 */
@ApplicationScoped
public class LlmClients {

    private static final Logger LOG = Logger.getLogger(LlmClients.class);

    private final LlmLimiter limiter;
    private final LlmConfig config;
    private final Vertx vertx;
    private final Map<Provider, ProviderHttpClient> httpClients = new EnumMap<>(Provider.class);

    LlmClients(LlmLimiter limiter, LlmConfig config, Vertx vertx) {
        this.limiter = limiter;
        this.config = config;
        this.vertx = vertx;
    }

    /**
     * A client whose calls count for a user. It costs nothing to make: connections are shared.
     *
     * @param provider {@code openai}, {@code anthropic} or {@code gemini}
     * @param user the name, not blank; counted as {@code user:<name>}
     * @param tier one that is not known, or null, is the first
     * @throws IllegalArgumentException where there is no such provider, or the user is blank
     * @throws IllegalStateException where neither a key nor another address than the provider's own is configured
     */
    public LlmClient client(String provider, String user, String tier) {
        var parsed = Provider.of(provider);
        if (parsed == null) {
            throw new IllegalArgumentException("provider must be " + Provider.ALLOWED_IDS);
        }
        requireKey(parsed);
        return new LlmClient(httpClient(parsed), limiter, LlmIdentity.user(LlmIdentity.requireUser(user), tier));
    }

    /** Somewhere else than at the provider's own address, a key may not be needed. */
    private void requireKey(Provider provider) {
        var configured = config.of(provider);
        if (configured.apiKey().filter(key -> !key.isBlank()).isEmpty()
                && configured.baseUrl().filter(url -> !url.isBlank()).isEmpty()) {
            throw new IllegalStateException("There is no key for " + provider.id() + ": set rate-limit.llm." + provider.id()
                    + ".api-key");
        }
    }

    private synchronized ProviderHttpClient httpClient(Provider provider) {
        return httpClients.computeIfAbsent(provider, of -> new ProviderHttpClient(of, config, vertx));
    }

    @PreDestroy
    synchronized void close() {
        for (var httpClient : httpClients.values()) {
            try {
                httpClient.close();
            } catch (IOException e) {
                LOG.debug("A client of a provider did not close", e);
            }
        }
    }
}
