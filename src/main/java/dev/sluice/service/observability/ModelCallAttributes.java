package dev.sluice.service.observability;

import dev.sluice.service.log.RequestRecord.ModelCall;
import dev.sluice.service.log.RequestRecord.ModelUsage;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;

/**
 * Attributes of a span that is a model call, by OpenTelemetry's conventions for generative AI, and the cost, for which they have none.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/">OpenTelemetry: GenAI spans</a>
 */
final class ModelCallAttributes {

    private static final AttributeKey<String> PROVIDER = AttributeKey.stringKey("gen_ai.provider.name");
    private static final AttributeKey<String> OPERATION = AttributeKey.stringKey("gen_ai.operation.name");
    private static final AttributeKey<String> REQUEST_MODEL = AttributeKey.stringKey("gen_ai.request.model");
    private static final AttributeKey<String> RESPONSE_MODEL = AttributeKey.stringKey("gen_ai.response.model");
    private static final AttributeKey<Long> INPUT_TOKENS = AttributeKey.longKey("gen_ai.usage.input_tokens");
    private static final AttributeKey<Long> OUTPUT_TOKENS = AttributeKey.longKey("gen_ai.usage.output_tokens");
    private static final AttributeKey<Double> COST = AttributeKey.doubleKey("sluice.cost_usd");
    private static final double PICODOLLARS_PER_DOLLAR = 1e12;

    private ModelCallAttributes() {
    }

    /** @param usage null if none was booked */
    static void set(Span span, ModelCall call, ModelUsage usage) {
        span.setAttribute(PROVIDER, call.provider()).setAttribute(OPERATION, call.operation());
        if (!call.model().isEmpty()) {
            span.setAttribute(REQUEST_MODEL, call.model());
        }
        if (usage == null) {
            return;
        }
        span.setAttribute(INPUT_TOKENS, usage.inputTokens()).setAttribute(OUTPUT_TOKENS, usage.outputTokens());
        if (usage.model() != null && !usage.model().isEmpty()) {
            span.setAttribute(RESPONSE_MODEL, usage.model());
        }
        if (usage.picodollars() >= 0) {
            span.setAttribute(COST, usage.picodollars() / PICODOLLARS_PER_DOLLAR);
        }
    }
}
