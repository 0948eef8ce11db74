package dev.sluice.service.llm;

import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.limit.BookedCall;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderOperation.Kind;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.ProviderType;
import dev.sluice.service.log.RequestRecord;
import dev.sluice.service.log.RequestRecord.ModelCall;
import dev.sluice.service.log.RequestRecord.ModelUsage;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;

/**
 * Adds to the record of a request, if there is one, which model was called and what it has used. The names of providers and
 * operations are those of OpenTelemetry.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/">OpenTelemetry: attributes of GenAI</a>
 */
final class CallRecorder {

    private static final String MODELS = "/models/";
    private static final String ANY_MODEL = MODELS + "{model}";

    private static final CallRecorder NONE = new CallRecorder(null, null);

    /** Null if requests are not recorded. */
    private final RequestRecord record;
    private final Provider provider;

    private CallRecorder(RequestRecord record, Provider provider) {
        this.record = record;
        this.provider = provider;
    }

    /**
     * Returns the recorder of a request, whose route it sets.
     *
     * @param path the path from the version on
     */
    static CallRecorder of(RoutingContext context, Provider provider, ProviderOperation operation, String path) {
        var record = RequestRecord.of(context);
        if (record == null) {
            return NONE;
        }
        record.setRoute('/' + provider.id() + route(provider, operation, path));
        return new CallRecorder(record, provider);
    }

    /** Returns the path with its variable parts replaced; the paths that are not known are one route. */
    static String route(Provider provider, ProviderOperation operation, String path) {
        if (operation.kind() == Kind.UNKNOWN) {
            return "/{path}";
        }
        if (operation.kind() == Kind.STORED) {
            return path.replace(ProviderOperation.storedResponse(path), "{id}");
        }
        int models = path.indexOf(MODELS);
        if (models < 0) {
            return path;
        }
        int action = provider.is(ProviderType.GEMINI) ? path.indexOf(':', models) : -1;
        return path.substring(0, models) + ANY_MODEL + (action < 0 ? "" : path.substring(action));
    }

    /** Records the call. Must be called when its model is known. */
    void onCall(ProviderOperation operation) {
        if (record != null && operation.kind() == Kind.CALL) {
            record.onModelCall(new ModelCall(providerName(provider), operationName(operation.shape()), operation.model()));
        }
    }

    /**
     * Records the usage when the call is settled, which may be after the end of the request.
     *
     * @param call null if the call is not counted
     * @return the same future
     */
    Future<Void> onSent(AdmittedCall call, Future<Void> settled) {
        if (record == null) {
            return settled;
        }
        record.onModelCallSent();
        return settled.onComplete(ended -> record.onModelCallEnd(call == null ? null : usage(call.settlement())));
    }

    private static ModelUsage usage(BookedCall settlement) {
        return settlement == null
                ? null
                : new ModelUsage(settlement.responseModel(), settlement.usage().input(), settlement.usage().output(),
                        settlement.picodollars());
    }

    private static String providerName(Provider provider) {
        return provider.is(ProviderType.GEMINI) ? "gcp.gemini" : provider.id();
    }

    private static String operationName(Shape shape) {
        return switch (shape) {
            case COMPLETION -> "text_completion";
            case IMAGES, PREDICT -> "image_generation";
            case SPEECH -> "speech";
            case TRANSCRIPTION -> "transcription";
            case EMBEDDINGS, OPENAI_EMBEDDINGS -> "embeddings";
            case GENERATE -> "generate_content";
            default -> "chat";
        };
    }
}
