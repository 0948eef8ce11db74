package dev.sluice.service.api.identities.document;

import dev.sluice.directory.InvalidLimitsException;
import dev.sluice.directory.LimitsParser;
import dev.sluice.policy.EndpointNames;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.json.JsonObject;

/** Validates the fields {@code limits} and {@code member_limits}. */
final class LimitsCheck {

    private LimitsCheck() {
    }

    /**
     * Returns the limits if they are valid.
     *
     * @param pointer JSON pointer to them
     * @throws BadRequestException if they are not; it names the first problem
     */
    static JsonObject check(Object value, String pointer) {
        var limits = FieldValues.object(value, pointer);
        names(limits, "endpoints").fieldNames().forEach(name -> EndpointNames.problem(name).ifPresent(problem -> {
            throw BadRequestException.forField(place(pointer, "endpoints", name), problem);
        }));
        names(limits, "models").fieldNames().forEach(name -> FieldValues.model(name, place(pointer, "models", name)));
        try {
            LimitsParser.parse(limits);
            return limits;
        } catch (InvalidLimitsException e) {
            throw BadRequestException.forField(pointer + e.pointer(), e.getMessage());
        }
    }

    private static JsonObject names(JsonObject limits, String field) {
        return limits.getValue(field) instanceof JsonObject entries ? entries : new JsonObject();
    }

    private static String place(String pointer, String field, String name) {
        return JsonPointers.member(JsonPointers.member(pointer, field), name);
    }
}
