package dev.sluice.config;

import java.util.regex.Pattern;

import org.eclipse.microprofile.config.spi.ConfigSource;

import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.SmallRyeConfig;

/** Checks {@code .env} files, which are read as properties files: neither quotes nor {@code export} have a meaning. */
final class DotEnvFile {

    private static final String PREFIX = "RATE_LIMIT_";
    private static final Pattern QUOTED = Pattern.compile("\"[^\"]*\"|'[^']*'");

    private DotEnvFile() {
    }

    static boolean isSource(ConfigSource source) {
        return source instanceof EnvConfigSource && source.getName().contains(".env]");
    }

    static void check(SmallRyeConfig config, ConfigProblems problems) {
        for (var source : config.getConfigSources()) {
            if (isSource(source)) {
                source.getProperties().forEach((name, value) -> check(name, value, problems));
            }
        }
    }

    private static void check(String name, String value, ConfigProblems problems) {
        if (name.equals("export")) {
            if (isSetting(value.split("=", 2)[0].strip())) {
                problems.add(".env", "export", "lines of the form NAME=value, without export");
            }
        } else if (isSetting(name) && QUOTED.matcher(value.strip()).matches()) {
            problems.add(name, "(not shown)", "a value without quotes: in .env they would be part of it");
        }
    }

    private static boolean isSetting(String variable) {
        return variable.startsWith(PREFIX) || Settings.fixed().anyMatch(setting -> variable.equals(setting.alias()));
    }
}
