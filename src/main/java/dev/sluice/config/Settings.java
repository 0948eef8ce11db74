package dev.sluice.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Table of all settings. It exists beside the {@code @ConfigMapping} interfaces because values are checked before these read them:
 * an invalid value is reported in Sluice's words, together with all other mistakes.
 */
final class Settings {

    /** Property, type, default ({@code -} for none), and the choices or the other variable ({@code $}). */
    private static final String TABLE = """
            rate-limit.enabled boolean true
            rate-limit.dry-run boolean false
            rate-limit.fallback choice local local|open|closed
            rate-limit.time-zone zone UTC
            rate-limit.timeout duration 100ms
            rate-limit.max-windows-per-identifier integer 1000
            rate-limit.exact-up-to integer 10000
            rate-limit.instances integer 1
            rate-limit.memory.max-size size 64M
            rate-limit.acquire.max-waiters integer 10000
            rate-limit.warm-up boolean false
            rate-limit.headers choice all all|standard|legacy|none
            rate-limit.tiers text free,pro,enterprise
            rate-limit.default text -
            rate-limit.defaults.<tier> text -
            rate-limit.built-in-defaults boolean false
            rate-limit.built-in-rules boolean false
            rate-limit.endpoints.<endpoint> text -
            rate-limit.endpoints.<endpoint>.<tier> text -
            rate-limit.endpoints.<endpoint>.concurrency.<tier> text -
            rate-limit.rules.<name> text -
            rate-limit.rules.<name>.<tier> text -
            rate-limit.rules.<name>.concurrency.<tier> text -
            rate-limit.exempt text -
            rate-limit.api-prefix text /api/v1
            rate-limit.paths.case-insensitive boolean false
            rate-limit.file text -
            rate-limit.api-keys.<id>.sha256 secret -
            rate-limit.api-keys.<id>.user text -
            rate-limit.api-keys.<id>.tier text -
            rate-limit.identities.enabled boolean false
            rate-limit.identities.cache-size integer 10000
            rate-limit.identities.max-staleness duration 60s
            rate-limit.alerts.url secret -
            rate-limit.alerts.secret secret -
            rate-limit.alerts.thresholds text 50,80,95,100
            rate-limit.alerts.insecure boolean false
            rate-limit.trusted-proxies text -
            rate-limit.identity-proxies text -
            rate-limit.forwarded-header choice auto auto|x-forwarded-for|forwarded
            rate-limit.forward-auth.trust-identity boolean false
            rate-limit.jwt.audience text -
            rate-limit.jwt.team-claim text team
            rate-limit.jwt.org-claim text org
            rate-limit.jwt.timeout duration 2s
            rate-limit.jwt.min-refresh-interval duration 30s
            rate-limit.admin-token secret -
            rate-limit.admin-tokens.<id>.sha256 secret -
            rate-limit.admin-tokens.<id>.scope choice read read|write
            rate-limit.admin-tokens.<id>.team text -
            rate-limit.api-token secret -
            rate-limit.console.enabled boolean true
            rate-limit.check.open boolean -
            rate-limit.check.rate text 600/minute
            rate-limit.check.max-total-window duration 35d
            rate-limit.method-override choice drop drop|allow
            rate-limit.cors.origins text -
            rate-limit.cors.credentials boolean false
            rate-limit.upstream.url text - $UPSTREAM_URL
            rate-limit.upstream.connect-timeout duration 2s
            rate-limit.upstream.timeout duration 60s
            rate-limit.upstream.queue-timeout duration 2s
            rate-limit.upstream.idle-timeout duration 60s
            rate-limit.upstream.event-stream-idle-timeout duration 10m
            rate-limit.upstream.websocket-idle-timeout duration 1h
            rate-limit.upstream.websocket-grace-period duration 1s
            rate-limit.upstream.max-connections integer 512
            rate-limit.upstream.max-streams integer 10000
            rate-limit.upstream.http2 boolean false
            rate-limit.upstream.tls-configuration-name text -
            rate-limit.connections.head-timeout duration 30s
            rate-limit.connections.body-timeout duration 30s
            rate-limit.connections.idle-timeout duration 11m
            rate-limit.connections.reader-timeout duration 2m
            rate-limit.redis.enabled boolean true $REDIS_ENABLED
            rate-limit.redis.host text localhost $REDIS_HOST
            rate-limit.redis.port text 6379 $REDIS_PORT
            rate-limit.redis.db text 0 $REDIS_DB
            rate-limit.redis.tls boolean false $REDIS_TLS
            rate-limit.redis.hosts secret - $REDIS_HOSTS
            rate-limit.redis.key-prefix text sluice
            rate-limit.redis.hash-key secret -
            rate-limit.redis.max-waiting integer 10000
            rate-limit.redis.sentinel-username text - $REDIS_SENTINEL_USERNAME
            rate-limit.redis.sentinel-password secret - $REDIS_SENTINEL_PASSWORD
            rate-limit.llm.<provider>.type choice - openai|anthropic|gemini
            rate-limit.llm.<provider>.api-key secret -
            rate-limit.llm.<provider>.base-url text -
            rate-limit.llm.<provider>.auth-header text -
            rate-limit.llm.<provider>.auth-prefix text -
            rate-limit.llm.<provider>.headers.<header> secret -
            rate-limit.llm.<provider>.query.<parameter> secret -
            rate-limit.llm.<provider>.ask-usage boolean true
            rate-limit.llm.<provider>.models text -
            rate-limit.llm.<provider>.aliases.<model> text -
            rate-limit.llm.<provider>.prices text -
            rate-limit.llm.<provider>.timeout duration -
            rate-limit.llm.<provider>.connect-timeout duration -
            rate-limit.llm.<provider>.max-connections integer -
            rate-limit.llm.<provider>.tls-configuration-name text -
            rate-limit.llm.<provider>.pass-through boolean false
            rate-limit.llm.<provider>.paths text -
            rate-limit.llm.<provider>.fallback choice - local|open|closed
            rate-limit.llm.<provider>.requests.<tier> text -
            rate-limit.llm.<provider>.tokens.<tier> text -
            rate-limit.llm.<provider>.input-tokens.<tier> text -
            rate-limit.llm.<provider>.output-tokens.<tier> text -
            rate-limit.llm.<provider>.budget.<tier> text -
            rate-limit.llm.<provider>.concurrency text -
            rate-limit.llm.<provider>.concurrency.<tier> text -
            rate-limit.llm.<provider>.output-estimate integer -
            rate-limit.llm.<provider>.max-reserved-output integer 4096
            rate-limit.llm.<provider>.reserve choice capped capped|full
            rate-limit.llm.<provider>.models.<model>.requests.<tier> text -
            rate-limit.llm.<provider>.models.<model>.tokens.<tier> text -
            rate-limit.llm.<provider>.models.<model>.input-tokens.<tier> text -
            rate-limit.llm.<provider>.models.<model>.output-tokens.<tier> text -
            rate-limit.llm.<provider>.models.<model>.budget.<tier> text -
            rate-limit.llm.<provider>.models.<model>.concurrency text -
            rate-limit.llm.<provider>.models.<model>.concurrency.<tier> text -
            rate-limit.llm.<provider>.models.<model>.output-estimate integer -
            rate-limit.llm.<provider>.prices.<model>.input text -
            rate-limit.llm.<provider>.prices.<model>.cached-input text -
            rate-limit.llm.<provider>.prices.<model>.cache-write text -
            rate-limit.llm.<provider>.prices.<model>.cache-write-1h text -
            rate-limit.llm.<provider>.prices.<model>.output text -
            rate-limit.llm.prices text -
            rate-limit.llm.prices.refresh duration 24h
            rate-limit.llm.<provider>.prices.<model>.per-image text -
            rate-limit.llm.<provider>.prices.<model>.per-million-characters text -
            rate-limit.llm.<provider>.prices.<model>.per-audio-minute text -
            rate-limit.llm.unpriced choice refuse refuse|allow
            rate-limit.llm.timeout duration 10m
            rate-limit.llm.connect-timeout duration 10s
            rate-limit.llm.max-connections integer 512
            rate-limit.llm.free-calls text 60/minute
            rate-limit.llm.free-calls.<tier> text -
            rate-limit.llm.unproven-keys text 60/minute
            rate-limit.llm.forwarded-headers text -
            rate-limit.llm.max-body-size size 32M
            rate-limit.llm.body-timeout duration 60s
            rate-limit.llm.drain-timeout duration 60s
            rate-limit.llm.ledger.buffer integer 100000
            rate-limit.llm.ledger.anonymous-identifiers integer 1000
            rate-limit.envoy.config text -
            rate-limit.grpc.port integer -
            rate-limit.grpc.tls-configuration-name text -
            rate-limit.access-log boolean false
            rate-limit.audit-log boolean true
            rate-limit.tracing switch false
            rate-limit.metrics.otlp switch false
            rate-limit.metrics.teams boolean false
            quarkus.redis.rate-limit.password secret - $REDIS_PASSWORD
            quarkus.redis.rate-limit.client-type choice standalone standalone|sentinel|cluster|replication$REDIS_CLIENT_TYPE
            quarkus.redis.rate-limit.master-name text mymaster $REDIS_MASTER_NAME
            quarkus.log.console.json.enabled boolean true $LOG_JSON
            smallrye.jwt.verify.secretkey secret -
            """;
    /** Providers that need no type; the settings of others have a placeholder for the name. */
    private static final List<String> PROVIDERS = List.of("openai", "anthropic", "gemini", "<provider>");
    private static final String PROVIDER = "<provider>";
    private static final Pattern LIST_ELEMENT = Pattern.compile("\\[[0-9]{1,4}]$");
    /** Only map keys whose characters are known: names of models and endpoints may contain any. */
    private static final Pattern KEY_OF_VARIABLE = Pattern.compile("<(?:tier|id|provider)>");

