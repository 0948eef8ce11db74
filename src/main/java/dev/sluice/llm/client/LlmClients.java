package dev.sluice.llm.client;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.protocol.Provider;
import io.quarkus.tls.TlsConfiguration;
import io.quarkus.tls.TlsConfigurationRegistry;
import io.vertx.core.Vertx;

/**
 * Creates clients of LLM providers. They call {@code rate-limit.llm.<provider>.base-url} with the API key in
 * {@code rate-limit.llm.<provider>.api-key}:
 *
 * <pre>
 * &#64;Inject
 * LlmClients clients;
 *
 * LlmClient client = clients.client("openai", "user123", "pro");
 * </pre>
 *
 * An application-scoped bean; thread-safe.
 */
@ApplicationScoped
public class LlmClients {

    private static final Logger LOG = Logger.getLogger(LlmClients.class);

    private final LlmLimiter limiter;
    private final LlmIdentityResolver identities;
    private final LlmConfig config;
    private final Providers providers;
    private final TlsConfigurationRegistry tls;
    private final Vertx vertx;
    private final Map<Provider, ProviderHttpClient> httpClients = new HashMap<>();

    LlmClients(LlmLimiter limiter, LlmIdentityResolver identities, LlmConfig config, Providers providers,
            TlsConfigurationRegistry tls, Vertx vertx) {
        this.tls = tls;
        this.providers = providers;
        this.limiter = limiter;
        this.identities = identities;
        this.config = config;
        this.vertx = vertx;
    }

    /**
     * Returns a client whose calls count for a user. Cheap: connections are shared between clients.
     *
     * @param provider {@code openai}, {@code anthropic}, {@code gemini}, or the name of a configured provider
     * @param user the user's name, not blank; counted as {@code user:<name>}
     * @param tier the user's tier; null for that of the stored user or, without one, the first configured tier; so is an unknown tier
     * @return a client, to be kept or discarded; it needs no closing
     * @throws IllegalArgumentException if the provider is unknown, or the user is null or blank
     * @throws IllegalStateException if neither an API key nor a base URL is configured for the provider, or its TLS configuration
     * does not exist
     */
    public LlmClient client(String provider, String user, @Nullable String tier) {
        var parsed = providers.find(provider);
        if (parsed == null) {
            throw new IllegalArgumentException("provider must be " + providers.allowedIds() + ": " + provider);
        }
        requireKey(parsed);
        return new LlmClient(httpClient(parsed), limiter, identities,
                LlmIdentity.user(LlmIdentity.requireUser(user), tier));
    }

    /** Requires an API key for the provider's own address; another base URL may not need one. */
    private void requireKey(Provider provider) {
        var configured = config.of(provider);
        if (configured.apiKey().filter(key -> !key.isBlank()).isEmpty()
                && configured.baseUrl().filter(url -> !url.isBlank()).isEmpty()) {
            throw new IllegalStateException("No API key for provider " + provider.id() + ": set rate-limit.llm." + provider.id()
                    + ".api-key");
        }
    }

    private synchronized ProviderHttpClient httpClient(Provider provider) {
        return httpClients.computeIfAbsent(provider,
                of -> new ProviderHttpClient(of, config, providers, tlsConfiguration(of), vertx));
    }

    private @Nullable TlsConfiguration tlsConfiguration(Provider provider) {
        var name = config.of(provider).tlsConfigurationName();
        return name.isEmpty()
                ? null
                : tls.get(name.get()).orElseThrow(() -> new IllegalStateException("rate-limit.llm." + provider.id()
                        + ".tls-configuration-name=" + name.get() + ": no such TLS configuration; set quarkus.tls." + name.get()
                        + ".trust-store… or .key-store…"));
    }

    @PreDestroy
    synchronized void close() {
        for (var httpClient : httpClients.values()) {
            try {
                httpClient.close();
            } catch (IOException e) {
                LOG.debug("HTTP client of an LLM provider could not be closed", e);
            }
        }
    }
}
