package dev.sluice.service.llm;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.protocol.DeploymentPath;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderOperation.Kind;

/** Paths that may be called with Sluice's key, beyond the operations that are limited by tokens. */
@ApplicationScoped
public class ProviderPaths {

    private static final Pattern PATH_ESCAPE = Pattern.compile(
            "(/|\\\\|%2f|%5c)((\\.|%2e){0,2}(/|\\\\|%2f|%5c)|(\\.|%2e){1,2}$)",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern ESCAPE = Pattern.compile("%([0-9A-Fa-f]{2})");
    /** Parameters of segments, spaces and control characters. */
    private static final Pattern IGNORED = Pattern.compile(";[^/]*|[\\x00-\\x20\\x7f]");

    private final LlmConfig settings;
    private final Providers providers;

    ProviderPaths(LlmConfig settings, Providers providers) {
        this.providers = providers;
        this.settings = settings;
    }

    void validate(@Observes ConfigProblems problems) {
        for (var provider : providers.all()) {
            for (var path : settings.of(provider).paths().orElse(List.of())) {
                if (!path.startsWith("/") || !plain(path)) {
                    problems.add("rate-limit.llm." + provider.id() + ".paths", path,
                            "paths such as /v1/images, separated by commas");
                }
            }
        }
    }

    /** Returns whether every server interprets the path in the same way. */
    private static boolean plain(String path) {
        return path.indexOf('%') < 0 && path.indexOf('\\') < 0 && path.indexOf(';') < 0 && !path.contains("//")
                && !path.contains("/.");
    }

    /** Returns whether normalization could turn the path into another one, possibly outside the provider's API. */
    public static boolean escapesPath(String path) {
        return !plain(path) && PATH_ESCAPE.matcher(path).find();
    }

    /** Returns whether a server that decodes or normalizes an unknown path could take it for that of a known operation. */
    static boolean spellsOperation(Provider provider, String method, String path) {
        var decoded = ESCAPE.matcher(path).replaceAll(
                escape -> Matcher.quoteReplacement(String.valueOf((char) Integer.parseInt(escape.group(1), 16))));
        decoded = IGNORED.matcher(decoded.replace('\\', '/')).replaceAll("");
        while (decoded.length() > 1 && decoded.endsWith("/")) {
            decoded = decoded.substring(0, decoded.length() - 1);
        }
        if (decoded.equals(path)) {
            return false;
        }
        var deployment = DeploymentPath.parse(provider, decoded);
        var operation = deployment == null
                ? ProviderOperation.of(provider, method, decoded)
                : deployment.operation(provider, method);
        return operation.kind() != Kind.UNKNOWN;
    }

    /** Returns whether an unknown path may be called with Sluice's key. */
    boolean isOpen(Provider provider, String path) {
        return plain(path) && settings.of(provider).paths().orElse(List.of()).stream()
                .anyMatch(open -> path.equals(open) || path.startsWith(open.endsWith("/") ? open : open + "/"));
    }
}
