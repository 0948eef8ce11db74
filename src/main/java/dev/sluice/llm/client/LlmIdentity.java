package dev.sluice.llm.client;

import org.jspecify.annotations.Nullable;

import dev.sluice.directory.cache.ResolvedCaller;
import dev.sluice.identity.Identity;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.protocol.InvalidRequestBodyException;
import dev.sluice.llm.protocol.LlmRequest;
import dev.sluice.llm.protocol.LlmRequestParser;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import io.vertx.core.buffer.Buffer;

/**
 * Identity and tier that an LLM call counts for.
 *
 * @param identifier the identity as stored, such as {@code user:alice}
 * @param tier null if unknown
 * @param chain the levels of the caller
 */
record LlmIdentity(String identifier, @Nullable String tier, IdentityChain chain) {

    /** Creates an identity without a chain. */
    LlmIdentity(String identifier, @Nullable String tier) {
        this(identifier, tier, IdentityChain.NONE);
    }

    static LlmIdentity user(String name, @Nullable String tier) {
        return new LlmIdentity(Identity.user(name, Identity.Source.PRINCIPAL, tier).identifier(), tier);
    }

    /** Returns this identity with the levels of the stored caller, and its tier if this one has none. */
    LlmIdentity withStored(ResolvedCaller caller) {
        return new LlmIdentity(identifier, tier == null ? caller.tier() : tier, caller.chain());
    }

    /**
     * Returns the name.
     *
     * @throws IllegalArgumentException if the name is null or blank
     */
    static String requireUser(@Nullable String name) {
        if (name == null || name.isBlank()) {
            throw new IllegalArgumentException("user must not be blank");
        }
        return name;
    }

    /** Returns this identity with another tier, or unchanged if that is null. */
    LlmIdentity withTier(String otherTier) {
        return otherTier == null ? this : new LlmIdentity(identifier, otherTier, chain);
    }

    /** Estimates a call from its parsed request. */
    LlmCallEstimate estimate(Provider provider, LlmRequest request) {
        return LlmCallEstimate.of(provider, identifier, tier, request).withChain(chain);
    }

    /**
     * Estimates a call from its body. A body that cannot be parsed is estimated by its size: the provider will reject it.
     *
     * @param body null if it is not known
     */
    LlmCallEstimate estimate(Provider provider, ProviderOperation operation, @Nullable Buffer body) {
        if (body == null) {
            return new LlmCallEstimate(provider, identifier, tier, operation.model(), 0, -1).withChain(chain);
        }
        try {
            return estimate(provider, LlmRequestParser.parse(provider, operation, body));
        } catch (InvalidRequestBodyException e) {
            return new LlmCallEstimate(provider, identifier, tier, operation.model(),
                    LlmCallEstimate.estimateTokens(body.length()),
                    -1).withChain(chain);
        }
    }
}
