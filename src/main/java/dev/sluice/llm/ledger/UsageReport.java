package dev.sluice.llm.ledger;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

import com.fasterxml.jackson.annotation.JsonValue;

import dev.sluice.identity.chain.ModelPattern;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Usage of one identifier by provider and model. */
@RegisterForReflection
public final class UsageReport {

    private final Map<String, Map<String, UsageTotals>> providers = new TreeMap<>();
    private final String identifier;
    private final int windowHours;

    UsageReport(String identifier, int windowHours) {
        this.identifier = identifier;
        this.windowHours = windowHours;
    }

    /** @param model name of the model, in any spelling: earlier versions have stored it as it was sent */
    void add(String provider, String model, UsageTotals totals) {
        providers.computeIfAbsent(provider, name -> new TreeMap<>()).merge(ModelPattern.normalize(model), totals,
                UsageTotals::plus);
    }

    /**
     * Returns the usage by provider id, then by model, both sorted.
     *
     * @return the usage
     */
    public Map<String, Map<String, UsageTotals>> providers() {
        return providers;
    }

    /**
     * Returns the JSON form: the fields of the response to {@code GET /v1/llm/usage}. Jackson uses it.
     *
     * @return {@code identifier}, {@code window_hours} and {@code providers}; each of these has the sum of its models, and
     *         {@code models}
     */
    @JsonValue
    public Map<String, Object> toMap() {
        var byProvider = new LinkedHashMap<String, Object>();
        providers.forEach((provider, models) -> {
            var byModel = new LinkedHashMap<String, Object>();
            models.forEach((model, totals) -> byModel.put(model, totals.toMap()));
            var sum = models.values().stream().reduce(UsageTotals.NONE, UsageTotals::plus).toMap();
            sum.put("window_hours", windowHours);
            sum.put("models", byModel);
            byProvider.put(provider, sum);
        });
        var fields = new LinkedHashMap<String, Object>();
        fields.put("identifier", identifier);
        fields.put("window_hours", windowHours);
        fields.put("providers", byProvider);
        return fields;
    }
}
