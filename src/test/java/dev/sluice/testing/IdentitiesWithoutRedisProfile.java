package dev.sluice.testing;

import java.util.HashMap;
import java.util.Map;

/** The tokens of {@link IdentitiesProfile}, and no Redis. */
public class IdentitiesWithoutRedisProfile extends IdentitiesProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<>(super.getConfigOverrides());
        settings.put("rate-limit.redis.enabled", "false");
        return settings;
    }
}
