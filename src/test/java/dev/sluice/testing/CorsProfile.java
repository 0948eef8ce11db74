package dev.sluice.testing;

import java.util.HashMap;
import java.util.Map;

/** The profile of the gateway, with origins that may read responses. */
public class CorsProfile extends GatewayProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<>(super.getConfigOverrides());
        settings.put("rate-limit.cors.origins", "https://app.example,https://*.dev.example:8443,http://localhost:3000");
        settings.put("rate-limit.admin-token", "admin-secret");
        return settings;
    }
}
