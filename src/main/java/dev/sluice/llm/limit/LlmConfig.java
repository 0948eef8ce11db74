package dev.sluice.llm.limit;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.llm.pricing.PriceConfig;
import dev.sluice.llm.protocol.Provider;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Calls of language models: their limits, where they go, what they cost. */
@ConfigMapping(prefix = "rate-limit.llm")
public interface LlmConfig {

    /** What happens under a budget to calls of a model without a price. */
    enum Unpriced {
        /** They are refused: nobody can say what they would take of the budget. */
        REFUSE,
        /** They pass, take nothing of the budget, and are counted as unpriced. */
        ALLOW
    }

    ProviderConfig openai();

    ProviderConfig anthropic();

    ProviderConfig gemini();

    /** What happens under a budget to calls of a model without a price. */
    @WithDefault("refuse")
    Unpriced unpriced();

    /** How long a provider may let a call wait for its answer to begin; for the next part of it, up to twice that. */
    @WithDefault("10m")
    Duration timeout();

    /** The longest that a connection to a provider may take to be made. */
    @WithDefault("10s")
    Duration connectTimeout();

    /** The most connections to one provider at one time. */
    @WithDefault("512")
    int maxConnections();

    /** The largest body of a call that the gateway takes; larger ones are answered with 413. */
    @WithDefault("32M")
    MemorySize maxBodySize();

    /** How long the body of a call may let wait before more of it has come: a kilobyte for each second of this. */
    @WithDefault("60s")
    Duration bodyTimeout();

    /** How long an answer whose caller has gone is read on for its usage; after that it is estimated. */
    @WithDefault("60s")
    Duration drainTimeout();

    default ProviderConfig of(Provider provider) {
        return switch (provider) {
            case OPENAI -> openai();
            case ANTHROPIC -> anthropic();
            case GEMINI -> gemini();
        };
    }

    interface LimitConfig {

        /** Calls: a rate per tier. */
        Map<String, String> requests();

        /** Tokens, input and output together: a rate per tier. */
        Map<String, String> tokens();

        /** US dollars: an amount per window and tier. */
        Map<String, String> budget();

        /** The output that is reserved for a call that sets no cap of its own, in tokens. */
        Optional<Long> outputEstimate();
    }

    interface ProviderConfig extends LimitConfig {

        /** Rows of single models, in place of the provider's. */
        Map<String, LimitConfig> models();

        /** Where calls go, with or without the version; the provider's own address where nothing is said. */
        Optional<String> baseUrl();

        /** What answers while Redis is out of reach; {@code rate-limit.fallback} where nothing is said. */
        Optional<FallbackPolicy> fallback();

        /** The key that Sluice adds in place of the caller's Sluice key. */
        Optional<String> apiKey();

        /** {@code true}: callers may bring a key of the provider's, whose hash is their identity. */
        @WithDefault("false")
        boolean passThrough();

        /** What more than the known paths may be called with Sluice's provider key: {@code /v1/images}, with all below it. */
        Optional<List<String>> paths();

        /** Prices by model, in place of those that come with Sluice, or besides them. */
        Map<String, PriceConfig> prices();
    }
}
