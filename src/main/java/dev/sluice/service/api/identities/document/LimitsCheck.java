package dev.sluice.service.api.identities.document;

import java.util.HashSet;

import dev.sluice.directory.InvalidLimitsException;
import dev.sluice.directory.LimitsParser;
import dev.sluice.identity.chain.ModelPattern;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.EndpointNames;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.json.JsonObject;

/** Validates the fields {@code limits} and {@code member_limits}. */
final class LimitsCheck {

    private final CurrentPolicy policy;

    LimitsCheck(CurrentPolicy policy) {
        this.policy = policy;
    }

    /**
     * Returns the limits if they are valid.
     *
     * @param pointer JSON pointer to them
     * @throws BadRequestException if they are not; it names the first problem
     */
    JsonObject check(Object value, String pointer) {
        var limits = FieldValues.object(value, pointer);
        names(limits, "endpoints").fieldNames().forEach(name -> EndpointNames.problem(name).ifPresent(problem -> {
            throw BadRequestException.forField(place(pointer, "endpoints", name), problem);
        }));
        names(limits, "models").fieldNames().forEach(name -> FieldValues.model(name, place(pointer, "models", name)));
        requireDifferent(limits, pointer);
        try {
            LimitsParser.parse(limits);
            return limits;
        } catch (InvalidLimitsException e) {
            throw BadRequestException.forField(pointer + e.pointer(), e.getMessage());
        }
    }

    /** Of two spellings of one endpoint or model, only one could hold. */
    private void requireDifferent(JsonObject limits, String pointer) {
        policy.repeatedEndpoint(names(limits, "endpoints").fieldNames()).ifPresent(name -> {
            throw BadRequestException.forField(place(pointer, "endpoints", name),
                    "is the same endpoint as another one, up to the API prefix, slashes and names of {segments}");
        });
        var models = new HashSet<String>();
        for (var name : names(limits, "models").fieldNames()) {
            if (!models.add(ModelPattern.normalize(name))) {
                throw BadRequestException.forField(place(pointer, "models", name),
                        "is the same model as another one; case makes no difference");
            }
        }
    }

    private static JsonObject names(JsonObject limits, String field) {
        return limits.getValue(field) instanceof JsonObject entries ? entries : new JsonObject();
    }

    private static String place(String pointer, String field, String name) {
        return JsonPointers.member(JsonPointers.member(pointer, field), name);
    }
}
