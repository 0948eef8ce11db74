package dev.sluice.testing;

import java.util.HashMap;
import java.util.Map;

import dev.sluice.identity.Sha256;
import io.quarkus.test.junit.QuarkusTestProfile;

/** Configures the admin token, one of each scope with and without a team, the API token, two API keys, a shadow rule, and rules that block a tier. */
public class IdentitiesProfile implements QuarkusTestProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<String, String>();
        settings.put("rate-limit.timeout", "10s"); // a slow machine is not an outage
        settings.put("rate-limit.admin-token", "admin-secret");
        settings.put("rate-limit.api-token", "api-secret");
        token(settings, "dashboard", "read", null);
        token(settings, "portal", "write", null);
        token(settings, "search-read", "read", "search");
        token(settings, "search-write", "write", "search");
        settings.put("rate-limit.api-keys.bob.sha256", Sha256.hex("key-of-bob"));
        settings.put("rate-limit.api-keys.bob.user", "bob");
        settings.put("rate-limit.api-keys.kim.sha256", Sha256.hex("key-of-kim"));
        settings.put("rate-limit.api-keys.kim.user", "kim");
        settings.put("rate-limit.api-keys.kim.tier", "pro");
        settings.put("rate-limit.endpoints.\"/shadowed\".free", "2/minute");
        settings.put("rate-limit.endpoints.\"/shadowed\".shadow", "true");
        settings.put("rate-limit.endpoints.\"/closed\".enterprise", "blocked");
        settings.put("rate-limit.endpoints.\"/closed-soon\".enterprise", "blocked");
        settings.put("rate-limit.endpoints.\"/closed-soon\".shadow", "true");
        return settings;
    }

    /** Configures the token {@code <name>-secret}. */
    private static void token(Map<String, String> settings, String name, String scope, String team) {
        var prefix = "rate-limit.admin-tokens." + name + '.';
        settings.put(prefix + "sha256", Sha256.hex(name + "-secret"));
        settings.put(prefix + "scope", scope);
        if (team != null) {
            settings.put(prefix + "team", team);
        }
    }
}
