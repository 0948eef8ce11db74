package dev.sluice.config;

import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

import jakarta.annotation.Priority;

import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.Expressions;

/**
 * Reads the values of Sluice's settings in front of the converters.
 * <ul>
 * <li>An invalid value is replaced by the default, so that {@link ConfigValidator} can report it with all other mistakes, and in
 * Sluice's words. The raw value is then the invalid text. An empty value stands for the default.
 * <li>Secrets from environment variables are taken literally: {@code $} begins no expression.
 * </ul>
 * Runs before expressions are expanded, whose priority is 3300.
 */
@Priority(3400)
public final class SettingInterceptor implements ConfigSourceInterceptor {

    private static final long serialVersionUID = 1;
    private static final String TIERS = "rate-limit.tiers";
    private static final Pattern TYPE_OF_PROVIDER = Pattern
            .compile("(?:rate-limit\\.llm\\.|RATE_LIMIT_LLM_)([a-z0-9-]+|[A-Z0-9_]+)[._](?:type|TYPE)");
    /** SmallRye JWT does not start with an empty setting. */
    private static final Pattern JWT_SETTING = Pattern.compile("(?:mp|smallrye)\\.jwt\\.");

    @Override
    public ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        var setting = Settings.find(name);
        var value = setting == null
                ? context.proceed(name)
                : setting.isSecret() ? readSecret(context, setting, name) : read(context, setting, name);
        return value != null && isBlank(value.getValue()) && JWT_SETTING.matcher(name).lookingAt() ? null : value;
    }

    /**
     * Adds the properties of variables whose map keys SmallRye Config does not recognize ({@link Settings#ofVariable}), and removes
     * empty ones with a map key: they count as not set.
     */
    @Override
    public Iterator<String> iterateNames(ConfigSourceInterceptorContext context) {
        var names = new LinkedHashSet<String>();
        context.iterateNames().forEachRemaining(names::add);
        var tiers = context.proceed(TIERS);
        var tierNames = tiers == null || tiers.getValue() == null
                ? List.<String>of()
                : List.of(tiers.getValue().split("[\\s,]+"));
        var providers = providers(names);
        var known = new HashSet<String>();
        names.stream().filter(name -> Settings.find(name) != null).forEach(name -> known.add(Setting.variableOf(name)));
        var found = names.stream().filter(name -> Settings.find(name) == null).map(Setting::variableOf)
                .filter(variable -> !known.contains(variable))
                .flatMap(variable -> Settings.ofVariable(variable, tierNames, providers).stream())
                .filter(name -> context.proceed(name) != null).toList();
        names.addAll(found);
        names.removeIf(name -> {
            var setting = Settings.find(name);
            var value = setting == null || !setting.hasPlaceholder() ? null : context.proceed(name);
            return value != null && isBlank(value.getValue());
        });
        return names.iterator();
    }

    /** Returns the names of the providers that have a type, by a property or a variable. */
    private static Set<String> providers(Set<String> names) {
        var providers = new HashSet<String>();
        for (var name : names) {
            var matcher = TYPE_OF_PROVIDER.matcher(name);
            if (matcher.matches()) {
                providers.add(matcher.group(1).toLowerCase(Locale.ROOT).replace('_', '-'));
            }
        }
        return providers;
    }

    private static boolean isBlank(String value) {
        return value != null && value.isBlank();
    }

    private static ConfigValue read(ConfigSourceInterceptorContext context, Setting setting, String name) {
        var configured = context.proceed(name);
        if (configured == null) {
            return null;
        }
        if (configured.hasProblems()) { // an expression that refers to nothing; the validator reports it
            return configured.from().withValue(setting.defaultValue()).noProblems().build();
        }
        var text = configured.getValue();
        if (text == null) {
            return configured;
        }
        if (setting.type() == SettingType.TEXT) {
            return text.isBlank() && setting.defaultValue() != null
                    ? configured.from().withValue(setting.defaultValue()).build()
                    : configured;
        }
        var value = text.isBlank() ? setting.defaultValue() : setting.normalize(text).orElse(setting.defaultValue());
        return configured.from().withRawValue(text).withValue(value).build();
    }

    private static ConfigValue readSecret(ConfigSourceInterceptorContext context, Setting setting, String name) {
        var raw = Expressions.withoutExpansion(() -> context.proceed(name));
        if (raw != null && isEnvironment(raw)) {
            return raw;
        }
        var alias = raw == null || setting.alias() == null ? null : setting.alias();
        if (alias != null && raw.getValue() != null && raw.getValue().startsWith("${" + alias)) {
            var variable = Expressions.withoutExpansion(() -> context.proceed(alias));
            if (variable != null && isEnvironment(variable)) {
                return variable.from().withName(name).build();
            }
        }
        return context.proceed(name);
    }

    /** Returns whether a value is from an environment variable or a {@code .env} file. */
    static boolean isEnvironment(ConfigValue value) {
        var source = value.getSourceName();
        return source != null && (source.startsWith(EnvConfigSource.NAME));
    }
}
