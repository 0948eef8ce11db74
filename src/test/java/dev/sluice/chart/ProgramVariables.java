package dev.sluice.chart;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.regex.Pattern;

import dev.sluice.policy.PolicyConfig;
import io.quarkus.tls.runtime.config.TlsConfig;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.ConfigMappings;
import io.smallrye.config.ConfigMappings.ConfigClass;

/** Environment variables that the program reads: those of its settings, and those that docs/configuration.md names. */
final class ProgramVariables {

    private static final Properties PROPERTIES = properties();

    private final List<Pattern> variables = new ArrayList<>();
    private final String reference;

    ProgramVariables() throws IOException, ReflectiveOperationException {
        addVariables(TlsConfig.class);
        var classes = Path.of(URI.create(PolicyConfig.class.getProtectionDomain().getCodeSource().getLocation().toString()));
        try (var files = Files.walk(classes)) {
            for (var file : files.filter(file -> file.toString().endsWith("Config.class")).toList()) {
                var name = classes.relativize(file).toString().replaceAll("[/\\\\]", ".").replaceFirst("\\.class$", "");
                var settings = Class.forName(name, false, getClass().getClassLoader());
                if (settings.isAnnotationPresent(ConfigMapping.class)) {
                    addVariables(settings);
                }
            }
        }
        reference = Files.readString(Path.of("docs/configuration.md"));
    }

    private void addVariables(Class<?> settings) {
        for (var property : ConfigMappings.getProperties(ConfigClass.configClass(settings)).keySet()) {
            variables.add(Pattern.compile(property.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9*]", "_")
                    .replaceAll("_*\\*_*", "_+[A-Z0-9]+_+")));
        }
    }

    boolean isRead(String variable) {
        return variables.stream().anyMatch(known -> known.matcher(variable).matches())
                || PROPERTIES.values().stream().anyMatch(value -> value.toString().contains("${" + variable + ":"))
                || Pattern.compile("(?<![A-Z_…])" + Pattern.quote(variable) + "(?![A-Z_])").matcher(reference).find();
    }

    /** Returns the value of a property in application.properties. */
    static String property(String name) {
        return PROPERTIES.getProperty(name);
    }

    private static Properties properties() {
        var properties = new Properties();
        try (var file = Files.newBufferedReader(Path.of("src/main/resources/application.properties"))) {
            properties.load(file);
            return properties;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
