package dev.sluice.llm.protocol;

import java.util.List;
import java.util.regex.Pattern;

/**
 * LLM provider: one of the three whose names are those of their APIs, or one that the configuration adds
 * ({@code rate-limit.llm.<name>.type}).
 *
 * @param id name in settings, paths, resources and metrics: {@code openai}, {@code groq}
 * @param type the API that it has
 */
public record Provider(String id, ProviderType type) {

    public static final Provider OPENAI = new Provider("openai", ProviderType.OPENAI);
    public static final Provider ANTHROPIC = new Provider("anthropic", ProviderType.ANTHROPIC);
    public static final Provider GEMINI = new Provider("gemini", ProviderType.GEMINI);

    /** Providers that need no configuration of their type. */
    public static final List<Provider> BUILT_IN = List.of(OPENAI, ANTHROPIC, GEMINI);

    /** Names that a provider may have. */
    public static final Pattern ID = Pattern.compile("[a-z][a-z0-9-]{0,31}");

    /**
     * Returns the provider whose prices a list has under a name.
     *
     * @param id the name
     * @return one of {@link #BUILT_IN}, or else one with the API of OpenAI
     */
    public static Provider ofPriceList(String id) {
        for (var provider : BUILT_IN) {
            if (provider.id().equals(id)) {
                return provider;
            }
        }
        return new Provider(id, ProviderType.OPENAI);
    }

    /**
     * Returns whether the provider has an API.
     *
     * @param api the API
     * @return true if it is this provider's
     */
    public boolean is(ProviderType api) {
        return type == api;
    }

    /**
     * Returns the API version that is used without another one.
     *
     * @return the version, such as {@code /v1}
     */
    public String version() {
        return type.version();
    }

    /**
     * Returns the API version that a path begins with.
     *
     * @param path a path with a leading slash
     * @return the version, such as {@code /v1}; null if the path does not begin with one
     */
    public String version(String path) {
        return type.version(path);
    }
}
