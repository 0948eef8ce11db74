package dev.sluice.identity;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import dev.sluice.config.ConfigNode;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;

/** Reads API keys, and tells what is wrong with them. */
final class ApiKeyConfigReader {

    private static final Set<String> KEYS = Set.of("sha256", "user", "tier");

    private record FileKey(String sha256, String user, Optional<String> tier) implements IdentityConfig.ApiKey {
    }

    private final ConfigProblems problems;

    ApiKeyConfigReader(ConfigProblems problems) {
        this.problems = problems;
    }

    /**
     * The keys by their hashes.
     *
     * @param configured by their ids; one of the same id in the file takes its place
     */
    Map<String, Identity> read(Map<String, IdentityConfig.ApiKey> configured, RulesDocument file) {
        var keys = new LinkedHashMap<>(configured);
        file.root().entries("api-keys", problems).forEach((id, part) -> keys.put(id, key(part)));
        var byHash = new HashMap<String, Identity>();
        keys.forEach((id, key) -> {
            check("rate-limit.api-keys." + id, key);
            var twice = byHash.put(key.sha256().strip().toLowerCase(Locale.ROOT),
                    Identity.user(key.user(), Identity.Source.API_KEY, key.tier().orElse(null)));
            if (twice != null) {
                problems.add("rate-limit.api-keys", "(not shown)", "a hash of its own for each key; two have the same");
            }
        });
        return Map.copyOf(byHash);
    }

    private IdentityConfig.ApiKey key(ConfigNode part) {
        part.allowKeys(KEYS, problems);
        return new FileKey(part.string("sha256", problems).orElse(""), part.string("user", problems).orElse(""),
                part.string("tier", problems));
    }

    private void check(String property, IdentityConfig.ApiKey key) {
        if (!key.sha256().strip().matches("[0-9a-fA-F]{64}")) {
            problems.add(property + ".sha256", "(not shown)", "the key's SHA-256, 64 hexadecimal digits");
        }
        if (key.user().isBlank()) {
            problems.add(property + ".user", key.user(), "a user's name");
        }
    }
}
