package dev.sluice.service.edge;

import java.util.Locale;

import org.eclipse.microprofile.config.Config;

/** Order of the routes that decide: as early as possible, because each handler before them costs CPU time. */
public final class DecisionRouteOrder {

    /** After {@code RequestFramingGuard} (-1000), before the authentication handlers of Quarkus. */
    private static final int FIRST = -900;
    /** After Quarkus's CORS (-300), authentication (-200) and authorization (-100), before the gateways. */
    private static final int SECURED = -70;

    private DecisionRouteOrder() {
    }

    /** Returns the order: after CORS and HTTP authorization policies of Quarkus if the configuration enables any. */
    public static int of(Config config) {
        return isSecured(config) ? SECURED : FIRST;
    }

    private static boolean isSecured(Config config) {
        for (var name : config.getPropertyNames()) {
            if (name.toLowerCase(Locale.ROOT).replace('_', '.').startsWith("quarkus.http.auth.permission.")) {
                return true;
            }
        }
        // The property name is listed even if the property is not set.
        return config.getOptionalValue("quarkus.http.cors.enabled", Boolean.class).orElse(false);
    }
}
