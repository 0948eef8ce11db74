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

/** Reads API keys from the configuration and the rules file, and reports problems. */
final class ApiKeyConfigReader {

    private static final Set<String> KEYS = Set.of("sha256", "user", "tier");

    private record FileKey(Optional<String> sha256, Optional<String> user,
            Optional<String> tier) implements IdentityConfig.ApiKey {
    }

    private final ConfigProblems problems;

    ApiKeyConfigReader(ConfigProblems problems) {
        this.problems = problems;
    }

    /**
     * Returns the identities of the keys, by the SHA-256 of the key in lower-case hexadecimal.
     *
     * @param configured keys of the configuration, by id; a key of the same id in the file replaces it
     * @param file the rules file
     */
    Map<String, Identity> read(Map<String, IdentityConfig.ApiKey> configured, RulesDocument file) {
        var keys = new LinkedHashMap<>(configured);
        file.root().entries("api-keys", problems).forEach((id, node) -> keys.put(id, readKey(node)));
        var byHash = new HashMap<String, Identity>();
        keys.forEach((id, key) -> {
            if (!isValid("rate-limit.api-keys." + id, key)) {
                return;
            }
            var duplicate = byHash.put(key.sha256().orElseThrow().strip().toLowerCase(Locale.ROOT),
                    Identity.user(key.user().orElseThrow(), Identity.Source.API_KEY, key.tier().orElse(null)));
            if (duplicate != null) {
                problems.add("rate-limit.api-keys", "(not shown)",
                        "each key must have a hash of its own; two keys have the same");
            }
        });
        return Map.copyOf(byHash);
    }

    private IdentityConfig.ApiKey readKey(ConfigNode node) {
        node.allowKeys(KEYS, problems);
        return new FileKey(node.string("sha256", problems), node.string("user", problems),
                node.string("tier", problems));
    }

    private boolean isValid(String property, IdentityConfig.ApiKey key) {
        var hash = key.sha256().map(String::strip).orElse("");
        boolean validHash = hash.matches("[0-9a-fA-F]{64}");
        if (!validHash) {
            problems.add(property + ".sha256", hash.isEmpty() ? "" : "(not shown)",
                    (hash.isEmpty() ? "missing; " : "") + "must be the SHA-256 of the key, 64 hexadecimal digits");
        }
        boolean validUser = key.user().filter(user -> !user.isBlank()).isPresent();
        if (!validUser) {
            problems.add(property + ".user", key.user().orElse(""), "missing; must be the name of a user");
        }
        return validHash && validUser;
    }
}
