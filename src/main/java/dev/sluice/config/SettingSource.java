package dev.sluice.config;

import java.io.IOException;
import java.io.StringReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;

import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SysPropConfigSource;

/** Names settings as they were set: a variable, a system property, or a file and a line. */
final class SettingSource {

    private static final Pattern FILE = Pattern.compile("\\[source=(file:[^]]*)]");

    private final SmallRyeConfig config;
    private final Map<String, String> environment;

    SettingSource(SmallRyeConfig config, Map<String, String> environment) {
        this.config = config;
        this.environment = environment;
    }

    /** Returns a property with the place where it was set in front; the property alone if that is unknown. */
    String describe(String property) {
        var place = place(property);
        return place.isEmpty() ? property : place + ": " + property;
    }

    /** Returns a duration or a size as it was written; any other value unchanged. */
    String valueAsSet(String property, String value) {
        var setting = Settings.find(property);
        if (setting == null || setting.type() != SettingType.DURATION && setting.type() != SettingType.SIZE) {
            return value;
        }
        var raw = config.getConfigValue(property).getRawValue();
        return raw == null ? value : raw;
    }

    private String place(String name) {
        if (name.indexOf('.') < 0) {
            return placeOfVariable(name);
        }
        var property = asSet(name);
        var source = config.getConfigValue(property).getSourceName();
        if (source == null || source.equals(SysPropConfigSource.NAME)) {
            return "";
        }
        var variable = variable(property);
        if (source.startsWith(EnvConfigSource.NAME)) {
            return located(variable);
        }
        var setting = Settings.find(property);
        if (setting != null && variable.equals(setting.alias()) && environment.containsKey(variable)) {
            return located(variable);
        }
        var file = FILE.matcher(source);
        return file.find() ? describeFile(file.group(1), property) : "";
    }

    /**
     * Returns the name under which a property was set: keys may be quoted or not, and a rule may have only properties below its name.
     */
    private String asSet(String property) {
        if (config.getConfigValue(property).getSourceName() != null) {
            return property;
        }
        var unquoted = property.replace("\"", "");
        String below = null;
        for (var name : config.getPropertyNames()) {
            var other = name.replace("\"", "");
            if (other.equals(unquoted)) {
                return name;
            }
            below = below == null && other.startsWith(unquoted + '.') ? name : below;
        }
        return below == null ? property : below;
    }

    /** Returns file and line of a variable of a {@code .env} file; empty if it is one of the process. */
    private String placeOfVariable(String variable) {
        for (var source : config.getConfigSources()) {
            if (source instanceof EnvConfigSource variables && variables.getProperties().containsKey(variable)) {
                var file = FILE.matcher(source.getName());
                return file.find() ? describeFile(file.group(1), variable) : "";
            }
        }
        return "";
    }

    private String located(String variable) {
        var place = placeOfVariable(variable);
        return place.isEmpty() ? variable : place + ": " + variable;
    }

    private String variable(String property) {
        var setting = Settings.find(property);
        boolean aliasSet = setting != null && setting.alias() != null && environment.containsKey(setting.alias())
                && !environment.containsKey(setting.variable());
        return aliasSet ? setting.alias() : Setting.variable(property.replace('"', '_'));
    }

    private static String describeFile(String url, String property) {
        try {
            var file = Path.of(URI.create(url));
            int line = line(file, property);
            return line == 0 ? "" : file.getFileName() + ":" + line;
        } catch (IOException | RuntimeException e) {
            return "";
        }
    }

    /** Returns the number of the last line that sets a key; a name of a profile ({@code %prod.}) in front of it is ignored. */
    private static int line(Path file, String key) throws IOException {
        int found = 0;
        int number = 0;
        for (var line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
            number++;
            var parsed = new Properties();
            parsed.load(new StringReader(line));
            for (var name : parsed.stringPropertyNames()) {
                if (name.replaceFirst("^%[^.]*\\.", "").equals(key)) {
                    found = number;
                }
            }
        }
        return found;
    }
}
