package dev.sluice.service.api.identities.document;

import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.directory.IdentityKind;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.service.alerts.AlertUrls;
import dev.sluice.service.alerts.AlertsConfig;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.json.JsonObject;

/** Validates the documents of identities. */
@ApplicationScoped
public class DocumentValidator {

    private final CurrentPolicy policy;
    private final AlertUrls alertUrls;
    private final LimitsCheck limitsCheck;

    DocumentValidator(CurrentPolicy policy, AlertsConfig alerts) {
        this.policy = policy;
        this.limitsCheck = new LimitsCheck(policy);
        this.alertUrls = new AlertUrls(alerts.insecure());
    }

    /**
     * Returns the fields of a request to create or replace an identity, as they are stored.
     *
     * @throws BadRequestException if one is not valid
     */
    public JsonObject create(IdentityKind kind, JsonObject request) {
        return patch(kind, new JsonObject(), request);
    }

    /**
     * Returns the fields of a document after a merge patch, as they are stored. Fields that the patch does not change are not
     * validated again: a key must be revocable although its tier has been removed from the settings.
     *
     * @param document document before; not changed
     * @throws BadRequestException if a field of the patch is not valid
     */
    public JsonObject patch(IdentityKind kind, JsonObject document, JsonObject patch) {
        DocumentFields.requireWritable(kind, patch);
        var merged = MergePatch.apply(document, patch);
        var result = new JsonObject();
        for (var field : DocumentFields.writable(kind)) {
            var value = merged.getValue(field);
            if (value != null) {
                result.put(field, value.equals(document.getValue(field)) ? value : valid(kind, field, value));
            }
        }
        return result;
    }

    private Object valid(IdentityKind kind, String field, Object value) {
        var pointer = JsonPointers.member("", field);
        return switch (field) {
            case "name" -> FieldValues.label(value, pointer);
            case "user", "team", "org" -> FieldValues.name(value, pointer);
            case "tier" -> tier(value, pointer);
            case "teams" -> FieldValues.teams(value, pointer);
            case "expires_at" -> FieldValues.instant(value, pointer);
            case "models" -> FieldValues.models(value, pointer);
            case "limits", "member_limits" -> limitsCheck.check(value, pointer);
            case "metadata" -> FieldValues.metadata(value, pointer);
            case "disabled" -> FieldValues.bool(value, pointer);
            case "alerts" -> FieldValues.alerts(value, pointer, alertUrls);
            default -> throw new IllegalStateException(kind + " has no field " + field);
        };
    }

    private String tier(Object value, String pointer) {
        List<String> tiers = policy.tiers();
        if (value instanceof String tier && tiers.contains(tier)) {
            return tier;
        }
        throw BadRequestException.forField(pointer, "tier must be one of " + String.join(", ", tiers));
    }
}
