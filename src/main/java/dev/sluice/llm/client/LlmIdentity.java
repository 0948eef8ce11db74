package dev.sluice.llm.client;

import org.jspecify.annotations.Nullable;

import dev.sluice.identity.Identity;
import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.protocol.InvalidRequestBodyException;
import dev.sluice.llm.protocol.LlmRequest;
import dev.sluice.llm.protocol.LlmRequestParser;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import io.vertx.core.buffer.Buffer;

/**
 * On whose behalf a model is called.
 *
 * @param identifier as it is stored
 * @param tier null where nobody has said
 */
record LlmIdentity(String identifier, @Nullable String tier) {

    static LlmIdentity user(String name, @Nullable String tier) {
        return new LlmIdentity(Identity.user(name, Identity.Source.PRINCIPAL, tier).identifier(), tier);
    }

    /** @throws IllegalArgumentException where it is no user's name */
    static String requireUser(@Nullable String name) {
        if (name == null || name.isBlank()) {
            throw new IllegalArgumentException("user must not be blank");
        }
        return name;
    }

    /** The same with another tier, where one is said. */
    LlmIdentity in(@Nullable String other) {
        return other == null ? this : new LlmIdentity(identifier, other);
    }

    LlmCallEstimate ask(Provider provider, LlmRequest request) {
        long output = request.outputCap() < 0 ? -1 : request.outputCap() * request.choices();
        return new LlmCallEstimate(provider, identifier, tier, request.model(), request.inputEstimate(), output);
    }

    /**
     * Of whatever body it is: what cannot be read, the provider will refuse.
     *
     * @param body null where it is not known
     */
    LlmCallEstimate ask(Provider provider, ProviderOperation operation, @Nullable Buffer body) {
        if (body == null) {
            return new LlmCallEstimate(provider, identifier, tier, operation.model(), 0, -1);
        }
        try {
            return ask(provider, LlmRequestParser.read(provider, operation, body));
        } catch (InvalidRequestBodyException e) {
            return new LlmCallEstimate(provider, identifier, tier, operation.model(), LlmCallEstimate.tokens(body.length()),
                    -1);
        }
    }
}