    private static final Map<String, Setting> BY_NAME = new HashMap<>();
    private static final List<Setting> WITH_PLACEHOLDER = new ArrayList<>();

    static {
        TABLE.lines().flatMap(Settings::parse).forEach(setting -> {
            if (setting.hasPlaceholder()) {
                WITH_PLACEHOLDER.add(setting);
            } else {
                BY_NAME.put(setting.name(), setting);
            }
        });
    }

    private Settings() {
    }

    private static Stream<Setting> parse(String row) {
        var cells = row.split("[ $]+");
        var rest = cells.length < 4 ? "" : cells[3];
        var choices = rest.indexOf('|') < 0 ? List.<String>of() : List.of(rest.split("\\|"));
        var alias = row.indexOf('$') < 0 ? null : row.substring(row.indexOf('$') + 1);
        var type = SettingType.valueOf(cells[1].toUpperCase(Locale.ROOT));
        var defaultValue = cells[2].equals("-") ? null : cells[2];
        var names = cells[0].contains(PROVIDER)
                ? PROVIDERS.stream().map(provider -> cells[0].replace(PROVIDER, provider))
                : Stream.of(cells[0]);
        return names.map(name -> new Setting(name, type, defaultValue, choices, alias));
    }

    /** Returns all settings; those of LLM providers once for each built-in provider, and once for all others. */
    static Stream<Setting> all() {
        return Stream.concat(BY_NAME.values().stream(), WITH_PLACEHOLDER.stream());
    }

