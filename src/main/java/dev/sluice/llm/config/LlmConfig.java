package dev.sluice.llm.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.llm.pricing.PriceConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderType;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithDefaults;
import io.smallrye.config.WithName;
import io.smallrye.config.WithParentName;

/** LLM calls: limits, providers and prices. */
@ConfigMapping(prefix = "rate-limit.llm")
public interface LlmConfig {

    /** Handling of calls of models without a price under a budget. */
    enum Unpriced {
        /** Denied: their share of the budget cannot be determined. */
        REFUSE,
        /** Allowed without using the budget, and counted as unpriced. */
        ALLOW
    }

    /** Reservation of output that is larger than {@link ProviderConfig#maxReservedOutput}. */
    enum Reserve {
        /** The largest output is reserved up to that number; what a call uses beyond it is charged when it ends. */
        CAPPED,
        /** The largest output that the request allows is reserved. */
        FULL
    }

    /**
     * Configuration by name. Also has keys of settings of all providers together, which are no providers; one without any setting
     * may be missing.
     */
    @WithParentName
    @WithDefaults
    Map<String, ProviderConfig> providers();

    /** Handling of calls of models without a price under a budget. */
    @WithDefault("refuse")
    Unpriced unpriced();

    /** Maximum time until a provider's response begins, and between two parts of it. */
    @WithDefault("10m")
    Duration timeout();

    /** Maximum time to connect to a provider, and to wait for a free connection. */
    @WithDefault("10s")
    Duration connectTimeout();

    /** Maximum number of connections to one provider, without those of event streams. */
    @WithDefault("512")
    int maxConnections();

    /**
     * Maximum size of a request body in the gateway, also after it has been decompressed; larger ones are rejected with 413. A
     * response that inflates to more, and to more than a hundred times its size, is not metered any further.
     */
    @WithDefault("32M")
    MemorySize maxBodySize();

    /** Interval at which the transfer of a request body is checked: at least one kilobyte per second. */
    @WithDefault("60s")
    Duration bodyTimeout();

    /** Time for which a response is read on for its usage after its caller has disconnected; after that the usage is estimated. */
    @WithDefault("60s")
    Duration drainTimeout();

    /**
     * Further request headers that are forwarded to providers, such as {@code x-tenant} or {@code x-acme-*}, in addition to those
     * of the official SDKs. Keys, cookies, identity, addresses and headers of the connection are not allowed.
     */
    Optional<List<String>> forwardedHeaders();

    /** Calls that use no tokens (lists of models, token counts), which have a window of their own for each provider. */
    FreeCalls freeCalls();

    /**
     * Calls with callers' own keys that the provider has not accepted yet: the rate of each client address, for each provider. They
     * count against the address in the first tier, too.
     */
    @WithDefault("60/minute")
    String unprovenKeys();

    default ProviderConfig of(Provider provider) {
        return providers().get(provider.id());
    }

    /** Limits of calls that use no tokens. */
    interface FreeCalls {

        /** Calls that use no tokens: the rate of all tiers that have none of their own. */
        @WithParentName
        @WithDefault("60/minute")
        String rate();

        /** Calls that use no tokens: a rate per tier. */
        @WithParentName
        Map<String, String> tiers();
    }

    /** Limits of a provider or a model. */
    interface LimitConfig {

        /** Requests: a rate per tier. */
        Map<String, String> requests();

        /** Tokens, input and output together: a rate per tier. */
        Map<String, String> tokens();

        /** Input tokens, those read from or written to a cache included: a rate per tier. */
        Map<String, String> inputTokens();

        /** Output tokens, reasoning included: a rate per tier. */
        Map<String, String> outputTokens();

        /** US dollars: an amount per window and tier. */
        Map<String, String> budget();

        /** Calls in flight over all instances: a number per tier, 1 to 1,000,000, or {@code unlimited}. */
        Map<String, String> concurrency();

        /** Calls in flight over all instances: the number of all tiers that have none of their own. */
        @WithName("concurrency")
        Optional<String> concurrencyOfAllTiers();

        /** Output tokens that a call that sets no maximum reserves at least; default: what is typical of it, 4096 if that is unknown. */
        Optional<Long> outputEstimate();
    }

    /** Configuration of one provider. */
    interface ProviderConfig extends LimitConfig {

        /** API that the provider has. Required unless its name is that of a type. */
        Optional<ProviderType> type();

        /** Limits of single models, in place of the provider's. */
        Map<String, LimitConfig> models();

        /** Names of the models that may be called; {@code *} stands for any characters. Default: all. */
        @WithName("models")
        Optional<List<String>> allowedModels();

        /** Base URL of the provider's API, with or without the version; default: the public API of its type. */
        Optional<String> baseUrl();

        /** Header with the API key; default: that of the type. */
        Optional<String> authHeader();

        /** Text in front of the API key; default: {@code Bearer} in {@code Authorization}, otherwise none. */
        Optional<String> authPrefix();

        /** Headers that are added to each request, in place of those of the caller. */
        Map<String, String> headers();

        /** Query parameters that are added to each request, in place of those of the caller. */
        Map<String, String> query();

        /** {@code true}: the usage of chat streams is requested where the caller has not; some APIs reject it. */
        @WithDefault("true")
        boolean askUsage();

        /** Name of the provider whose prices hold; {@code free}: all calls are free of charge. Default: its own. */
        @WithName("prices")
        Optional<String> priceList();

        /** Names of priced models by the names under which they are called, such as those of deployments. */
        Map<String, String> aliases();

        /** Maximum time until a response begins, and between two parts of it; default: that of all providers. */
        Optional<Duration> timeout();

        /** Maximum time to connect, and to wait for a free connection; default: that of all providers. */
        Optional<Duration> connectTimeout();

        /** Maximum number of connections, without those of event streams; default: that of all providers. */
        OptionalInt maxConnections();

        /** Name of a configuration in Quarkus's TLS registry for connections to the provider; default: the JVM's trust store. */
        Optional<String> tlsConfigurationName();

        /** Fallback policy while Redis is unavailable; default: {@code rate-limit.fallback}. */
        Optional<FallbackPolicy> fallback();

        /** API key for the provider, sent in place of the caller's Sluice key. */
        Optional<String> apiKey();

        /** {@code true}: callers may use provider keys of their own; the key's hash is then their identity. */
        @WithDefault("false")
        boolean passThrough();

        /**
         * Additional paths that may be called with Sluice's provider key, such as {@code /v1/images}, including all
         * subpaths.
         */
        Optional<List<String>> paths();

        /** Maximum output tokens that a call reserves for each choice, unless {@link #reserve} is {@code full}. */
        @WithDefault("4096")
        long maxReservedOutput();

        /** Output that is reserved for a call. */
        @WithDefault("capped")
        Reserve reserve();

        /** Prices by model, replacing or adding to the bundled ones. */
        Map<String, PriceConfig> prices();
    }
}
