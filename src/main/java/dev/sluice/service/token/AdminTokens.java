package dev.sluice.service.token;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import dev.sluice.directory.IdentityNames;
import dev.sluice.identity.Sha256;
import dev.sluice.service.config.ServiceConfig;

/** Admin tokens: that of {@code RATE_LIMIT_ADMIN_TOKEN}, and those with a scope. Keeps hashes only. Thread-safe. */
@ApplicationScoped
public class AdminTokens {

    private static final String PREFIX = "rate-limit.admin-tokens.";
    private static final String HIDDEN = "(not shown)";

    private final AdminTokenConfig config;
    /** Hash of the API token. */
    private final Optional<String> apiToken;
    /** Hash of the token of {@code RATE_LIMIT_ADMIN_TOKEN}. */
    private final Optional<String> adminToken;
    /** By the SHA-256 of the token, in lower-case hexadecimal. */
    private final Map<String, AdminAccess> byHash = new LinkedHashMap<>();

    AdminTokens(AdminTokenConfig config, ServiceConfig service) {
        this.config = config;
        this.apiToken = hash(service.apiToken());
        this.adminToken = hash(service.adminToken());
        adminToken.ifPresent(hash -> byHash.put(hash, AdminAccess.UNRESTRICTED));
        config.adminTokens().forEach((name, token) -> byHash.putIfAbsent(hash(token),
                new AdminAccess(name, token.scope(), team(token).orElse(null))));
    }

    private static Optional<String> hash(Optional<String> token) {
        return token.filter(text -> !text.isBlank()).map(text -> Sha256.hex(text.strip()));
    }

    private static String hash(AdminTokenConfig.AdminToken token) {
        return token.sha256().map(hash -> hash.strip().toLowerCase(Locale.ROOT)).orElse("");
    }

    private static Optional<String> team(AdminTokenConfig.AdminToken token) {
        return token.team().filter(team -> !team.isBlank()).map(String::strip);
    }

    void validate(@Observes ConfigProblems problems) {
        var hashes = new HashSet<String>();
        apiToken.ifPresent(hashes::add);
        adminToken.ifPresent(hashes::add);
        new TreeMap<>(config.adminTokens()).forEach((name, token) -> validate(problems, name, token, hashes));
    }

    private static void validate(ConfigProblems problems, String name, AdminTokenConfig.AdminToken token,
            HashSet<String> hashes) {
        var property = PREFIX + name;
        var hash = hash(token);
        if (!hash.matches("[0-9a-f]{64}")) {
            problems.add(property + ".sha256", hash.isEmpty() ? "" : HIDDEN,
                    (hash.isEmpty() ? "missing; " : "") + "must be the SHA-256 of the token, 64 hexadecimal digits");
        } else if (!hashes.add(hash)) {
            problems.add(property + ".sha256", HIDDEN,
                    "each token must have a hash of its own; another admin token or the API token has the same");
        }
        if (name.equals(AdminAccess.UNRESTRICTED_NAME) || !IdentityNames.isVisible(name)) {
            problems.add(property, HIDDEN, "the name of the token must have 1 to " + IdentityNames.MAX_LENGTH
                    + " visible characters, and not be " + AdminAccess.UNRESTRICTED_NAME);
        }
        team(token).filter(team -> !IdentityNames.isValid(team))
                .ifPresent(team -> problems.add(property + ".team", team, "the team " + IdentityNames.ALLOWED));
    }

    /** Returns whether no admin token is configured. */
    public boolean isEmpty() {
        return byHash.isEmpty();
    }

    /** Returns whether any token is configured, the API token included. */
    boolean hasTokens() {
        return !byHash.isEmpty() || apiToken.isPresent();
    }

    /** Returns whether a text is an admin token or the API token. */
    boolean isToken(String text) {
        if (!hasTokens()) {
            return false;
        }
        var hash = Sha256.hex(text);
        return byHash.containsKey(hash) || apiToken.isPresent() && apiToken.get().equals(hash);
    }

    /**
     * Returns what a token permits. Takes a time that does not depend on the token nor on which one it is.
     *
     * @return null if it is no admin token
     */
    public AdminAccess find(String token) {
        var hash = Sha256.hex(token).getBytes(StandardCharsets.US_ASCII);
        AdminAccess found = null;
        for (var entry : byHash.entrySet()) {
            if (MessageDigest.isEqual(entry.getKey().getBytes(StandardCharsets.US_ASCII), hash)) {
                found = entry.getValue();
            }
        }
        return found;
    }
}
