package dev.sluice.config;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

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
class ConfigValidator {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Event<ConfigProblems> problemsEvent;
    private final SmallRyeConfig config;

    ConfigValidator(Event<ConfigProblems> problemsEvent, Config config) {
        this.problemsEvent = problemsEvent;
        this.config = config.unwrap(SmallRyeConfig.class);
    }

    void validate(@Observes @Priority(1) StartupEvent started) {
        var environment = System.getenv();
        var problems = new ConfigProblems();
        var warnings = new ArrayList<String>();
        check(config, environment, problems, warnings);
        problemsEvent.fire(problems);
        warnings.forEach(LOG::warn);
        if (!problems.lines().isEmpty()) {
            throw new ConfigurationException("Invalid configuration; Sluice does not start:\n  "
                    + String.join("\n  ", problems.lines(new SettingSource(config, environment))));
        }
    }

    private static void check(SmallRyeConfig config, Map<String, String> environment, ConfigProblems problems,
            List<String> warnings) {
        var source = new SettingSource(config, environment);
        checkValues(config, source, problems, warnings);
        new UnknownSettings(config.getPropertyNames(), environment, isService(config), source).check(problems, warnings);
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

    /** Returns whether the variables of the service are in force: its {@code application.properties} refers to them. */
    private static boolean isService(SmallRyeConfig config) {
        return Settings.fixed().filter(setting -> setting.alias() != null).anyMatch(setting -> {
            var raw = Expressions.withoutExpansion(() -> config.getConfigValue(setting.name())).getRawValue();
            return raw != null && raw.startsWith("${" + setting.alias());
        });
    }

    /** Reports the values that {@link SettingInterceptor} has replaced. */
    private static void checkValues(SmallRyeConfig config, SettingSource source, ConfigProblems problems,
            List<String> warnings) {
        var names = new LinkedHashSet<String>();
        Settings.fixed().map(Setting::name).sorted().forEach(names::add);
        config.getPropertyNames().forEach(names::add);
        for (var name : names) {
            var setting = Settings.find(name);
            var value = setting == null || setting.type() == SettingType.TEXT ? null : config.getConfigValue(name);
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
