package dev.sluice.llm.config;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.Config;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.Suggestions;
import dev.sluice.llm.protocol.Provider;

/**
 * The LLM providers that can be called: {@link Provider#BUILT_IN}, and those to which the configuration gives a type
 * ({@code rate-limit.llm.<name>.type}). Immutable and thread-safe.
 */
@ApplicationScoped
public class Providers {

    /** Price list whose models are all free of charge. */
    public static final String FREE = "free";

    /** Settings of all providers together, and the service's own paths. */
    private static final Set<String> RESERVED = Set.of("unpriced", "timeout", "connect-timeout", "max-connections",
            "max-body-size", "body-timeout", "drain-timeout", "forwarded-headers", "free-calls", "unproven-keys", "ledger",
            "prices", "v1", "q", "api", "connect", "body", "drain", FREE);
    private static final String PREFIX = "rate-limit.llm.";
    private static final Pattern HEADER_NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
    private static final Pattern HEADER_VALUE = Pattern.compile("[ -~]*");
    private static final String HEADER_VALUE_RULE = "visible ASCII characters and spaces";
    private static final Set<String> CONNECTION_HEADERS = Set.of("host", "connection", "content-length", "transfer-encoding",
            "content-encoding", "content-type", "accept-encoding", "te", "trailer", "upgrade", "expect", "keep-alive");

    /** Header, prefix of the key and query that each call of a provider gets, computed once. */
    private record Additions(String authHeader, String authPrefix, String query) {
    }

    private final Map<String, Provider> byId = new LinkedHashMap<>();
    private final Map<Provider, Additions> additions = new HashMap<>();
    private final LlmConfig config;

    /** @param config the configuration, without the rules file */
    public Providers(LlmConfig config) {
        this.config = config;
        Provider.BUILT_IN.forEach(provider -> byId.put(provider.id(), provider));
        new TreeMap<>(config.providers()).forEach((id, configured) -> {
            if (Provider.ID.matcher(id).matches() && !RESERVED.contains(id)) {
                configured.type().ifPresent(type -> byId.putIfAbsent(id, new Provider(id, type)));
            }
        });
        byId.values().forEach(provider -> additions.put(provider, additions(provider, config.of(provider))));
    }

    private static Additions additions(Provider provider, LlmConfig.ProviderConfig config) {
        var header = config.authHeader().map(String::strip).orElse(provider.type().authHeader());
        var bearer = header.equalsIgnoreCase("Authorization") ? "Bearer " : "";
        return new Additions(header, config.authPrefix().map(prefix -> endsInWord(prefix) ? prefix + ' ' : prefix)
                .orElse(bearer),
                new TreeMap<>(config.query()).entrySet().stream()
                        .map(parameter -> encode(parameter.getKey()) + '=' + encode(parameter.getValue()))
                        .collect(Collectors.joining("&")));
    }

    /**
     * Returns all providers.
     *
     * @return the providers, in a fixed order
     */
    public Collection<Provider> all() {
        return Collections.unmodifiableCollection(byId.values());
    }

    /**
     * Returns the provider with an id.
     *
     * @param id the provider's id; may be null
     * @return the provider; null if there is none
     */
    public Provider find(String id) {
        return byId.get(id);
    }

    /**
     * Returns the ids of all providers, for error messages.
     *
     * @return such as {@code openai, anthropic or gemini}
     */
    public String allowedIds() {
        var ids = byId.keySet().stream().toList();
        return String.join(", ", ids.subList(0, ids.size() - 1)) + " or " + ids.get(ids.size() - 1);
    }

    /**
     * Returns the configuration of a provider.
     *
     * @param provider one of {@link #all}
     * @return the configuration, without the rules file
     */
    public LlmConfig.ProviderConfig config(Provider provider) {
        return config.of(provider);
    }

    /**
     * Returns whether a provider may be called without a key: one that the configuration adds with a base URL without TLS, such as a
     * model server in the same network.
     *
     * @param provider one of {@link #all}
     * @return true if it needs no key
     */
    public boolean isKeyless(Provider provider) {
        return !Provider.BUILT_IN.contains(provider)
                && config(provider).baseUrl().filter(url -> url.strip().regionMatches(true, 0, "http:", 0, 5)).isPresent();
    }

