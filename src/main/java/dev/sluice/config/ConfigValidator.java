package dev.sluice.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.Config;
import org.jboss.logging.Logger;

import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.Expressions;
import io.smallrye.config.SmallRyeConfig;

/** Collects the problems of all settings at start, and aborts the start if there are any. */
@ApplicationScoped
public class ConfigValidator {

    /** System property: the start ends when the configuration has been checked. */
    public static final String CHECK_ONLY = "sluice.check-only";

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Event<ConfigProblems> problemsEvent;
    private final SmallRyeConfig config;

    ConfigValidator(Event<ConfigProblems> problemsEvent, Config config) {
        this.problemsEvent = problemsEvent;
        this.config = config.unwrap(SmallRyeConfig.class);
    }

    /**
     * @throws ConfigurationException if there are problems
     * @throws ConfigurationChecked if there are none, and only a check was requested
     */
    void validate(@Observes @Priority(1) StartupEvent started) {
        var environment = environment(config);
        var problems = new ConfigProblems();
        var warnings = new ArrayList<String>();
        check(config, environment, problems, warnings);
        problemsEvent.fire(problems);
        warnings.forEach(LOG::warn);
        if (!problems.lines().isEmpty()) {
            throw new ConfigurationException("Invalid configuration; Sluice does not start:\n  "
                    + String.join("\n  ", problems.lines(new SettingSource(config, environment))));
        }
        if (Boolean.getBoolean(CHECK_ONLY)) {
            throw new ConfigurationChecked("The configuration is valid" + (warnings.isEmpty() ? "" : ", with warnings"));
        }
    }

    private static void check(SmallRyeConfig config, Map<String, String> environment, ConfigProblems problems,
            List<String> warnings) {
        var source = new SettingSource(config, environment);
        checkValues(config, source, problems, warnings);
        DotEnvFile.check(config, problems);
        var properties = new LinkedHashSet<String>();
        config.getPropertyNames().forEach(properties::add);
        var inFiles = new HashSet<String>();
        for (var configSource : config.getConfigSources()) {
            if (!(configSource instanceof EnvConfigSource)) {
                configSource.getPropertyNames().forEach(name -> inFiles.add(name.replaceFirst("^%[^.]*\\.", "")));
            }
        }
        new UnknownSettings(properties, inFiles, environment, isService(config), source).check(problems, warnings);
    }

    /**
     * Checks the values of all settings by their types, and finds unknown settings.
     *
     * @param warnings receives the warnings
     * @return the problems
     */
    static List<String> problems(SmallRyeConfig config, Map<String, String> environment, List<String> warnings) {
        var problems = new ConfigProblems();
        check(config, environment, problems, warnings);
        return problems.lines(new SettingSource(config, environment));
    }

    /** Reports an expression that refers to a setting or variable that is not set: it would count as not set itself. */
    private static boolean isUnresolved(SmallRyeConfig config, Setting setting, String name, ConfigProblems problems) {
        var places = setting.alias() == null ? List.of(name) : List.of(name, setting.alias());
        for (var place : places) {
            var raw = Expressions.withoutExpansion(() -> config.getConfigValue(place));
            if (raw.getRawValue() == null || setting.isSecret() && SettingInterceptor.isEnvironment(raw)) {
                continue;
            }
            var missing = missingReference(config, raw.getRawValue());
            if (missing.isPresent()) {
                var reference = missing.get();
                problems.add(place, "${" + reference + '}',
                        reference + " is not set; set it, or give a default: ${" + reference + ":...}");
                return true;
            }
        }
        return false;
    }

    /** Returns the first name in an expression that has neither a value nor a default, except in a default that is not used. */
    private static Optional<String> missingReference(SmallRyeConfig config, String expression) {
        for (int start = expression.indexOf("${"); start >= 0; start = expression.indexOf("${", start + 1)) {
            if (start > 0 && (expression.charAt(start - 1) == '$' || expression.charAt(start - 1) == '\\')) {
                continue;
            }
            int end = endOfExpression(expression, start + 2);
            var content = expression.substring(start + 2, end);
            int colon = content.indexOf(':');
            var name = colon < 0 ? content : content.substring(0, colon);
            boolean isName = !name.isEmpty() && name.indexOf('$') < 0 && end < expression.length();
            if (isName && config.getConfigValue(name).getValue() == null) {
                var missing = colon < 0 ? Optional.of(name) : missingReference(config, content.substring(colon + 1));
                if (missing.isPresent()) {
                    return missing;
                }
            }
            start = end - 1;
        }
        return Optional.empty();
    }

    /** Returns the index of the brace that ends an expression; the length of the text if there is none. */
    private static int endOfExpression(String text, int start) {
        int depth = 1;
        for (int i = start; i < text.length(); i++) {
            depth += text.charAt(i) == '{' ? 1 : text.charAt(i) == '}' ? -1 : 0;
            if (depth == 0) {
                return i;
            }
        }
        return text.length();
    }

    /** Returns whether the variables of the service are in force: its {@code application.properties} refers to them. */
    private static boolean isService(SmallRyeConfig config) {
        return Settings.fixed().filter(setting -> setting.alias() != null).anyMatch(setting -> {
            var raw = Expressions.withoutExpansion(() -> config.getConfigValue(setting.name())).getRawValue();
            return raw != null && raw.startsWith("${" + setting.alias());
        });
    }

    /** Returns the variables of the process, and those of {@code .env} files that they do not hide. */
    static Map<String, String> environment(SmallRyeConfig config) {
        var environment = new HashMap<String, String>();
        for (var source : config.getConfigSources()) { // the strongest first
            if (source instanceof EnvConfigSource variables) {
                variables.getProperties().forEach(environment::putIfAbsent);
            }
        }
        environment.putAll(System.getenv());
        return environment;
    }

    /** Reports the values that {@link SettingInterceptor} has replaced. */
    private static void checkValues(SmallRyeConfig config, SettingSource source, ConfigProblems problems,
            List<String> warnings) {
        var names = new LinkedHashSet<String>();
        Settings.fixed().map(Setting::name).sorted().forEach(names::add);
        config.getPropertyNames().forEach(names::add);
        for (var name : names) {
            var setting = Settings.find(name);
            if (setting == null || isUnresolved(config, setting, name, problems)) {
                continue;
            }
            var value = setting.type() == SettingType.TEXT ? null : config.getConfigValue(name);
            var text = value == null ? null : value.getRawValue();
            if (text == null) {
                continue;
            }
            if (!text.isBlank() && setting.normalize(text).isEmpty()) {
                problems.add(name, text, setting.allowed(text));
            } else if (setting.isSecret() && text.isBlank() && value.getSourceOrdinal() >= EnvConfigSource.ORDINAL) {
                warnings.add(source.describe(name) + " is empty, which counts as not set");
            }
        }
    }
}
