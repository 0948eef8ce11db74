package dev.sluice.llm.client;

import dev.sluice.caller.Identity;
import dev.sluice.llm.LlmAsk;
import dev.sluice.llm.wire.LlmRequest;
import dev.sluice.llm.wire.Operation;
import dev.sluice.llm.wire.Provider;
import dev.sluice.llm.wire.RequestReader;
import dev.sluice.llm.wire.UnreadableRequestException;
import io.vertx.core.buffer.Buffer;

/**
 * On whose behalf a model is called.
 *
 * @param identifier as it is stored
 * @param tier null where nobody has said
 */
record ModelCaller(String identifier, String tier) {

    static ModelCaller user(String name, String tier) {
        return new ModelCaller(Identity.user(name, Identity.Source.PRINCIPAL, tier).identifier(), tier);
    }

    /** @throws IllegalArgumentException where it is no user's name */
    static String requireUser(String name) {
        if (name == null || name.isBlank()) {
            throw new IllegalArgumentException("user must not be blank");
        }
        return name;
    }

    /** The same with another tier, where one is said. */
    ModelCaller in(String other) {
        return other == null ? this : new ModelCaller(identifier, other);
    }

    LlmAsk ask(Provider provider, LlmRequest request) {
        long output = request.outputCap() < 0 ? -1 : request.outputCap() * request.choices();
        return new LlmAsk(provider, identifier, tier, request.model(), request.inputEstimate(), output);
    }

    /**
     * Of whatever body it is: what cannot be read, the provider will refuse.
     *
     * @param body null where it is not known
     */
    LlmAsk ask(Provider provider, Operation operation, Buffer body) {
        if (body == null) {
            return new LlmAsk(provider, identifier, tier, operation.model(), 0, -1);
        }
        try {
            return ask(provider, RequestReader.read(provider, operation, body));
        } catch (UnreadableRequestException e) {
            return new LlmAsk(provider, identifier, tier, operation.model(), LlmAsk.tokens(body.length()), -1);
        }
    }
}