    /**
     * Returns the header with the key for a provider.
     *
     * @param provider one of {@link #all}
     * @return the header's name
     */
    public String authHeader(Provider provider) {
        return additions.get(provider).authHeader();
    }

    /**
     * Returns the value of the header with the key for a provider.
     *
     * @param provider one of {@link #all}
     * @param key the key
     * @return the key with the prefix that the provider expects
     */
    public String authValue(Provider provider, String key) {
        return additions.get(provider).authPrefix() + key;
    }

    /**
     * Returns the query parameters that are added to each call of a provider.
     *
     * @param provider one of {@link #all}
     * @return the encoded parameters, joined by {@code &}; empty if there are none
     */
    public String query(Provider provider) {
        return additions.get(provider).query();
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static boolean endsInWord(String prefix) {
        return !prefix.isEmpty() && Character.isLetterOrDigit(prefix.charAt(prefix.length() - 1));
    }

    void validate(@Observes ConfigProblems problems, Config properties) {
        var names = Stream.concat(config.providers().keySet().stream(), configuredNames(properties))
                .filter(name -> !RESERVED.contains(name)).collect(Collectors.toSet());
        for (var name : names) {
            if (!Provider.ID.matcher(name).matches()) {
                problems.add(PREFIX + name, "(a provider)",
                        "a name of up to 32 lower-case letters, digits and hyphens that begins with a letter");
            } else if (!byId.containsKey(name) && properties.getConfigValue(PREFIX + name + ".type").getRawValue() == null) {
                problems.add(PREFIX + name + ".type", "",
                        "missing; a provider that is not " + allowedIds() + " needs a type: openai, anthropic or gemini"
                                + Suggestions.hint(name, byId.keySet()));
            }
        }
        for (var name : RESERVED) {
            var reserved = Optional.ofNullable(config.providers().get(name));
            reserved.flatMap(LlmConfig.ProviderConfig::type).ifPresent(
                    type -> problems.add(PREFIX + name + ".type", type.id(), "another name: " + name + " is reserved"));
        }
        for (var builtIn : Provider.BUILT_IN) {
            config(builtIn).type().filter(type -> type != builtIn.type()).ifPresent(
                    type -> problems.add(PREFIX + builtIn.id() + ".type", type.id(), builtIn.type().id()
                            + "; a provider with another type needs another name"));
        }
        byId.values().forEach(provider -> validate(provider, problems));
    }

    /** Returns the providers that have a setting, whatever it is. */
    private static Stream<String> configuredNames(Config properties) {
        return StreamSupport.stream(properties.getPropertyNames().spliterator(), false)
                .filter(name -> name.startsWith(PREFIX) && name.indexOf('.', PREFIX.length()) > 0)
                .map(name -> name.substring(PREFIX.length(), name.indexOf('.', PREFIX.length())));
    }

    private void validate(Provider provider, ConfigProblems problems) {
        var prefix = PREFIX + provider.id() + '.';
        var config = config(provider);
        config.authHeader().filter(name -> !HEADER_NAME.matcher(name.strip()).matches())
                .ifPresent(name -> problems.add(prefix + "auth-header", name, "the name of a header, such as api-key"));
        config.authPrefix().filter(text -> !HEADER_VALUE.matcher(text).matches())
                .ifPresent(text -> problems.add(prefix + "auth-prefix", "(not shown)", HEADER_VALUE_RULE));
        config.apiKey().filter(key -> !HEADER_VALUE.matcher(key.strip()).matches())
                .ifPresent(key -> problems.add(prefix + "api-key", "(not shown)", HEADER_VALUE_RULE));
        config.headers().forEach((name, value) -> {
            if (!HEADER_NAME.matcher(name).matches() || CONNECTION_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
                problems.add(prefix + "headers." + name, "(not shown)",
                        "the name of a header that does not belong to the connection or the body");
            } else if (!HEADER_VALUE.matcher(value).matches()) {
                problems.add(prefix + "headers." + name, "(not shown)", HEADER_VALUE_RULE);
            }
        });
        config.priceList().map(String::strip).filter(list -> !list.equals(FREE) && !byId.containsKey(list)).ifPresent(list -> {
            var hint = Suggestions.hint(list, Stream.concat(byId.keySet().stream(), Stream.of(FREE)).toList());
            if (!hint.isEmpty()) { // any other name may be that of a price list
                problems.add(prefix + "prices", list, "the name of a provider, or free" + hint);
            }
        });
    }
}
