package dev.sluice.llm.protocol;

import java.util.regex.Pattern;

/**
 * Base URL of a provider's API, to which the paths of callers are appended.
 * <p>
 * Callers' paths begin with a version of the API's type. A base URL that ends with such a version, or has no version, gets that of
 * the caller: {@code https://api.groq.com/openai/v1} and {@code /v1/models}, {@code http://host} and {@code /v1/models}. One with
 * another version or a deployment in its path replaces it: {@code https://generativelanguage.googleapis.com/v1beta/openai} and
 * {@code /v1/models} are {@code …/v1beta/openai/models}.
 */
public final class ProviderBaseUrl {

    /** Version of an API, or a deployment of Azure's, in the middle of a path. */
    private static final Pattern FIXED_VERSION = Pattern.compile("/v[0-9][a-z0-9]*(?:/|$)|/deployments/");
    private static final String DEPLOYMENTS = "/openai/deployments/";
    private static final String OPENAI = "/openai";

    private final ProviderType type;
    /** Without the version that callers replace, and without a slash at the end. */
    private final String prefix;
    private final boolean replacesVersion;

    private ProviderBaseUrl(ProviderType type, String prefix, boolean replacesVersion) {
        this.type = type;
        this.prefix = prefix;
        this.replacesVersion = replacesVersion;
    }

    /**
     * Creates a base URL.
     *
     * @param type the type of the API
     * @param baseUrl a URL or its path, with or without a version
     * @return the base URL
     */
    public static ProviderBaseUrl of(ProviderType type, String baseUrl) {
        var prefix = type.withoutVersion(baseUrl.strip());
        int host = prefix.indexOf("://") + 3;
        int path = host < 3 ? 0 : prefix.indexOf('/', host);
        return new ProviderBaseUrl(type, prefix, path >= 0 && FIXED_VERSION.matcher(prefix.substring(path)).find());
    }

    /**
     * Returns the URL, or the path, of a request.
     *
     * @param path a path from the version on, or one of Azure's deployments ({@code /openai/deployments/…})
     * @return the path appended to this base URL
     */
    public String resolve(String path) {
        if (path.startsWith(DEPLOYMENTS)) {
            return (prefix.endsWith(OPENAI) ? prefix.substring(0, prefix.length() - OPENAI.length()) : prefix) + path;
        }
        var version = replacesVersion ? type.version(path) : null;
        return prefix + (version == null ? path : path.substring(version.length()));
    }
}
