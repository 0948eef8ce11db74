package dev.sluice.config;

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
    private static final String DOT_ENV = ".env";

    @Override
    public ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        var setting = Settings.find(name);
        if (setting == null) {
            return context.proceed(name);
        }
        return setting.isSecret() ? readSecret(context, setting, name) : read(context, setting, name);
    }

    private static ConfigValue read(ConfigSourceInterceptorContext context, Setting setting, String name) {
        var configured = context.proceed(name);
        if (configured == null || setting.type() == SettingType.TEXT || configured.getValue() == null) {
            return configured;
        }
        var text = configured.getValue();
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

    private static boolean isEnvironment(ConfigValue value) {
        var source = value.getSourceName();
        return source != null && (source.equals(EnvConfigSource.NAME) || source.contains(DOT_ENV));
    }
}
