package dev.sluice.service.auth;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.Config;

import dev.sluice.config.ConfigProblems;
import dev.sluice.service.config.ServiceConfig;
import io.smallrye.jwt.util.ResourceUtils;

/** Settings of the keys that verify JWTs: whether there are any, and their validation at start. */
@Singleton
class JwtKeySettings {

    private static final String KEY = "mp.jwt.verify.publickey";
    private static final String SECRET = "smallrye.jwt.verify.secretkey";
    private static final String SECRET_ALGORITHM = "smallrye.jwt.verify.algorithm";
    private static final String ALGORITHM = "mp.jwt.verify.publickey.algorithm";
    private static final String KEY_STORE = "smallrye.jwt.keystore.verify.key.alias";
    private static final List<String> LOCATIONS = List.of("mp.jwt.verify.publickey.location",
            "smallrye.jwt.verify.key.location");
    private static final Pattern URL = Pattern.compile("https?:", Pattern.CASE_INSENSITIVE);
    private static final Duration MAX_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration MIN_INTERVAL = Duration.ofSeconds(1);
    private static final Duration MAX_INTERVAL = Duration.ofDays(1);

    private final Config config;
    private final ServiceConfig.Jwt settings;

    JwtKeySettings(Config config, ServiceConfig settings) {
        this.config = config;
        this.settings = settings.jwt();
    }

    /** Returns whether a key is configured: otherwise JWTs are not verified. */
    boolean configured() {
        return value(KEY).isPresent() || value(SECRET).isPresent() || value(KEY_STORE).isPresent()
                || LOCATIONS.stream().anyMatch(location -> value(location).isPresent());
    }

    private Optional<String> value(String property) {
        return config.getOptionalValue(property, String.class).filter(value -> !"NONE".equals(value));
    }

    void validate(@Observes ConfigProblems problems) {
        problems.checkDuration("rate-limit.jwt.timeout", settings.timeout(), MAX_TIMEOUT, "a duration from 1ms to 1m");
        if (settings.minRefreshInterval().compareTo(MIN_INTERVAL) < 0
                || settings.minRefreshInterval().compareTo(MAX_INTERVAL) > 0) {
            problems.add("rate-limit.jwt.min-refresh-interval", settings.minRefreshInterval().toString(),
                    "a duration from 1s to 1d");
        }
        LOCATIONS.forEach(property -> value(property).map(String::strip).ifPresent(
                location -> validateLocation(problems, property, location)));
        value(KEY).filter(key -> !KeyContent.isReadable(key)).ifPresent(key -> problems.add(KEY, "(not shown)",
                "a public key (RSA or EC): PEM, base64, certificate, JWK or JWK set"));
        value(SECRET).ifPresent(secret -> validateSecret(problems, secret));
        if (config.getOptionalValue("smallrye.jwt.resolve-remote-keys-at-startup", Boolean.class).orElse(false)) {
            problems.add("smallrye.jwt.resolve-remote-keys-at-startup", "true",
                    "not supported: Sluice fetches keys at start and again when they expire");
        }
    }

    private static void validateLocation(ConfigProblems problems, String property, String location) {
        if (URL.matcher(location).lookingAt()) {
            if (!isUrl(location)) {
                problems.add(property, "(not shown)",
                        "an http(s) URL with a host, such as https://login.example.com/jwks, with the"
                                + " scheme in lower case");
            }
            return;
        }
        try {
            var content = ResourceUtils.readResource(location);
            if (content == null) {
                problems.add(property, location, "a file, a resource or an http(s) URL; not found");
            } else if (!KeyContent.isReadable(content)) {
                problems.add(property, location,
                        "a file with a public key (RSA or EC): PEM, base64, certificate, JWK or JWK set");
            }
        } catch (IOException e) {
            problems.add(property, location, "a file, a resource or an http(s) URL; it cannot be read");
        }
    }

    private static boolean isUrl(String location) {
        try {
            var url = URI.create(location);
            return url.getHost() != null && ("http".equals(url.getScheme()) || "https".equals(url.getScheme()));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private void validateSecret(ConfigProblems problems, String secret) {
        if (!KeyContent.isJwk(secret) && !KeyContent.isJwk(decoded(secret))) {
            problems.add(SECRET, "(not shown)",
                    "the secret as a JWK: {\"kty\":\"oct\",\"k\":\"...\"}, k being the bytes of the secret in base64url");
        }
        var algorithm = value(SECRET_ALGORITHM).or(() -> value(ALGORITHM)).orElse("RS256");
        if (!algorithm.startsWith("HS")) {
            problems.add(SECRET_ALGORITHM, algorithm, "HS256, HS384 or HS512, because " + SECRET + " is set");
        }
    }

    private static String decoded(String secret) {
        try {
            return new String(Base64.getUrlDecoder().decode(secret), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }
}