    /** Returns the settings whose names contain no map key. */
    static Stream<Setting> fixed() {
        return BY_NAME.values().stream();
    }

    /** Returns the setting of a property, or of an element of a list ({@code name[0]}); null if there is none. */
    static Setting find(String name) {
        var setting = BY_NAME.get(name);
        if (setting != null || !name.startsWith(RulesDocument.PREFIX)) {
            return setting;
        }
        var property = LIST_ELEMENT.matcher(name).replaceFirst("");
        if (BY_NAME.containsKey(property)) {
            return BY_NAME.get(property);
        }
        for (var candidate : WITH_PLACEHOLDER) {
            if (candidate.pattern().matcher(property).matches()) {
                return candidate;
            }
        }
        return null;
    }

    /**
     * Returns the property that a variable with a map key sets: the tier that fits, otherwise the key in lower case, with hyphens for
     * underscores. SmallRye Config finds keys without underscores only.
     *
     * @param tiers the configured tiers
     * @param providers the configured providers
     */
    static Optional<String> ofVariable(String variable, List<String> tiers, Set<String> providers) {
        var names = WITH_PLACEHOLDER.stream().map(Setting::name).flatMap(name -> name.contains(PROVIDER)
                ? Stream.concat(providers.stream().map(provider -> name.replace(PROVIDER, provider)), Stream.of(name))
                : Stream.of(name)).toList();
        for (var setting : names) {
            var parts = KEY_OF_VARIABLE.split(setting, -1);
            if (parts.length != 2 || parts[0].indexOf('<') >= 0) {
                continue;
            }
            var prefix = Setting.variable(parts[0]);
            var suffix = Setting.variable(parts[1]);
            if (variable.length() > prefix.length() + suffix.length() && variable.startsWith(prefix)
                    && variable.endsWith(suffix)) {
                var key = variable.substring(prefix.length(), variable.length() - suffix.length());
                var name = tiers.stream().filter(tier -> parts[1].isEmpty() && Setting.variable(tier).equals(key)).findFirst()
                        .orElse(key.toLowerCase(Locale.ROOT).replace('_', '-'));
                return Optional.of(parts[0] + name + parts[1]);
            }
        }
        return Optional.empty();
    }

    /**
     * Returns the names of settings that a misspelt name may have meant.
     *
     * @param given the misspelt name, a property or a variable; text between two known parts is taken for a map key
     * @param separator the separator of its parts: {@code .} or {@code _}
     */
    static Set<String> candidates(String given, char separator) {
        boolean variable = separator == '_';
        var names = new LinkedHashSet<String>();
        all().forEach(setting -> {
            var name = variable ? setting.variable() : setting.name();
            int placeholder = name.indexOf('<');
            if (placeholder < 0) {
                names.add(name);
                if (variable && setting.alias() != null) {
                    names.add(setting.alias());
                }
            } else if (given.startsWith(name.substring(0, placeholder))) {
                int last = given.lastIndexOf(separator);
                var suffix = name.substring(name.indexOf('>') + 1);
                if (last > placeholder && suffix.indexOf('<') < 0 && !suffix.isEmpty()) {
                    names.add(given.substring(0, last) + suffix);
                }
            } else if (name.endsWith(">") && name.indexOf('<', placeholder + 1) < 0) {
                int last = given.lastIndexOf(separator);
                names.add(name.substring(0, placeholder) + given.substring(last + 1));
            }
        });
        return names;
    }
}
