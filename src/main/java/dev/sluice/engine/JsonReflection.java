package dev.sluice.engine;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.Quota;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.Rate;
import dev.sluice.api.WindowUsage;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Registers the public types that have a JSON form for reflection in a native executable: Jackson looks for their annotation. */
@RegisterForReflection(targets = {Decision.class, DecisionMode.class, Quota.class, QuotaStatus.class, Rate.class,
        WindowUsage.class})
final class JsonReflection {

    private JsonReflection() {
    }
}
