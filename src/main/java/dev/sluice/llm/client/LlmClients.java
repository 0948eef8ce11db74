package dev.sluice.llm.client;

import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

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
    private final LlmConfig settings;
    private final Vertx vertx;
    private final Map<Provider, ProviderHttpClient> providers = new EnumMap<>(Provider.class);

    LlmClients(LlmLimiter limiter, LlmConfig settings, Vertx vertx) {
        this.limiter = limiter;
        this.settings = settings;
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
    public LlmClient client(String provider, String user, @Nullable String tier) {
        var of = Provider.of(provider);
        if (of == null) {
            throw new IllegalArgumentException("provider must be " + Provider.ALLOWED);
        }
        requireKey(of);
        return new LlmClient(access(of), limiter, LlmIdentity.user(LlmIdentity.requireUser(user), tier));
    }

    /** Somewhere else than at the provider's own address, a key may not be needed. */
    private void requireKey(Provider provider) {
        var configured = settings.of(provider);
        if (configured.apiKey().filter(key -> !key.isBlank()).isEmpty()
                && configured.baseUrl().filter(url -> !url.isBlank()).isEmpty()) {
            throw new IllegalStateException("There is no key for " + provider.id() + ": set rate-limit.llm." + provider.id()
                    + ".api-key");
        }
    }

    private synchronized ProviderHttpClient access(Provider provider) {
        return providers.computeIfAbsent(provider, of -> new ProviderHttpClient(of, settings, vertx));
    }

    @PreDestroy
    synchronized void close() {
        for (var access : providers.values()) {
            try {
                access.close();
            } catch (IOException e) {
                LOG.debug("A client of a provider did not close", e);
            }
        }
    }
}
