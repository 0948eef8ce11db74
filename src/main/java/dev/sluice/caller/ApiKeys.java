package dev.sluice.caller;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.limit.SettingsProblems;

/** The configured API keys, by their hashes: the keys themselves are nowhere. */
@ApplicationScoped
public class ApiKeys {

    /** Where callers put a key. */
    public static final String HEADER = "X-API-Key";

    private final CallerSettings settings;
    private final Map<String, Identity> byHash = new HashMap<>();

    ApiKeys(CallerSettings settings) {
        this.settings = settings;
        settings.apiKeys().values().forEach(key -> byHash.put(key.sha256().strip().toLowerCase(Locale.ROOT),
                Identity.user(key.user(), Identity.Source.API_KEY, key.tier().orElse(null))));
    }

    /** Whether any is configured. */
    public boolean any() {
        return !byHash.isEmpty();
    }

    public int count() {
        return byHash.size();
    }

    /** Whose key this is; null where it is nobody's. */
    public Identity find(String key) {
        return byHash.isEmpty() ? null : byHash.get(Hashes.sha256(key));
    }

    void validate(@Observes SettingsProblems problems) {
        settings.apiKeys().forEach((id, key) -> {
            var property = "rate-limit.api-keys." + id;
            if (!key.sha256().strip().matches("[0-9a-fA-F]{64}")) {
                problems.add(property + ".sha256", "(not shown)", "the key's SHA-256, 64 hexadecimal digits");
            }
            if (key.user().isBlank()) {
                problems.add(property + ".user", key.user(), "a user's name");
            }
        });
        if (byHash.size() < settings.apiKeys().size()) {
            problems.add("rate-limit.api-keys", "(not shown)", "a hash of its own for each key; two have the same");
        }
    }
}
